/**
 * Two stores, one behaviour: the same commands in any order get the same answers and the same events from Redis and
 * from SQLite, which share nothing but the port. `SEED=…` repeats a run.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PROTOCOL_VERSION, type InviteId, type MemberId, type Position } from '@0fc/protocol';
import { Dice, seedOfRun } from '../../../../../test/support/random.js';
import {
  bytes,
  DAY,
  GUEST,
  id,
  message,
  OWNER,
  ROOM,
  rotation,
  settingsTo,
  THIRD,
} from '../../rooms/port/contract-room.spec-support.js';
import type { AppendRoster, RoomEvent, RoomStore, StoreChange } from '../../rooms/port/room-store.js';
import type { RoomStats } from '../../rooms/port/store-upkeep.js';
import { openSqliteStore } from '../sqlite/sqlite-room-store.js';
import { RedisWorld } from './redis-world.spec-support.js';

/** Runs that are the same each time, and between them get everything to happen; and as many that are not. */
const KNOWN = 12;
const RANDOM = 4;
const STEPS = 400;
const PEOPLE: readonly MemberId[] = [
  OWNER,
  GUEST,
  THIRD,
  ...Array.from({ length: 12 }, (_, n) => id(`p${String(n)}`)),
];
const INVITES: readonly InviteId[] = Array.from({ length: 12 }, (_, n) => id(`i${String(n)}`));
const REASONS = ['declined', 'badProof', 'expired', 'badConfirm', 'other', 'full', 'altered'] as const;
const WIDE = 1e9;
const FEW_SETTINGS = { entries: 12, rate: { perSecond: 1, burst: 2 } };

interface State {
  readonly dice: Dice;
  readonly now: number;
  /** as the room stands, or stood before its end */
  readonly owner: MemberId;
  readonly epoch: number;
  readonly head: Uint8Array;
  readonly tip: Position;
  /** members and leavers: what a replica has verified before it asks the store for a change */
  readonly roster: readonly MemberId[];
  readonly former: ReadonlySet<MemberId>;
}
type Step = (store: RoomStore) => Promise<unknown>;

let world: RedisWorld;
beforeAll(async () => {
  world = await RedisWorld.start('standalone');
});
afterAll(() => world.stop());

/** A piece of a join, from any of its steps on: what came before may or may not be there. */
function joinSteps(dice: Dice, now: number, epoch: number, memberId: MemberId): readonly [string, Step] {
  const inviteId = dice.of(INVITES);
  const joiner = { roomId: ROOM, inviteId, memberId };
  const expires = now + dice.of([1, DAY, 20 * DAY]);
  const request = bytes(dice.once(6) ? 'another' : 'request');
  const steps: readonly (readonly [string, Step])[] = [
    ['registerInvite', (store) => store.registerInvite({ roomId: ROOM, inviteId, expires, maxOpen: 5 })],
    ['claimInvite', (store) => store.claimInvite({ ...joiner, key: bytes(memberId, 45) })],
    ['putJoinRequest', (store) => store.putJoinRequest({ ...joiner, request })],
    [
      'putJoinReply',
      (store) => store.putJoinReply({ roomId: ROOM, inviteId, epoch, payload: bytes('reply') }),
    ],
    ['putJoinConfirm', (store) => store.putJoinConfirm({ ...joiner, epoch, payload: bytes('confirm') })],
  ];
  const from = dice.once(2) ? 0 : dice.below(steps.length);
  const some = steps.slice(from, from + 1 + dice.below(steps.length));
  return [
    some.map(([name]) => name).join(' then '),
    async (store) => {
      const answers: Record<string, unknown> = {};
      for (const [name, run] of some) answers[name] = await run(store);
      return answers;
    },
  ];
}

