/**
 * What earlier code left on disks is opened by this code and shows what it showed; what its protocol was for is read
 * only, and a relay over its store goes on with rooms of today beside it (test/fixtures). The files never change;
 * what is expected of them neither.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROTOCOL_VERSION, toBase64Url } from '@0fc/protocol';
import { parseInvite } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { createNodePlatform } from '@0fc/client/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { loadCore } from '../../libs/client/src/room/state/load.js';
import { prefixOf, STORES } from '../../libs/client/src/vault/records.js';
import { Vault } from '../../libs/client/src/vault/vault.js';
import {
  copyOf, FIXTURES, fixtureFolder, openCopy, readExpected, readMade, type FixtureVault,
} from '../fixtures/fixture.js'; // prettier-ignore
import { shownBy, type ShownRoom, type ShownVault } from '../fixtures/shown.js';
import { Member, value } from '../support/member.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { until } from '../support/wait.js';
import { Peer, Refused } from './relay-peer.js';

/** Nobody listens there. */
const NOWHERE = 'http://localhost:9';
const RELAY = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', ROOM_IDLE_DAYS: '0' };

const present: Member[] = [];

function kept(member: Member): Member {
  present.push(member);
  return member;
}

afterEach(async () => {
  await Promise.all(present.splice(0).map((member) => member.remove()));
});

/**
 * A room of version 1 as it is shown now: as it was, but that nobody is in it any more, and nothing waits to be sent. Its
 * invites lead nowhere, and who came with one cannot be let in: the vault has deleted them with their keys (version 4).
 */
const readOnly = (room: ShownRoom): ShownRoom => ({
  ...room,
  invites: [],
  approvals: [],
  stage: room.stage === 'member' ? 'outdated' : room.stage,
  paused: null,
  lines: room.lines.map((line) => (line.type === 'message' ? { ...line, waits: false } : line)),
});

/** Fields that a line of version 1 which never left has no more: its time is that of its writing. */
function withoutTimes({ rooms, joins }: ShownVault) {
  const waiting = rooms.flatMap(({ lines }) => lines.filter(({ time }) => time === null));
  const texts = new Set(waiting.map((line) => (line.type === 'message' ? line.text : '')));
  return {
    texts,
    rooms: rooms.map(readOnly),
    joins: joins.map(({ safetyNumber, ...join }) => ({ ...join, failure: 'INVITE_OUTDATED' })),
  };
}

/** What is shown is what was expected of it, read only. */
function expectReadOnly(shown: ShownVault, expected: ShownVault): void {
  const { texts, rooms, joins } = withoutTimes(expected);
  const timeless = rooms.map((room) => ({
    ...room,
    lines: room.lines.map((line) =>
      line.type === 'message' && texts.has(line.text) ? { ...line, time: null } : line,
    ),
  }));
  const now = shown.rooms.map((room) => ({
    ...room,
    lines: room.lines.map((line) =>
      line.type === 'message' && texts.has(line.text) ? { ...line, time: null } : line,
    ),
  }));
  expect(now).toMatchObject(timeless);
  expect(shown.joins).toMatchObject(joins);
}

