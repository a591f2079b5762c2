/** A store that is full, and whatever else passes: everything goes out by itself (G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../../apps/relay/src/config/key-pair.js';
import { Member, value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { startRedis } from '../../support/redis.js';
import { RelayProcess } from '../../support/relay-process.js';
import { until } from '../../support/wait.js';
import { idOf, namesIn, Stage, stageOf, troubleOf } from '../stage.js';

let stage: Stage;
const ends: (() => unknown)[] = [];
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(async () => {
  for (const end of ends.reverse()) await end();
  await stage.close();
});

const numbered = (who: Member, most: number): readonly string[] =>
  Array.from({ length: most }, (_, at) => `${who.name}, line ${String(at + 1)}`);

/** Each of its lines stands in each conversation once, in the order in which its sender wrote them. */
function inOrder(all: readonly Member[], lines: readonly string[]): void {
  for (const who of all) expect(who.texts.filter((text) => lines.includes(text))).toEqual(lines);
}

describe('a relay that refuses everything for a while', () => {
  test.each(['STORE_FULL', 'RATE_LIMITED', 'TRY_AGAIN', 'INTERNAL', 'a cut connection'] as const)(
    'G16 with %s: the page says so, and all that was asked for is done by itself',
    async (how) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const staying = [owner, tomas];
      const refused = new Set<string>();
      stage.relay.onFromClient((client) => {
        refused.add(client.memberId);
        if (how !== 'a cut connection') return { refuse: how };
        client.cut();
        return 'drop';
      });
      const lines = staying.map((who) => numbered(who, 5));
      for (const [at, who] of staying.entries()) for (const text of lines[at]!) await who.say(roomId, text);
      value(await owner.api.changeSettings(roomId, { ...owner.room!.settings, rotateEvery: 50 }));
      value(await owner.api.removeMember(roomId, idOf(ines)));
      value(await tomas.api.renameMe(roomId, 'Tomás de Lyon'));
      await stage.byItself('each to be refused, and to say so', staying, () => {
        const told = (who: Member) =>
          how === 'a cut connection' ? who.room?.connection !== 'connected' : troubleOf(who) === how;
        return staying.every((who) => refused.has(idOf(who)) && told(who));
      });
      stage.relay.honest();
      await stage.arrives(staying, ...lines.flat());
      for (const own of lines) inOrder(staying, own);
      await stage.byItself('the removal', [owner, tomas, ines], () => stageOf(ines, roomId) === 'removed');
      await stage.byItself('settings and name', staying, () =>
        staying.every((who) => {
          const named = namesIn(who).join() === 'Amina,Tomás de Lyon';
          return named && who.room?.settings.rotateEvery === 50 && troubleOf(who) === undefined;
        }),
      );
      await stage.goesOn(roomId, staying, 'after it,');
      expect(staying.flatMap(({ alarms }) => alarms)).toEqual([]);
    },
  );
});

describe('a relay on a Redis that is full for a while', () => {
  /** Commands that it has refused for want of memory, so far. */
  async function refusals(redis: Redis): Promise<number> {
    const [, count = '0'] = /errorstat_OOM:count=(\d+)/.exec(await redis.info('errorstats')) ?? [];
    return Number(count);
  }

  test('G16 every line goes out by itself once there is room, in its order, and nobody tries again', async () => {
    const redis = await startRedis({ kind: 'standalone', maxmemory: '256mb' });
    ends.push(() => redis.stop());
    const server = redis.connect();
    ends.push(() => {
      server.disconnect();
    });
    const relay = await RelayProcess.start({
      ...redis.environment,
      RELAY_PRIVATE_KEY: writeKey(generateKeyPair()),
    });
    ends.push(() => relay.remove());
    const [owner, tomas] = [
      stage.keep(await Member.create('Amina', relay.url, openHurried)),
      stage.keep(await Member.create('Tomás', relay.url, openHurried)),
    ];
    const both = [owner, tomas];
    const roomId = await owner.createRoom('Rive droite', 10);
    value(await tomas.api.join((await owner.invite(roomId)).link, 'Tomás'));
    await tomas.admitted(roomId);
    await stage.settled(both, 2);

    await server.config('SET', 'maxmemory', '1');
    const before = await refusals(server);
    const lines = both.map((who) => numbered(who, 40));
    for (const [at, who] of both.entries()) for (const text of lines[at]!) await who.say(roomId, text);
    await until('Redis to refuse some', async () => (await refusals(server)) >= before + 2);
    await stage.byItself('the pages to say so', both, () =>
      both.every((who) => ['STORE_FULL', 'TRY_AGAIN'].includes(troubleOf(who) ?? '')),
    );
    await server.config('SET', 'maxmemory', '0');
    await stage.arrives(both, ...lines.flat());
    for (const own of lines) inOrder(both, own);
    await stage.goesOn(roomId, both, 'after it,');
    expect(both.flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});
