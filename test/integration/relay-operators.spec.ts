/** `rooms stats` and `rooms erase` as an operator types them, with the relay running and without. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromBase64Url } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { inherited } from '../support/inherited.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { Peer, type RelayAddress } from './relay-peer.js';
import { message, TestRoom } from './relay-room.js';

const MAIN = resolve(import.meta.dirname, '../../apps/relay/dist/main.js');
let child: RelayProcess;

beforeAll(async () => {
  await loadThemis();
  child = await RelayProcess.start({ HANDSHAKE_MS: '60000' });
});
afterAll(() => child.remove());

const address = async (): Promise<RelayAddress> => {
  const config = (await (await fetch(`${child.url}/config.json`)).json()) as { relayPublicKey: string };
  return { url: child.url, publicKey: fromBase64Url(config.relayPublicKey)! };
};

async function rooms(...words: readonly string[]) {
  const running = spawn(process.execPath, [MAIN, 'rooms', ...words], {
    env: { ...inherited(), DATA_DIR: child.folder },
  });
  let out = '';
  let error = '';
  running.stdout.on('data', (text: Buffer) => (out += text.toString()));
  running.stderr.on('data', (text: Buffer) => (error += text.toString()));
  const [code] = (await once(running, 'close')) as [number];
  return { code, out, error };
}
const json = async (...words: readonly string[]) => {
  const { code, out } = await rooms(...words, '--json');
  return { code, reply: JSON.parse(out) as unknown };
};

describe('an operator', () => {
  test('sees what a room weighs and nothing of what is in it, and erases it while its members are there', async () => {
    const room = await TestRoom.create(await address());
    const guest = await Peer.connect(room.relay);
    await room.join(guest);
    await guest.request('append', { messages: [message(), message()] });
    expect((await stat(join(child.folder, 'relay.sock'))).mode & 0o777).toBe(0o600);
    expect(await json('stats')).toMatchObject({
      code: 0,
      reply: { ok: true, store: { open: 1, entries: 4 } },
    });
    expect(await json('stats', room.roomId)).toMatchObject({
      reply: { room: { state: 'open', members: 2, entries: 4, tip: { g: 1, s: 3 } } },
    });
    const shown = await rooms('stats', room.roomId);
    expect(shown.out).toMatch(/^members +2$/m);
    for (const id of [guest.memberId, room.owner.memberId]) expect(shown.out).not.toContain(id);

    const asked = await rooms('erase', room.roomId);
    expect([asked.code, asked.error]).toEqual([1, expect.stringContaining('Add --yes')]);
    expect(guest.closed).toBeNull();
    const erased = await rooms('erase', room.roomId, '--yes');
    expect([erased.code, erased.out]).toEqual([0, expect.stringContaining('has been erased')]);
    await Promise.all([guest.gone(), room.owner.gone()]);

    // Closed without a word of the owner's, and no restore brings it back.
    const back = await Peer.connect(room.relay, guest.identity);
    expect(await back.refusal('open', { roomId: room.roomId, after: null, head: null, epoch: 0 })).toBe(
      'ROOM_UNKNOWN',
    );
    const genesis = {
      position: { g: 1, s: 0 }, kind: 'roster', sender: guest.memberId, time: 0, clear: new Uint8Array(0),
      payload: room.made.container,
    } as const; // prettier-ignore
    expect(await back.refusal('restore', { roomId: room.roomId, entries: [genesis] })).toBe('ROOM_UNKNOWN');
    back.leave();
    expect(await json('stats')).toMatchObject({
      reply: { store: { open: 0, erased: 1, entries: 0, bytes: 0 } },
    });
  });

  test('does so while the relay is stopped, also after it was killed', async () => {
    const room = await TestRoom.create(await address());
    await child.stop('SIGKILL');
    expect(await json('stats', room.roomId)).toMatchObject({
      reply: { room: { state: 'open', members: 1 } },
    });
    expect(await json('erase', room.roomId, '--yes')).toEqual({
      code: 0,
      reply: { ok: true, erased: room.roomId },
    });
    await child.start();
    const owner = await Peer.connect(await address(), room.made.identity);
    expect(await owner.refusal('create', { genesis: room.made.container })).toBe('ROOM_UNKNOWN');
    owner.leave();
    expect(await json('stats', room.roomId)).toMatchObject({
      reply: { room: { state: 'erased', members: 0 } },
    });
  });

  test('is told in a line what was wrong', async () => {
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAA';
    expect(await rooms('stats', unknown)).toMatchObject({ code: 1, out: 'There is no such room.\n' });
    expect(await json('erase', unknown, '--yes')).toEqual({
      code: 1,
      reply: { ok: false, error: 'ROOM_UNKNOWN' },
    });
    const cases: [readonly string[], string][] = [
      [['stats', 'short'], 'The room id is 22'],
      [['erase', '--yes'], 'The room id is 22'],
      [['forget', unknown], 'The commands are'],
      [['stats', unknown, unknown], 'The commands are'],
      [[], 'The commands are'],
    ];
    for (const [words, text] of cases) {
      const { code, error } = await rooms(...words);
      expect([words, code, error]).toEqual([words, 1, expect.stringContaining(text)]);
    }
  });
});

test('a folder that cannot hold a socket leaves the relay running, and says what does not work', async () => {
  const other = await RelayProcess.start();
  await other.stop();
  const long = join(other.folder, 'd'.repeat(120));
  await other.start({ DATA_DIR: long });
  // Ready before its log has come through the pipe, perhaps.
  await until('the warning', () => other.log.includes('commands work only while the relay is stopped'));
  await other.remove();
});
