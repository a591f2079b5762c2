/**
 * What the code of version 0.1 left on disks is opened by this code, shows what it showed, and goes on at a relay
 * over a store of that version (test/fixtures/v01). The files never change; what is expected of them neither.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase64Url } from '@0fc/protocol';
import { parseInvite } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { shownBy } from '../fixtures/shown.js';
import { copyOf, openCopy, readExpected, readMade, V01 } from '../fixtures/v01.js';
import { Member, value } from '../support/member.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const made = readMade();
const expected = readExpected();
/** Nobody listens there. */
const NOWHERE = 'http://localhost:9';
const RELAY = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', ROOM_IDLE_DAYS: '0' };

const present: Member[] = [];

async function opened(place: string, relayUrl: string): Promise<Member> {
  const vault = made.vaults.find((one) => one.place === place);
  if (vault === undefined) throw new Error(`there is no vault ${place}`);
  return kept(await openCopy(vault, relayUrl));
}

function kept(member: Member): Member {
  present.push(member);
  return member;
}

/** The whole process, its relay too, lives soon after the fixtures were made: no invite of theirs has expired. */
function goBackInTime(): void {
  const begun = performance.now();
  jest.spyOn(Date, 'now').mockImplementation(() => made.clock + Math.round(performance.now() - begun));
}

/** One line from each, which all of them show. */
async function expectTalk(roomId: string, all: readonly Member[]): Promise<void> {
  const texts = all.map(({ name }) => `${name} est là 🙋`);
  for (const [at, who] of all.entries()) await who.say(roomId, texts[at]!);
  await Promise.all(all.map((who) => who.has(...texts)));
}

async function expectNames(all: readonly Member[], names: readonly string[]): Promise<void> {
  const sorted = names.toSorted();
  await until(
    () => `${sorted.join()} to be there: ${JSON.stringify(all.map(namesIn))}`,
    () => all.every((who) => namesIn(who).join() === sorted.join()),
  );
}

const namesIn = ({ room }: Member): readonly string[] =>
  (room?.members ?? []).map(({ name }) => name).toSorted();
const roomOf = (place: string): string => {
  const shown = expected.vaults[place];
  return shown?.rooms[0]?.roomId ?? shown?.joins[0]?.roomId ?? '';
};

afterEach(async () => {
  await Promise.all(present.splice(0).map((member) => member.remove()));
});

