/** Replicas that are ended in turn, under members who talk: nobody misses or repeats a word, or is told of anything. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Balancer } from '../support/balancer.js';
import { Member } from '../support/member.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

const MAIN = resolve(import.meta.dirname, '../../apps/relay/dist/main.js');

let redis: RunningRedis;
let relays: RelayProcess[];
let front: Balancer;
const members: Member[] = [];

beforeAll(async () => {
  redis = await startRedis({ kind: 'standalone' });
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'keygen']);
  const key = /^RELAY_PRIVATE_KEY=(.+)$/m.exec(stdout)?.[1];
  const environment = { ...redis.environment, RELAY_PRIVATE_KEY: key, SHUTDOWN_GRACE_MS: '3000' };
  relays = await Promise.all([RelayProcess.start(environment), RelayProcess.start(environment)]);
  front = await Balancer.start(relays.map(({ port }) => port));
});
afterAll(async () => {
  await Promise.all(members.map((member) => member.remove()));
  await front.stop();
  await Promise.all(relays.map((relay) => relay.remove()));
  await redis.stop();
});

test('members move from a replica that ends to another one without a gap', async () => {
  const [alice, bob] = [await Member.create('Alice', front.url), await Member.create('Bob', front.url)];
  members.push(alice, bob);
  const roomId = await alice.createRoom('Moving', 1_000);
  const { link } = await alice.invite(roomId);
  const joined = await bob.api.join(link, 'Bob');
  expect(joined.ok).toBe(true);
  await bob.admitted(roomId);
  const states = new Set<string>();
  for (const member of members) {
    member.alsoTold = (event) => {
      if (event.type === 'room') states.add(event.room.connection);
    };
  }

  const said: string[] = [];
  const say = async (): Promise<void> => {
    const speaker = said.length % 2 === 0 ? alice : bob;
    const text = `word ${said.length}`;
    said.push(text);
    await speaker.say(roomId, text);
  };
  for (const relay of relays) {
    const drained = { yet: false };
    const ending = relay.stop('SIGTERM').then(() => {
      drained.yet = true;
    });
    while (!drained.yet) {
      await say();
      // At a talker's pace, which is the members' own: each word has come to everybody.
      await Promise.all([alice, bob].map((member) => member.has(said.at(-1)!)));
    }
    await ending;
    await relay.start();
    await Promise.all([alice, bob].map((member) => member.live()));
  }
  await say();
  await until('everybody to have every word', () =>
    [alice, bob].every((member) => member.texts.length === said.length),
  );
  for (const member of [alice, bob]) {
    expect(member.texts).toEqual(said);
    expect(member.alarms).toEqual([]);
  }
  // It was never without a relay that it could reach.
  expect([...states]).not.toContain('offline');
  for (const { log } of relays) {
    expect(log.split('\n').filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
  }
});
