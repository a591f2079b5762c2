/** A room of made-up bytes, for what every store does: names, and the commands that tests use most. */
import { expect } from '@jest/globals';
import {
  PROTOCOL_VERSION,
  toBase64Url,
  type Bytes,
  type InviteId,
  type MemberId,
  type Position,
  type RoomId,
} from '@0fc/protocol';
import type {
  AppendMessage,
  AppendRoster,
  LogPage,
  RoomEvent,
  RoomStore,
  SettingsLimits,
  StoreRotation,
} from './room-store.js';

export const bytes = (seed: string, length = 32): Bytes =>
  Uint8Array.from({ length }, (_, at) => (seed.charCodeAt(at % seed.length) * 31 + at * 7) & 0xff);
export const id = (seed: string) => toBase64Url(bytes(seed, 16)) as RoomId & MemberId & InviteId;
export const ROOM = id('room');
export const OWNER = id('owner');
export const GUEST = id('guest');
export const THIRD = id('third');
export const INVITE = id('invite');
export const RATE = { perSecond: 10, burst: 100 };
export const DAY = 86_400_000;
/** A change of settings under a quota and a rate that no test of something else reaches. */
export const settingsTo = (history: number, limits: Partial<SettingsLimits> = {}) =>
  ({
    kind: 'settings',
    history,
    limits: { entries: 1_000, rate: { perSecond: 1, burst: 100 }, ...limits },
  }) as const;

export const message = (text: string, epoch = 1): AppendMessage => ({
  epoch,
  clear: bytes(`clear${String(epoch)}`, 4),
  payload: bytes(text, 40),
  id: bytes(`id of ${text}`),
});
export const rotation = (
  newEpoch: number,
  seed = 'r',
  members: readonly MemberId[] = [OWNER],
): StoreRotation => ({
  newEpoch,
  hash: bytes(`${seed}${String(newEpoch)}`),
  clear: bytes(`clear ${seed}`, 60),
  payload: bytes(`payload ${seed}`, 60),
  wraps: new Map(members.map((member) => [member, bytes(`wrap ${member}`, 50)])),
});

/** Bytes that no room of a test reaches. */
export const WIDE = 1_000_000_000;
export const many = (count: number, epoch = 1, seed = 'm'): AppendMessage[] =>
  Array.from({ length: count }, (_, n) => message(`${seed}${String(n)}`, epoch));

/** What a part of the contract works with. */
export interface StoreWorld {
  readonly store: () => RoomStore;
  /** the store's clock, Unix ms */
  readonly now: () => number;
  readonly pass: (ms: number) => void;
  /** false: nothing is kept, so there is nothing to start again */
  readonly restart: () => Promise<boolean>;
}

export function contractRoom({ store, now }: Pick<StoreWorld, 'store' | 'now'>) {
  const create = (over: { readonly restored?: boolean } = {}) =>
    store().createRoom({
      roomId: ROOM,
      version: PROTOCOL_VERSION,
      genesis: bytes('genesis', 100),
      head: bytes('head0'),
      owner: OWNER,
      history: 1_000,
      restored: false,
      ...over,
    });
  const read = async (member: MemberId, after: Position | null, maxEntries = 100): Promise<LogPage> => {
    const result = await store().readLog({
      roomId: ROOM, memberId: member, after, maxEntries, maxBytes: 100_000, maxGenerations: 3,
    }); // prettier-ignore
    if (!result.ok) throw new Error(result.code);
    return result.page;
  };
  const readAll = async (member: MemberId, after: Position | null) => {
    const page = await read(member, after);
    if (page.role === 'departed') throw new Error('departed');
    return page;
  };
  const append = (sender: MemberId, ...messages: AppendMessage[]) =>
    store().append({ roomId: ROOM, sender, messages, rate: RATE });
  const facts = async () => {
    const result = await store().readRoom(ROOM, OWNER);
    if (!result.ok) throw new Error(result.code);
    return result.room;
  };
  const role = async (member: MemberId) => {
    const result = await store().readRoom(ROOM, member);
    return result.ok ? result.role : result.code;
  };
  const invite = (inviteId = INVITE, expires = now() + DAY) =>
    store().registerInvite({ roomId: ROOM, inviteId, expires, maxOpen: 3 });
  const claim = (memberId: MemberId, inviteId = INVITE) =>
    store().claimInvite({ roomId: ROOM, inviteId, memberId, key: bytes(memberId, 45) });
  /** On the head and in the epoch of this moment. */
  const entry = async (seed: string, change: AppendRoster['change'], more: Partial<AppendRoster> = {}) => {
    const { head, epoch } = await facts();
    return store().appendRoster({
      roomId: ROOM,
      signer: OWNER,
      before: head,
      epoch,
      head: bytes(seed),
      container: bytes(`entry ${seed}`, 90),
      change,
      restored: false,
      ...more,
    });
  };
  /** A member with the whole of the join behind it. */
  const join = async (member: MemberId, inviteId = INVITE, firstPrekey?: Bytes) => {
    await invite(inviteId);
    await claim(member, inviteId);
    await store().putJoinRequest({ roomId: ROOM, inviteId, memberId: member, request: bytes('request') });
    const { epoch } = await facts();
    await store().putJoinReply({ roomId: ROOM, inviteId, epoch, payload: bytes('reply') });
    await store().putJoinConfirm({
      roomId: ROOM,
      inviteId,
      memberId: member,
      epoch,
      payload: bytes('confirm'),
    });
    return entry(`admit ${member}`, {
      kind: 'admit',
      member,
      key: bytes(member, 45),
      inviteId,
      ...(firstPrekey === undefined ? {} : { firstPrekey }),
    });
  };
  const listen = async () => {
    const events: RoomEvent[] = [];
    const subscription = await store().subscribe(ROOM, (event) => events.push(event));
    return { events, ...subscription };
  };

  const rotate = async (newEpoch: number, members: readonly MemberId[] = [OWNER]) => {
    const { head } = await facts();
    return store().rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(newEpoch, 'r', members) });
  };
  const ack = (memberId: MemberId, s: number, g = 1) => store().acknowledge(ROOM, memberId, { g, s });
  const trimmable = async (historyBytes = WIDE, maxEntries = 100, maxBytes = WIDE) => {
    const result = await store().readTrimmable({ roomId: ROOM, historyBytes, maxEntries, maxBytes });
    if (!result.ok) throw new Error(result.code);
    return result.trimmable;
  };
  const edge = async (historyBytes = WIDE) =>
    (await trimmable(historyBytes))?.entries.at(-1)?.position.s ?? null;
  /** What a replica does, with any bytes for the transcript. */
  const trim = async (historyBytes = WIDE): Promise<Position | null> => {
    const next = await trimmable(historyBytes);
    const to = next?.entries.at(-1)?.position;
    if (next === null || to === undefined) return null;
    expect(await store().trim({ roomId: ROOM, from: next.from, to, t: bytes(`t${String(to.s)}`) })).toEqual({
      ok: true,
      trimmed: true,
    });
    return to;
  };
  const stats = async () => (await store().roomStats(ROOM)).stats;
  const history = (entries: number) => entry(`history ${String(entries)}`, settingsTo(entries));

  return {
    create, read, readAll, append, facts, role, invite, claim, entry, join, listen,
    rotate, ack, trimmable, edge, trim, stats, history,
  }; // prettier-ignore
}
