/** Requests for the key of an epoch: bound to it, answered with the same bytes, few of them (docs/protocol.md section 7). */
import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { asRoomKey, makeKeyGrant, makeKeyRequest } from '@0fc/crypto/keys';
import { bodyHash, containerBody } from '@0fc/crypto/verify';
import {
  decodeBody,
  type AnyContent,
  type Body,
  type Bytes,
  type Entry,
  type RequestBody,
} from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { Outgoing } from '../outgoing/lane.js';
import {
  alarmsOf,
  change,
  crypto,
  eventsOf,
  messagesOf,
  newVault,
  RoomLog,
  readEntry,
  type Person,
} from '../log/log.spec-support.js';
import { append, RoomDraft, set } from '../state/draft.js';
import { RoomState } from '../state/state.js';
import { KeyRequests } from './key-requests.js';

let log: RoomLog;
let guest: Person;
let third: Person;
let clock: FakeClock;
let admissions: readonly Entry[];

/** A member's client, which has read the log up to here. */
interface Side {
  readonly who: Person;
  readonly room: FakeRoom;
  part: KeyRequests;
}
let owner: Side;
let asker: Side;
let other: Side;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  clock = new FakeClock(2_000);
  const admitted = [await log.admit(), await log.admit()];
  admissions = admitted.map(({ entry }) => entry);
  [guest, third] = admitted.map(({ person }) => person) as [Person, Person];
  const side = async (who: Person): Promise<Side> => {
    const room = new FakeRoom(await log.reader(who), clock);
    for (const { entry } of admitted) await readEntry(room.state, entry);
    return { who, room, part: new KeyRequests(room) };
  };
  [owner, asker, other] = [await side(log.owner), await side(guest), await side(third)];
});

/** What a part has sent of a kind, once all that is due was sent. */
async function sent<K extends 'needKey' | 'keyGrant'>(
  { room, part }: Side,
  kind: K,
): Promise<RequestBody<K>[]> {
  new Outgoing(room, [part]).signal();
  await room.settled();
  return room.sent.filter((one) => one.kind === kind).map(({ body }) => body as RequestBody<K>);
}

const loseKey = ({ room }: Side): Promise<void> =>
  change(room.state, set({ keys: room.state.core.keys.map((key) => ({ ...key, key: null })) }));

/** The asker's request, once it has lost its key. */
async function request(of = asker): Promise<Bytes> {
  await loseKey(of);
  const [body] = await sent(of, 'needKey');
  return body!.request;
}

const requestOf = (container: Bytes): Body<'needKey'> => decodeBody(containerBody(container), 'needKey').body;

async function rotate(): Promise<void> {
  const entry = await log.rotate(log.owner.id);
  for (const { room, who } of [owner, asker, other]) {
    const { wrap: _whose, ...plain } = entry;
    await readEntry(room.state, { ...plain, wrap: log.wraps[who.id]! });
  }
}

/** Another request of the asker's, for the key of now. */
async function another(failed: readonly string[] = []): Promise<Bytes> {
  const { roomId } = log.roster;
  return makeKeyRequest(crypto, {
    identity: guest.identity, roomId, memberId: guest.id, epoch: log.epoch, failed: failed as never,
    rotation: await bodyHash(nodeHash, owner.room.state.current.rotation ?? log.genesis),
  }).container; // prettier-ignore
}

const ask = ({ part }: Side, container: Bytes, from = guest): void => {
  part.onNeeded({ from: from.id, request: container });
};

describe('a request', () => {
  test('names the epoch, and the rotation that began it, or genesis', async () => {
    expect(requestOf(await request())).toMatchObject({
      epoch: 1,
      rotation: await bodyHash(nodeHash, log.genesis),
      failed: [],
    });
    await rotate();
    asker.part = new KeyRequests(asker.room);
    const { rotation } = asker.room.state.current;
    await loseKey(asker);
    const again = await sent(asker, 'needKey');
    expect(requestOf(again.at(-1)!.request)).toMatchObject({
      epoch: 2,
      rotation: await bodyHash(nodeHash, rotation!),
    });
  });

  test('that was recorded gets no later key', async () => {
    const recorded = await request();
    await rotate();
    ask(owner, recorded);
    expect(await sent(owner, 'keyGrant')).toEqual([]);
    ask(owner, await another());
    expect(await sent(owner, 'keyGrant')).toHaveLength(1);
  });

  test('gets the same bytes again, after a restart too, and one line tells of it', async () => {
    const container = await request();
    ask(owner, container);
    owner.part = (await sent(owner, 'keyGrant'), new KeyRequests(owner.room));
    ask(owner, container);
    const grants = await sent(owner, 'keyGrant');
    expect(grants).toHaveLength(2);
    expect(grants[1]!.grant).toEqual(grants[0]!.grant);
    expect(eventsOf(owner.room.state).filter((event) => event === 'keyGiven')).toHaveLength(1);
  });

  test('is one of three that a member is granted in an epoch, whatever is restarted; the next epoch has its own', async () => {
    for (let time = 0; time < 5; time++) {
      owner.part = new KeyRequests(owner.room);
      ask(owner, await another());
      await sent(owner, 'keyGrant');
    }
    expect(await sent(owner, 'keyGrant')).toHaveLength(3);
    await rotate();
    ask(owner, await another());
    expect(await sent(owner, 'keyGrant')).toHaveLength(4);
  });
});