/** A command with arguments that are mostly right. */
function step({
  dice,
  now,
  owner,
  epoch,
  head,
  tip,
  roster: members,
  former,
}: State): readonly [string, Step] {
  // Mostly somebody who is there.
  const who = members.length === 0 || dice.once(4) ? dice.of(PEOPLE) : dice.of(members);
  const inviteId = dice.of(INVITES);
  const signer = dice.once(8) ? who : owner;
  const near = epoch + (dice.once(6) ? dice.of([-1, 1]) : 0);
  const before = dice.once(10) ? bytes('head0') : head;
  const few = () => `m${String(dice.below(60))}`;
  const position = dice.once(3) ? { g: tip.g, s: dice.below(tip.s + 2) } : { g: 1, s: dice.below(tip.s + 1) };
  const wraps = PEOPLE.filter(() => !dice.once(3));
  const turn = { ...rotation(near + 1, dice.of(['r', 'q']), wraps) };
  const roomId = ROOM;
  const restored = dice.once(8);
  const roster = (
    name: string,
    change: StoreChange,
    more: Partial<AppendRoster> = {},
  ): readonly [string, Step] => {
    const seed = `${name} ${String(dice.below(400))}`;
    const command = {
      roomId, signer, before, epoch: near, head: bytes(seed), container: bytes(`entry ${seed}`, 90), change, restored, ...more,
    }; // prettier-ignore
    return [name, (store) => store.appendRoster(command)];
  };
  const settings = () => roster('settings', settingsTo(5 + dice.below(60), dice.once(4) ? FEW_SETTINGS : {}));
  const others = members.filter((member) => member !== owner);
  const depart = (kind: 'remove' | 'leave') =>
    others.length === 0
      ? settings()
      : roster(kind, { kind, member: dice.of(others) }, restored ? {} : { rotation: turn });
  const newcomers = PEOPLE.filter((one) => !members.includes(one) && !former.has(one));
  const admit = (): readonly [string, Step] => {
    if (newcomers.length === 0) return settings();
    const member = dice.of(newcomers);
    return roster(
      'admit',
      {
        kind: 'admit',
        member,
        key: bytes(member, 45),
        inviteId,
        ...(dice.once(2) ? { firstPrekey: bytes(`first of ${member}`, 80) } : {}),
      },
      dice.once(2) ? { reply: { epoch: near, payload: bytes('late reply') } } : {},
    );
  };
  const choices: (() => readonly [string, Step])[] = [
    () => ['readRoom', (store) => store.readRoom(roomId, who)],
    () => [
      'readLog',
      (store) =>
        store.readLog({
          roomId, memberId: who, after: dice.once(4) ? null : position, maxEntries: 40, maxBytes: 3_000, maxGenerations: 3,
        }), // prettier-ignore
    ],
    () => {
      const [from, limit] = [dice.below(6), 1 + dice.below(5)];
      const reader = dice.once(2) ? who : undefined;
      return ['readChain', (store) => store.readChain(roomId, from, limit, reader)];
    },
    () => ['findRoster', (store) => store.findRoster(roomId, before)],
    () => ['findRotation', (store) => store.findRotation(roomId, turn.newEpoch, turn.hash)],
    () => ['leave', (store) => store.leave({ roomId, memberId: who, request: bytes('bye') })],
    () => ['acknowledge', (store) => store.acknowledge(roomId, who, position)],
    () => ['announce', (store) => store.announce(roomId, who, 'connection')],
    () => ['signal', (store) => store.signal(roomId, who, near, bytes('typing'))],
    () => {
      const expires = now + dice.of([-1, 1_000, 3_600_000, 29 * DAY, 31 * DAY]);
      return ['registerInvite', (store) => store.registerInvite({ roomId, inviteId, expires, maxOpen: 3 })];
    },
    () => ['revokeInvite', (store) => store.revokeInvite(roomId, inviteId)],
    () => ['readJoin', (store) => store.readJoin(roomId, inviteId)],
    () => ['pendingJoins', (store) => store.pendingJoins(roomId)],
    () => {
      const [release, reason] = [dice.once(2), dice.of(REASONS)];
      return ['dropJoin', (store) => store.dropJoin({ roomId, inviteId, release, reason })];
    },
    () => {
      const k = dice.below(4);
      const prekey = bytes(`prekey ${String(dice.below(2))}`);
      return ['putPrekey', (store) => store.putPrekey({ roomId, memberId: who, k, prekey })];
    },
    () => ['readPrekeys', (store) => store.readPrekeys(roomId)],
    () => ['pendingNeedKeys', (store) => store.pendingNeedKeys(roomId, who)],
    () => ['readNeedKey', (store) => store.readNeedKey(roomId, who)],
    () => ['keyGrants', (store) => store.keyGrants(roomId, who)],
    () => ['putOffer', (store) => store.putOffer(roomId, who, bytes('offer'))],
    () => ['putAcceptance', (store) => store.putAcceptance(roomId, who, bytes('yes'))],
    () => ['readOffer', (store) => store.readOffer(roomId)],
    () => ['roomStats', (store) => store.roomStats(roomId)],
    () => ['storeStats', (store) => store.storeStats()],
    () => {
      const add = {
        roomId,
        by: who,
        newEpoch: turn.newEpoch - dice.below(3),
        hash: turn.hash,
        wraps: turn.wraps,
      };
      return ['addWraps', (store) => store.addWraps(add)];
    },
    () => {
      const command = {
        roomId,
        signer,
        head: before,
        rotation: turn,
      };
      return ['rotate', (store) => store.rotate(command)];
    },
    () => depart('remove'),
    () => depart('leave'),
    settings,
    () =>
      others.length > 0
        ? roster('transfer', { kind: 'transfer', from: owner, to: dice.of(others) })
        : admit(),
    () => (dice.once(40) ? roster('close', { kind: 'close' }) : admit()),
    () => (dice.once(60) ? ['eraseRoom', (store) => store.eraseRoom(roomId)] : admit()),
    () => {
      const seed = dice.once(4) ? 'other' : 'need';
      return ['putNeedKey', (store) => store.putNeedKey(roomId, who, bytes(seed))];
    },
    () => {
      const grant = {
        roomId, from: dice.once(2) ? owner : dice.of(PEOPLE), to: who, request: bytes('need'), grant: bytes('grant', 70), news: bytes(few()),
      }; // prettier-ignore
      const asked = dice.once(2);
      return [
        'putKeyGrant',
        async (store) => {
          if (asked) await store.putNeedKey(roomId, who, bytes('need'));
          return store.putKeyGrant(grant);
        },
      ];
    },
    () => {
      const historyBytes = dice.of([WIDE, 2_000]);
      const most = 1 + dice.below(30);
      const command = { roomId, historyBytes, maxEntries: most, maxBytes: dice.of([WIDE, 300]) };
      return [
        'trim',
        async (store) => {
          const found = await store.readTrimmable(command);
          const to = found.ok ? found.trimmable?.entries.at(-1)?.position : undefined;
          if (!found.ok || to === undefined) return [found];
          return [
            found,
            await store.trim({ roomId, from: found.trimmable!.from, to, t: bytes(`t${String(to.s)}`) }),
          ];
        },
      ];
    },
    () => {
      const genesis = {
        roomId, version: PROTOCOL_VERSION, genesis: bytes('genesis', 100), head: bytes('head0'), owner: OWNER, history: 50, restored,
      }; // prettier-ignore
      return ['createRoom', (store) => store.createRoom(genesis)];
    },
    () => {
      const old = now - dice.of([0, 30 * DAY]);
      return [
        'expireRoom',
        (store) => (dice.once(40) ? store.expireRoom(roomId, old) : store.roomStats(roomId)),
      ];
    },
  ];
  // What a room is mostly about comes mostly.
  switch (dice.below(4)) {
    case 0: {
      const messages = Array.from({ length: 1 + dice.below(6) }, () => message(few(), near));
      const rate = { perSecond: 2, burst: 16 };
      return ['append', (store) => store.append({ roomId, sender: who, messages, rate })];
    }
    case 1:
      return joinSteps(dice, now, near, newcomers.length === 0 || dice.once(4) ? who : dice.of(newcomers));
    default:
      return dice.of(choices)();
  }
}

