/** The transcript over Redis: whoever reads the server's keys, files, commands and channels reads no secret (G1). */
import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@0fc/protocol';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../../apps/relay/src/config/key-pair.js';
import { startRedis } from '../../support/redis.js';
import { RelayProcess } from '../../support/relay-process.js';
import { until } from '../../support/wait.js';
import { dump, isPublished, RedisTap, unescaped } from './redis-tap.js';
import { search, type Haystack } from './search.js';
import { wholeStory } from './story.js';

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** The server's own files; none where it runs in a container, whose keys and commands are searched all the same. */
function filesIn(folder: string): readonly Haystack[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name: `its file ${name}`, path: join(folder, name) }))
    .filter(({ path }) => statSync(path).isFile())
    .map(({ name, path }) => ({ name, bytes: Uint8Array.from(readFileSync(path)) }));
}

describe('a line of MONITOR', () => {
  test('G1 is read back as the bytes that it stands for', () => {
    const line = String.raw`1.5 [0 lua] "SPUBLISH" "a\"b" "\x00\xff\\\r\n\tz\a\b"`;
    expect(unescaped(line)).toEqual(
      Buffer.from('1.5 [0 lua] "SPUBLISH" "a"b" "\x00\xff\\\r\n\tz\x07\b"', 'latin1'),
    );
    expect([line, '1.5 [0 lua] "HSET" "PUBLISH"'].map(isPublished)).toEqual([true, false]);
  });
});

describe('a whole story at a relay on Redis', () => {
  test('G1 shows nobody at the Redis a key, token, name or text: not in its keys, files, commands or channels', async () => {
    await loadThemis();
    const redis = await startRedis({ kind: 'standalone', appendonly: true });
    ends.push(() => redis.stop());
    const client = redis.connect();
    ends.push(() => {
      client.disconnect();
    });
    // A compressed text would not be found.
    await client.config('SET', 'rdbcompression', 'no');
    const [, folder = ''] = await client.config('GET', 'dir');
    const [node] = redis.nodes;
    const tap = await RedisTap.open(node!.host, node!.port);
    ends.push(() => {
      tap.close();
    });
    const relayKey = writeKey(generateKeyPair());
    const relay = await RelayProcess.start({
      ...redis.environment,
      RELAY_PRIVATE_KEY: relayKey,
      LOG_LEVEL: 'trace',
    });
    ends.push(() => relay.remove());
    const kept: Haystack[] = [];
    const story = await wholeStory(relay.url, async (step) => {
      await client.save();
      kept.push(...(await dump(client, step)));
      kept.push(...filesIn(folder).map(({ name, bytes }) => ({ name: `${name} ${step}`, bytes })));
    });
    ends.push(() => Promise.all(story.members.map((member) => member.remove())));
    await relay.stop();
    const told = tap.haystacks;
    const log = { name: 'the log of the relay', bytes: utf8(relay.log) };
    const secrets = [...story.secrets, { name: 'private key of the relay', bytes: utf8(relayKey) }];
    expect(search([...kept, ...told, log], secrets)).toEqual([]);
    expect(story.secrets.length).toBeGreaterThan(50);

    // The record is whole: what a relay may know is in the keys, the files, the commands, the channels.
    const types = new Set(kept.map(({ name }) => name.split(' ')[0]));
    for (const type of ['hash', 'stream', 'string']) expect(types).toContain(type);
    const ids = story.public.filter(({ name }) => name.startsWith('public key'));
    expect(ids.length).toBeGreaterThan(1);
    for (const known of story.public) expect(search(kept, [known])).not.toEqual([]);
    for (const known of story.public) expect(search(told.slice(0, 1), [known])).not.toEqual([]);
    const room = story.public.find(({ name }) => name === 'room id')!;
    expect(search(told.slice(1), [room])).not.toEqual([]);
    expect(tap.lines.filter(isPublished).length).toBeGreaterThan(20);
    const files = filesIn(folder);
    if (node!.pid !== null) {
      expect(files.map(({ name }) => name).join()).toMatch(/\.aof.*dump\.rdb|dump\.rdb.*\.aof/);
      expect(search(files, [room])).not.toEqual([]);
    }

    // Planted in any of them, a secret is found, in each type of key.
    const planted = { name: 'planted', bytes: nodeRandom.bytes(32) };
    const raw = Buffer.from(planted.bytes);
    await client.set('planted:string', raw);
    await client.hset('planted:hash', 'field', raw);
    await client.rpush('planted:list', raw);
    await client.sadd('planted:set', raw);
    await client.zadd('planted:zset', 1, raw);
    await client.xadd('planted:stream', '*', 'field', raw);
    await client.spublish('planted:channel', raw);
    await client.save();
    await until('the tap to have heard it', () => tap.lines.some((line) => line.includes('planted:channel')));
    const places = [...(await dump(client, 'at the end')), ...filesIn(folder), ...tap.haystacks];
    const found = search(places, [planted]);
    for (const type of ['string', 'hash', 'list', 'set', 'zset', 'stream'])
      expect(found).toContain(`planted as raw in ${type} planted:${type} at the end`);
    expect(found).toContain('planted as raw in what it published');
    expect(found).toContain('planted as raw in its commands');
    if (node!.pid !== null) {
      expect(found).toContain('planted as raw in its file dump.rdb');
      expect(found.some((place) => place.endsWith('.incr.aof'))).toBe(true);
    }
  });
});
