/** The transcript: all that a relay saw and wrote in a whole story holds none of its secrets (G1, G15, W12). */
import { afterAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCbor, utf8, type Bytes, type CborValue } from '@0fc/protocol';
import { nodeRandom } from '@0fc/crypto/node';
import { freePort, RelayProcess } from '../../support/relay-process.js';
import { LyingRelay } from '../relay/lying-relay.js';
import { formsOf, search, type Haystack } from './search.js';
import { wholeStory } from './story.js';

const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** Every file of a folder, however deep. */
const filesOf = (folder: string): readonly Haystack[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ name: path.slice(folder.length), bytes: Uint8Array.from(readFileSync(path)) }));

const text = (name: string, said: string): Haystack => ({ name, bytes: utf8(said) });

describe('the search', () => {
  test('G1 finds a planted secret in each of its forms, in the middle of anything', () => {
    const secret = { name: 'planted', bytes: nodeRandom.bytes(32) };
    const noise = (): Bytes => nodeRandom.bytes(1_000);
    for (const { form, needle } of formsOf(secret)) {
      const bytes = Uint8Array.from(Buffer.concat([noise(), needle, noise()]));
      expect(search([{ name: 'a haystack', bytes }], [secret])).toContain(`planted as ${form} in a haystack`);
    }
    expect(search([{ name: 'a haystack', bytes: noise() }], [secret])).toEqual([]);
    // Out of step, as a part of a longer base64 text.
    for (const offset of [0, 1, 2, 3]) {
      const longer = Buffer.concat([nodeRandom.bytes(9 + offset), secret.bytes, nodeRandom.bytes(7)]);
      for (const encoding of ['base64', 'base64url'] as const)
        expect(search([text('a text', longer.toString(encoding))], [secret])).not.toEqual([]);
    }
  });
});

describe('a whole story', () => {
  test('G1 shows the relay no key, token, name or text: nothing in its sessions, frames, requests or store', async () => {
    const relay = await LyingRelay.start();
    ends.push(() => relay.stop());
    const story = await wholeStory(relay.url);
    ends.push(() => Promise.all(story.members.map((member) => member.remove())));
    const messages = relay.seen.map(({ message }) => encodeCbor(message as unknown as CborValue));
    const sessions = {
      name: 'the messages of its sessions',
      bytes: Uint8Array.from(Buffer.concat(messages)),
    };
    const haystacks = [
      sessions,
      // As a debugging log would have it: every field, bytes as base64.
      text(
        'the same as JSON',
        JSON.stringify(relay.seen, (_, field: unknown) =>
          field instanceof Uint8Array ? Buffer.from(field).toString('base64') : field,
        ),
      ),
      { name: 'its frames', bytes: Uint8Array.from(Buffer.concat(relay.frames)) },
      text('its HTTP requests', relay.http.join('\n')),
      ...filesOf(relay.world.folder),
    ];
    expect(search(haystacks, story.secrets)).toEqual([]);
    expect(relay.failures).toEqual([]);
    // The record is whole, and the search reads it: what the relay may see is there.
    for (const known of story.public) expect(search([sessions], [known])).not.toEqual([]);
    const kinds = new Set(relay.seen.flatMap(({ message }) => ('q' in message ? [message.kind] : [])));
    for (const kind of [
      'create',
      'joinReply',
      'joinConfirm',
      'roster',
      'rotate',
      'append',
      'signal',
      'prekey',
      'leaveRequest',
      'transferAcceptance',
    ])
      expect(kinds).toContain(kind);
    expect(story.secrets.length).toBeGreaterThan(50);
    // Planted among them, one is found.
    const planted = story.secrets.find(({ name }) => name.startsWith('room key'));
    const dirty = { name: 'dirty', bytes: Uint8Array.from(Buffer.concat([sessions.bytes, planted!.bytes])) };
    expect(search([dirty], story.secrets)).toEqual([`${planted!.name} as raw in dirty`]);
  });

  test('G15 W12 leaves no secret in the log at its loudest, the metrics, the answers over HTTP, or the files of a relay as it is run', async () => {
    const metricsPort = await freePort();
    const relay = await RelayProcess.start({ LOG_LEVEL: 'trace', METRICS_PORT: String(metricsPort) });
    ends.push(() => relay.remove());
    const story = await wholeStory(relay.url);
    ends.push(() => Promise.all(story.members.map((member) => member.remove())));
    const answers = await Promise.all(
      [
        `${relay.url}/config.json`,
        `${relay.url}/health/ready`,
        `${relay.url}/nothing/here`,
        `http://127.0.0.1:${String(metricsPort)}/metrics`,
      ].map(async (url) => `${url}\n${await (await fetch(url)).text()}`),
    );
    expect(answers.join()).toContain('process_cpu');
    await relay.stop();
    const haystacks = [
      text('its log', relay.log),
      text('its answers', answers.join('\n')),
      ...filesOf(relay.folder),
    ];
    // Its own private key is in its folder, and nobody else's.
    expect(search(haystacks, story.secrets)).toEqual([]);
    expect(relay.log.length).toBeGreaterThan(1_000);
    expect(relay.log).toContain('established');
    expect(relay.log).not.toMatch(/passphrase|privateKey|"payload"|"clear"/);
  });
});