/** Lists of one moment, whose order says nothing; and the last use of a room, which is told to the hour. */
function unordered(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  if ('stats' in answer && answer.stats !== null)
    return { stats: { ...(answer.stats as RoomStats), usedAt: 0 } };
  for (const name of ['requests', 'grants', 'joins'] as const) {
    if (!(name in answer)) continue;
    const list = (answer as Record<typeof name, readonly object[]>)[name];
    const key = (item: object) => JSON.stringify(item);
    return { ...answer, [name]: [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
  }
  return answer;
}

/** A hand-over ends all joins at once: which is told first says nothing. Everything else keeps its order. */
function settled(events: readonly RoomEvent[]): RoomEvent[] {
  const key = (event: RoomEvent) => (event.type === 'join' ? event.inviteId + event.joiner : '');
  const runs: RoomEvent[][] = [];
  for (const event of events) {
    const last = runs.at(-1);
    if (event.type === 'join' && last?.[0]?.type === 'join') last.push(event);
    else runs.push([event]);
  }
  return runs.flatMap((run) => run.sort((a, b) => (key(a) < key(b) ? -1 : 1)));
}

const usedAt = async (store: RoomStore) => (await store.roomStats(ROOM)).stats?.usedAt ?? 0;

const isOk = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true;

/** Commands that have succeeded in any run. */
const succeeded = new Set<string>();

const firstSeed = seedOfRun();
const seeds = [
  ...Array.from({ length: KNOWN }, (_, run) => run + 1),
  ...Array.from({ length: RANDOM }, (_, run) => (firstSeed + run) % 2 ** 31),
];

test.each(seeds)('SEED=%d', async (seed) => {
  const dice = new Dice(seed);
  let now = 1_800_000_000_000;
  await world.clear();
  const redis = await world.clocked(() => now);
  const sqlite = openSqliteStore({ path: ':memory:', now: () => now });
  const told: Record<'redis' | 'sqlite', RoomEvent[]> = { redis: [], sqlite: [] };
  await redis.subscribe(ROOM, (event) => told.redis.push(event));
  await sqlite.subscribe(ROOM, (event) => told.sqlite.push(event));
  let state: Pick<State, 'owner' | 'epoch' | 'head' | 'tip'> = {
    owner: OWNER,
    epoch: 1,
    head: bytes('head0'),
    tip: { g: 1, s: 0 },
  };
  let roster: readonly MemberId[] = [];
  const former = new Set<MemberId>();
  const history: string[] = [];

  for (let n = 0; n < STEPS; n++) {
    now += dice.of([0, 1, 500, 500, 3_600_000]);
    const start = dice.below(2 ** 31);
    // Both are made by the same dice, so that what a step decides while it runs is decided twice alike.
    const [name, ofRedis] = step({ ...state, now, roster, former, dice: new Dice(start) });
    const [, ofSqlite] = step({ ...state, now, roster, former, dice: new Dice(start) });
    history.push(name);
    const [got, expected] = [await ofRedis(redis), await ofSqlite(sqlite)];
    const trail = `step ${String(n)}: ${history.slice(-12).join(', ')}`;
    expect({ trail, answer: unordered(got) }).toEqual({ trail, answer: unordered(expected) });
    const [used, lastUse] = [await usedAt(redis), await usedAt(sqlite)];
    expect(Math.abs(used - lastUse)).toBeLessThan(3_600_000);
    for (const [part, answer] of Object.entries({ [name]: got, ...(got as object) })) {
      if (isOk(answer)) succeeded.add(part);
    }
    const seen = await sqlite.readRoom(ROOM, OWNER);
    expect({ trail, seen: await redis.readRoom(ROOM, OWNER) }).toEqual({ trail, seen });
    if (seen.ok) state = seen.room;
    else former.clear();
    const people = await sqlite.readPrekeys(ROOM);
    const present = people.ok ? people.prekeys.map(({ memberId }) => memberId) : [];
    for (const one of roster) if (people.ok && !present.includes(one)) former.add(one);
    roster = present;
    expect({ trail, told: settled(told.redis) }).toEqual({ trail, told: settled(told.sqlite) });
    told.redis.length = told.sqlite.length = 0;
  }
  await sqlite.close();
});

const MUST = [
  'acknowledge', 'addWraps', 'admit', 'append', 'claimInvite', 'dropJoin', 'leave', 'putAcceptance', 'putJoinConfirm',
  'putJoinReply', 'putJoinRequest', 'putKeyGrant', 'putNeedKey', 'putOffer', 'putPrekey', 'readLog', 'registerInvite',
  'remove', 'revokeInvite', 'rotate', 'settings', 'signal', 'transfer',
]; // prettier-ignore

test('the runs were about something', () => {
  expect(MUST.filter((name) => !succeeded.has(name))).toEqual([]);
});