test('G14 what was deleted and edited while the key was missing is opened in its last words', async () => {
  const content = async (of: AnyContent): Promise<void> => {
    const { payload, clear } = log.seal(log.owner, log.body(log.owner, of));
    await readEntry(asker.room.state, await log.add('message', log.owner.id, payload, clear));
  };
  const to = (n: number) => ({ sender: log.owner.id, instance: log.owner.instance, n });
  const container = await request();
  await content({ type: 'delete', to: to(2) });
  await content({ type: 'text', text: 'deleted' });
  await content({ type: 'text', text: 'first words' });
  await content({ type: 'edit', to: to(3), text: 'last words' });
  ask(owner, container);
  const [grant] = await sent(owner, 'keyGrant');
  await asker.part.onGranted({ from: log.owner.id, grant: grant!.grant, news: grant!.news });
  expect(messagesOf(asker.room.state).map(({ content, deleted = false }) => [content, deleted])).toEqual([
    [{ type: 'delete', to: to(2) }, false],
    [{ type: 'void' }, true],
    [{ type: 'text', text: 'last words', edited: true }, false],
    [{ type: 'edit', to: to(3), text: 'last words' }, false],
  ]);
});

test('what waited for a key is opened four times at most, however many of it need a look at what is not in memory', async () => {
  const vault = await newVault();
  const long = await log.reader(guest, vault);
  const { roomId } = long.core;
  for (const entry of admissions) await readEntry(long, entry);
  const message = async (state: RoomState, content: AnyContent): Promise<void> => {
    const { payload, clear } = log.seal(log.owner, log.body(log.owner, content));
    await readEntry(state, await log.add('message', log.owner.id, payload, clear));
  };
  const lines = 12;
  for (let n = 0; n < lines; n++) await message(long, { type: 'text', text: String(n) });
  await long.write((draft) => {
    for (let n = 0; n < 50; n++) draft.apply(append(null, n, []));
  });
  const state = await RoomState.load(vault, roomId, nodeHash, 3);
  if (state === null) throw new Error('the room is gone');
  const late: Side = { who: guest, room: new FakeRoom(state, clock), part: asker.part };
  late.part = new KeyRequests(late.room);
  const container = await request(late);
  for (let n = 1; n <= lines; n++) {
    const to = { sender: log.owner.id, instance: log.owner.instance, n };
    await message(state, { type: 'edit', to, text: 'edited' });
  }
  ask(owner, container);
  const [grant] = await sent(owner, 'keyGrant');
  const opened = jest.spyOn(RoomDraft.prototype, 'fork');
  await late.part.onGranted({ from: log.owner.id, grant: grant!.grant, news: grant!.news });
  const forks = opened.mock.calls.length;
  opened.mockRestore();
  while (await state.loadEarlier());
  expect(
    messagesOf(state)
      .slice(0, lines)
      .map(({ content }) => content),
  ).toEqual(Array.from({ length: lines }, () => ({ type: 'text', text: 'edited', edited: true })));
  // A draft of each message, each time: for its line's index, for its record, for its effects, and to the end.
  expect(forks).toBeLessThanOrEqual(4 * lines);
});

