/** A room of made-up bytes, for what every store does: names, and the commands that tests use most. */
import {
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

/** `now` is the store's clock. */
export function contractRoom(store: () => RoomStore, now: () => number) {
  const create = (over: { readonly restored?: boolean } = {}) =>
    store().createRoom({
      roomId: ROOM,
      genesis: bytes('genesis', 100),
      head: bytes('head0'),
      owner: OWNER,
      history: 1_000,
      restored: false,
      ...over,
    });
  const read = async (member: MemberId, after: Position | null, maxEntries = 100): Promise<LogPage> => {
    const verdict = await store().readLog({
      roomId: ROOM, memberId: member, after, maxEntries, maxBytes: 100_000, maxGenerations: 3,
    }); // prettier-ignore
    if (!verdict.ok) throw new Error(verdict.code);
    return verdict.page;
  };
  const readAll = async (member: MemberId, after: Position | null) => {
    const page = await read(member, after);
    if (page.role === 'departed') throw new Error('departed');
    return page;
  };
  const append = (sender: MemberId, ...messages: AppendMessage[]) =>
    store().append({ roomId: ROOM, sender, messages, rate: RATE });
  const facts = async () => {
    const verdict = await store().readRoom(ROOM, OWNER);
    if (!verdict.ok) throw new Error(verdict.code);
    return verdict.room;
  };
  const role = async (member: MemberId) => {
    const verdict = await store().readRoom(ROOM, member);
    return verdict.ok ? verdict.role : verdict.code;
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
  const join = async (member: MemberId, inviteId = INVITE) => {
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
    return entry(`admit ${member}`, { kind: 'admit', member, key: bytes(member, 45), inviteId });
  };
  const listen = async () => {
    const events: RoomEvent[] = [];
    const subscription = await store().subscribe(ROOM, (event) => events.push(event));
    return { events, ...subscription };
  };

  return { create, read, readAll, append, facts, role, invite, claim, entry, join, listen };
}