describe.each(FIXTURES)('%s', (name) => {
  const root = fixtureFolder(name);
  const made = readMade(root);
  const expected = readExpected(root);
  const vaultOf = (place: string): FixtureVault => {
    const vault = made.vaults.find((one) => one.place === place);
    if (vault === undefined) throw new Error(`there is no vault ${place}`);
    return vault;
  };
  const opened = async (place: string, relayUrl: string): Promise<Member> =>
    kept(await openCopy(vaultOf(place), relayUrl, root));
  const roomOf = (place: string): string => expected.vaults[place]?.rooms[0]?.roomId ?? '';

  beforeAll(() => {
    // The whole process lives soon after the fixtures were made: no invite of theirs has expired.
    const begun = performance.now();
    jest.spyOn(Date, 'now').mockImplementation(() => made.clock + Math.round(performance.now() - begun));
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  test('each vault was made, and is expected to show something', () => {
    const places = made.vaults.map(({ place }) => place);
    expect(places.toSorted()).toEqual(Object.keys(expected.vaults).toSorted());
    expect(places.length).toBeGreaterThan(10);
  });

  test.each(made.vaults.map(({ place }) => place))(
    'the vault %s opens and shows what it showed, read only',
    async (place) => {
      const member = await opened(place, NOWHERE);
      expectReadOnly(await shownBy(member), expected.vaults[place]!);
    },
  );

  test('the export is imported and shows what it showed, read only', async () => {
    const folder = await mkdtemp(join(tmpdir(), '0fc-fixture-'));
    const passphrase = 'a passphrase of the next device';
    const member = kept(Member.over(folder, { name: 'Amina', relayUrl: NOWHERE, passphrase }));
    await member.start();
    const file = new Uint8Array(await readFile(join(root, made.export.place)));
    value(await member.api.importVault(file, made.export.passphrase, passphrase));
    expectReadOnly(await shownBy(member), expected.imported);
  });

  test('its links say that they are of an earlier version', async () => {
    for (const link of Object.values(made.links)) {
      const visitor = kept(await Member.create('Visitor', new URL(link).origin));
      expect(await visitor.api.previewInvite(link)).toMatchObject({ error: { code: 'INVITE_OUTDATED' } });
      expect(await visitor.api.join(link, 'Visitor')).toMatchObject({ error: { code: 'INVITE_OUTDATED' } });
      await expect(parseInvite(nodeHash, link)).rejects.toMatchObject({ code: 'INVITE_OUTDATED' });
    }
  });

  test('every act in its room is refused, and says why; the room can be forgotten', async () => {
    const roomId = roomOf('node/owner');
    const owner = await opened('node/owner', NOWHERE);
    await owner.watch(roomId);
    const [other] = owner.room!.members.filter(({ me }) => !me);
    const [line] = owner.messages;
    const { api } = owner;
    const acts = [
      api.sendText(roomId, 'too late'), api.reply(roomId, line!.id, 'too late'), api.react(roomId, line!.id, '👍', true),
      api.editMessage(roomId, line!.id, 'x'), api.deleteMessage(roomId, line!.id), api.typing(roomId),
      api.renameMe(roomId, 'X'), api.renameRoom(roomId, 'X'), api.createInvite(roomId, 60_000), api.rotateNow(roomId),
      api.removeMember(roomId, other!.memberId), api.changeSettings(roomId, { rotateEvery: 9 }), api.closeRoom(roomId),
      api.offerOwnership(roomId, other!.memberId), api.endOwnershipOffer(roomId), api.acceptOwnership(roomId), api.leaveRoom(roomId),
      api.restoreRoom(roomId), api.safetyNumber(roomId, other!.memberId),
    ]; // prettier-ignore
    for (const outcome of await Promise.all(acts)) {
      expect(outcome).toMatchObject({ ok: false, error: { code: 'ROOM_OUTDATED' } });
    }
    expect(owner.room).toMatchObject({
      stage: 'outdated',
      connection: 'stopped',
      stopped: { code: 'ROOM_OUTDATED', params: { version: 1 }, resumes: false },
    });
    value(await api.markRead(roomId, true));
    value(await api.forgetRoom(roomId));
    await until('the room to be gone', () => owner.app?.rooms.length === 0);
  });

  /** A relay over a store of that version. */
  async function expectSideBySide(relay: RunningRelay, places: readonly string[]): Promise<void> {
    expect(toBase64Url(relay.publicKey)).toBe(made.relay.publicKey);
    for (const place of places) {
      const roomId = roomOf(place);
      const member = await opened(place, relay.url);
      await member.watch(roomId);
      expect(member.room).toMatchObject({ connection: 'stopped', stopped: { code: 'ROOM_OUTDATED' } });
      // The same key, by hand: the relay says why, and to a stranger nothing.
      const { identity, genesis } = await heldIn(vaultOf(place), roomId);
      const after = { g: 1, s: 0 };
      const open = { roomId: roomId as never, after, head: new Uint8Array(32), epoch: 1 };
      const peers = [await Peer.connect(relay, identity), await Peer.connect(relay)];
      const codes = await Promise.all(
        peers.map((peer) =>
          peer.request('open', open).then(
            () => 'opened',
            (error: unknown) => (error instanceof Refused ? error.code : String(error)),
          ),
        ),
      );
      expect(codes).toEqual(['UNSUPPORTED_VERSION', 'ROOM_UNKNOWN']);
      // By no other door either: what is brought back binds, and so does a claim.
      const brought = { position: after, kind: 'roster', sender: peers[0]!.memberId, time: 0 } as const;
      const entries = [{ ...brought, clear: new Uint8Array(), payload: genesis }];
      const restore = { roomId: roomId as never, entries };
      const claim = { roomId: roomId as never, inviteId: 'AAAAAAAAAAAAAAAAAAAAAA' as never };
      for (const [peer, refusals] of [
        [peers[0]!, ['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION']],
        [peers[1]!, ['ROOM_UNKNOWN', 'INVITE_UNKNOWN']],
      ] as const)
        expect([await peer.refusal('restore', restore), await peer.refusal('claim', claim)]).toEqual(
          refusals,
        );
      for (const peer of peers) peer.socket.disconnect();
    }
    const [owner, guest] = [
      await opened(places[0]!, relay.url),
      kept(await Member.create('Guest', relay.url)),
    ];
    const { roomId } = value(
      await owner.api.createRoom({ name: 'Today', displayName: 'Amina', rotateEvery: 100, approval: false }),
    );
    await owner.watch(roomId);
    await owner.live();
    const { link } = value(await owner.api.createInvite(roomId, 3_600_000));
    value(await guest.api.join(link, 'Guest'));
    await guest.admitted(roomId);
    await guest.say(roomId, 'in a room of today 🙋');
    await owner.has('in a room of today 🙋');
    expect([...owner.alarms, ...guest.alarms]).toEqual([]);
    expect(PROTOCOL_VERSION).toBe(2);
  }

  /** Of a member of version 1: its identity, and the first entry of the chain. */
  async function heldIn(vault: FixtureVault, roomId: string) {
    const folder = await copyOf(vault.place, root);
    const platform = await createNodePlatform({ folder });
    const open = await Vault.unlock(platform, vault.passphrase);
    const found = await loadCore(open, roomId);
    const [first] = await open.listFrom(STORES.chain, prefixOf(roomId));
    await open.close();
    await platform.storage.close();
    await rm(folder, { recursive: true });
    return { identity: found!.core.identity, genesis: first!.value };
  }

  test('a relay on its SQLite store goes on with rooms of today beside its own', async () => {
    const folder = await copyOf('relay', root);
    const relay = await startRelay({ environment: { ...RELAY, DATA_DIR: folder } });
    try {
      await expectSideBySide(relay, ['node/owner', 'node/member', 'node/reader']);
    } finally {
      await relay.stop();
      await rm(folder, { recursive: true });
    }
  });

  test('a relay on its Redis dump goes on with rooms of today beside its own', async () => {
    // Redis has a clock of its own, which no test moves.
    jest.restoreAllMocks();
    let redis: RunningRedis | null = null;
    let relay: RunningRelay | null = null;
    try {
      redis = await startRedis({ kind: 'standalone', dump: join(root, 'redis/dump.rdb') });
      const environment = { ...RELAY, ...redis.environment, RELAY_PRIVATE_KEY: made.relay.privateKey };
      relay = await startRelay({ environment });
      await expectSideBySide(relay, ['redis/owner', 'redis/member']);
    } finally {
      await relay?.stop();
      await redis?.stop();
    }
  });
});