describe('a grant that does not open', () => {
  /** Somebody's grant of a key that the epoch does not have. */
  async function wrong(container: Bytes, by = log.owner, to = guest): Promise<{ grant: Bytes; news: Bytes }> {
    return makeKeyGrant(crypto, {
      identity: by.identity, roster: log.roster, epoch: 1, roomKey: asRoomKey(crypto.random.bytes(32)), to: to.id,
      request: container, rotation: await bodyHash(nodeHash, log.genesis), news: { profiles: [], roomName: null },
    }); // prettier-ignore
  }

  test('is told with its granter, and the owner’s next request names it: that one is not asked again', async () => {
    const container = await request(owner);
    await owner.part.onGranted({ from: guest.id, ...(await wrong(container, guest, log.owner)) });
    expect(alarmsOf(owner.room.state)).toEqual(['ALARM_WRONG_KEY']);
    const again = (await sent(owner, 'needKey')).at(-1)!.request;
    expect(again).not.toEqual(container);
    expect(requestOf(again)).toMatchObject({ epoch: 1, failed: [guest.id] });
    ask(asker, again, log.owner);
    clock.advance(3_000);
    expect(await sent(asker, 'keyGrant')).toEqual([]);
    ask(other, again, log.owner);
    clock.advance(3_000);
    expect(await sent(other, 'keyGrant')).toHaveLength(1);
  });

  test('is told to a member, who has nobody but the owner to ask: it is asked again', async () => {
    const container = await request();
    await asker.part.onGranted({ from: log.owner.id, ...(await wrong(container)) });
    expect(alarmsOf(asker.room.state)).toEqual(['ALARM_WRONG_KEY']);
    const again = (await sent(asker, 'needKey')).at(-1)!.request;
    expect(again).not.toEqual(container);
    expect(requestOf(again)).toMatchObject({ epoch: 1, failed: [] });
    ask(owner, again);
    const [{ grant, news }] = (await sent(owner, 'keyGrant')) as [RequestBody<'keyGrant'>];
    await asker.part.onGranted({ from: log.owner.id, grant, news });
    expect(asker.room.state.current.key).toEqual(log.key);
  });

  test('because the relay made it up or changed it blames nobody, and the owner is asked as before', async () => {
    const container = await request();
    ask(owner, container);
    const [{ grant, news }] = (await sent(owner, 'keyGrant')) as [RequestBody<'keyGrant'>];
    const flipped = (bytes: Bytes): Bytes =>
      bytes.map((byte, at) => (at === bytes.length - 9 ? byte ^ 1 : byte));
    for (const made of [flipped(grant), grant.subarray(1), crypto.random.bytes(grant.length)])
      await asker.part.onGranted({ from: log.owner.id, grant: made, news });
    expect(alarmsOf(asker.room.state)).toEqual([]);
    expect(asker.room.state.core.needKey).toMatchObject({ request: container, failed: [] });
    // The names beside it are not signed: without them the key is the key.
    await asker.part.onGranted({ from: log.owner.id, grant, news: flipped(news) });
    expect(alarmsOf(asker.room.state)).toEqual([]);
    expect(asker.room.state.current.key).toEqual(log.key);
  });

  test('by nobody who signed it changes nothing', async () => {
    const container = await request();
    const { grant, news } = await wrong(container);
    await asker.part.onGranted({ from: third.id, grant, news });
    expect(alarmsOf(asker.room.state)).toEqual([]);
    expect(asker.room.state.core.needKey?.request).toEqual(container);
  });
});

describe('the owner that asks', () => {
  test('is answered by a member within three seconds, and not at once by all', async () => {
    const container = await request(owner);
    ask(other, container, log.owner);
    const waits: number[] = [];
    for (let time = 0; time < 40; time++) {
      const part = new KeyRequests(other.room);
      part.onNeeded({ from: log.owner.id, request: container });
      const next = await part.next();
      if (next !== null && 'afterMs' in next) waits.push(next.afterMs);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_000);
    expect(new Set(waits).size).toBeGreaterThan(20);
    expect(other.room.sent).toEqual([]);
    clock.advance(3_000);
    expect(await sent(other, 'keyGrant')).toHaveLength(1);
  });

  test('is shown as given the key by nobody whose answer comes second', async () => {
    ask(other, await request(owner), log.owner);
    clock.advance(3_000);
    other.room.refuses = 'BAD_ENTRY';
    expect(await sent(other, 'keyGrant')).toHaveLength(1);
    other.room.refuses = null;
    expect(await sent(other, 'keyGrant')).toHaveLength(1);
    expect(eventsOf(other.room.state)).not.toContain('keyGiven');
  });

  test('answers at once itself', async () => {
    ask(owner, await request());
    expect(await sent(owner, 'keyGrant')).toHaveLength(1);
  });
});