describe('at the time of the fixtures', () => {
  beforeAll(goBackInTime);
  afterAll(() => {
    jest.restoreAllMocks();
  });

  test('each vault was made, and is expected to show something', () => {
    const places = made.vaults.map(({ place }) => place);
    expect(places.toSorted()).toEqual(Object.keys(expected.vaults).toSorted());
    expect(places.length).toBeGreaterThan(10);
  });

  test.each(made.vaults.map(({ place }) => place))(
    'the vault %s opens and shows what it showed',
    async (place) => {
      const member = await opened(place, NOWHERE);
      const shown = await shownBy(member);
      expect(shown).toMatchObject(expected.vaults[place]!);
    },
  );

  test('the export is imported and shows what it showed', async () => {
    const folder = await mkdtemp(join(tmpdir(), '0fc-v01-'));
    const passphrase = 'a passphrase of the next device';
    const member = kept(Member.over(folder, { name: 'Amina', relayUrl: NOWHERE, passphrase }));
    await member.start();
    const file = new Uint8Array(await readFile(join(V01, made.export.place)));
    value(await member.api.importVault(file, made.export.passphrase, passphrase));
    expect(await shownBy(member)).toMatchObject(expected.imported);
  });

  test('the links are read', async () => {
    for (const link of Object.values(made.links)) {
      const visitor = kept(await Member.create('Visitor', new URL(link).origin));
      const { roomId, expires } = await parseInvite(nodeHash, link);
      expect(roomId).toBe(roomOf('node/owner'));
      const owner = expected.vaults['node/owner']?.rooms[0]?.members.find((one) => one.owner);
      expect(value(await visitor.api.previewInvite(link))).toMatchObject({
        roomId, expires, ownerFingerprint: owner?.fingerprint, relayPin: 'new', resumes: false,
      }); // prettier-ignore
      expect(expires).toBeGreaterThan(made.clock);
    }
  });

  describe('a relay on the SQLite store', () => {
    let folder: string;
    let relay: RunningRelay;
    beforeAll(async () => {
      folder = await copyOf('relay');
      relay = await startRelay({ environment: { ...RELAY, DATA_DIR: folder } });
    });
    afterAll(async () => {
      await relay.stop();
      await rm(folder, { recursive: true });
    });

    test('has the key that its clients have pinned', () => {
      expect(toBase64Url(relay.publicKey)).toBe(made.relay.publicKey);
    });

    test('takes what Node’s members had waiting, ends their joins, and carries on', async () => {
      const roomId = roomOf('node/owner');
      const [owner, member, reader] = await Promise.all(
        ['owner', 'member', 'reader'].map((name) => opened(`node/${name}`, relay.url)),
      );
      const old = [owner!, member!, reader!];
      await Promise.all(old.map((who) => who.watch(roomId)));
      // What waited in the outbox; what was said meanwhile, under a key that one of them had to ask for.
      const waited = 'Écrit hors ligne, au fond de la vallée 🏔️';
      const missed = 'Je laisse les clés sous le pot de basilic 🪴';
      await Promise.all(old.map((who) => who.has(waited, missed)));
      await until('the settings of both commands that were under way', () =>
        old.every(({ room }) => room?.settings.rotateEvery === 10),
      );
      const joiners = await Promise.all(
        ['requested', 'replied', 'confirmed'].map((name) => opened(`node/${name}`, relay.url)),
      );
      await Promise.all(joiners.map((who) => who.admitted(roomId)));
      const all = [...old, ...joiners];
      await expectNames(all, ['Amina', 'Tomás P.', 'Lucie', 'Inès', 'Zoé', 'Yann']);
      const here = (link: string): string => link.replace(new URL(link).origin, relay.url);
      const late = kept(await Member.create('Late', relay.url));
      value(await late.api.join(here(made.links.used), 'Late'));
      await until('the used link to be refused', () => late.app?.joins[0]?.failure?.code === 'INVITE_USED');
      const visitor = kept(await Member.create('Visitor', relay.url));
      value(await visitor.api.join(here(made.links.open), 'Visitor'));
      await visitor.admitted(roomId);
      await expectTalk(roomId, [...all, visitor]);
      expect(owner!.alarms).toEqual(['ALARM_UNREADABLE']);
      expect(member!.alarms).toEqual(['ALARM_UNREADABLE']);
      expect(reader!.alarms).toEqual(['ALARM_UNREADABLE', 'ALARM_NO_KEY']);
      expect([...joiners, visitor].flatMap(({ alarms }) => alarms)).toEqual([]);
    });

    test('takes what waited in a browser, ends a join that its owner approves, and carries on', async () => {
      const roomId = roomOf('page/owner.json');
      const [owner, member, joiner] = [
        await opened('page/owner.json', relay.url),
        await opened('page/member.json', relay.url),
        await opened('page/joiner.json', relay.url),
      ];
      await Promise.all([owner, member].map((who) => who.watch(roomId)));
      const waited = 'Écrit dans le métro, sans réseau 🚇';
      await Promise.all([owner, member].map((who) => who.has(waited)));
      const [approval] = owner.room?.approvals ?? [];
      value(await owner.api.decideJoin(roomId, approval!.inviteId, true));
      await joiner.admitted(roomId);
      await expectNames([owner, member, joiner], ['Amélie', 'Théo L.', 'Nour']);
      await expectTalk(roomId, [owner, member, joiner]);
      expect([owner, member, joiner].flatMap(({ alarms }) => alarms)).toEqual([]);
    });
  });
});

/** Redis has a clock of its own, which no test moves: only what never expires is asked of this store. */
describe('today, a relay on the Redis dump', () => {
  let redis: RunningRedis;
  let relay: RunningRelay;
  beforeAll(async () => {
    redis = await startRedis({ kind: 'standalone', dump: join(V01, 'redis/dump.rdb') });
    const environment = { ...RELAY, ...redis.environment, RELAY_PRIVATE_KEY: made.relay.privateKey };
    relay = await startRelay({ environment });
  });
  afterAll(async () => {
    await relay.stop();
    await redis.stop();
  });

  test('ends the join that was confirmed in time, and carries on', async () => {
    const roomId = roomOf('redis/owner');
    const [owner, member, joiner] = await Promise.all(
      ['owner', 'member', 'confirmed'].map((name) => opened(`redis/${name}`, relay.url)),
    );
    const old = [owner!, member!];
    await Promise.all(old.map((who) => who.watch(roomId)));
    await joiner!.admitted(roomId);
    await Promise.all(old.map((who) => who.has('Je laisse les clés sous le pot de basilic 🪴')));
    const all = [...old, joiner!];
    await expectNames(all, ['Amina', 'Tomás P.', 'Lucie', 'Yann']);
    await expectTalk(roomId, all);
    expect(owner!.alarms).toEqual(['ALARM_UNREADABLE']);
    expect(member!.alarms).toEqual(['ALARM_UNREADABLE']);
    expect(joiner!.alarms).toEqual([]);
  });
});
