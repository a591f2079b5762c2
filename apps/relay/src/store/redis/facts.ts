/** Answers that several commands share. */
import type { Bytes, ErrorCode, JoinState, MemberId, RoomId } from '@0fc/protocol';
import type { LogPlacement, RoomFacts } from '../../rooms/port/room-store.js';
import type { StoredJoin } from '../../rooms/port/store-invites.js';
import type { Result } from '../../rooms/port/result.js';
import { resultOf, type Item, type Reply } from './scripts/reply.js';

/** Success without anything more, or the refusal. */
export function plain<C extends ErrorCode = never>(answer: Item): Result<object, C> {
  const result = resultOf<C | 'ROOM_UNKNOWN' | 'ROOM_CLOSED'>(answer);
  return result.ok ? { ok: true } : result;
}

/** Success with what the rest of the answer says, or the refusal. */
export function withRest<T extends object, C extends ErrorCode = never>(
  answer: Item,
  read: (reply: Reply) => T,
): Result<T, C> {
  const result = resultOf<C | 'ROOM_UNKNOWN' | 'ROOM_CLOSED'>(answer);
  return result.ok ? { ok: true, ...read(result.reply) } : result;
}

export const placed = (reply: Reply): { readonly placed: LogPlacement } => ({ placed: reply.placement() });

export function factsOf(reply: Reply, roomId: RoomId): RoomFacts {
  return {
    roomId,
    version: reply.number(),
    owner: reply.id(),
    epoch: reply.number(),
    epochStart: reply.position(),
    epochMessages: reply.number(),
    head: reply.bytes(),
    length: reply.number(),
    tip: reply.position(),
    trimmed: reply.position(),
    trimmedT: reply.bytesOrNull(),
    closed: reply.number() !== 0,
  };
}

export function stateOf(reply: Reply): JoinState {
  const stage = reply.text() as JoinState['stage'];
  const reason = reply.text() as NonNullable<JoinState['reason']> | '';
  const epoch = reply.number();
  const payload = reply.bytesOrNull();
  return {
    stage,
    ...(reason === '' ? {} : { reason }),
    ...(payload === null ? {} : { reply: { epoch, payload } }),
  };
}

export function joinOf(reply: Reply): StoredJoin {
  const inviteId = reply.id();
  const joiner = reply.id();
  const joinerKey = reply.bytes();
  const state = stateOf(reply.list());
  const request = reply.bytesOrNull();
  const payload = reply.bytesOrNull();
  const [epoch, time] = [reply.number(), reply.number()];
  return {
    inviteId,
    joiner,
    joinerKey,
    state,
    request,
    confirm: payload === null ? null : { epoch, payload, time },
  };
}

/** Member and wrap by turns. */
export const wrapArguments = (wraps: ReadonlyMap<MemberId, Bytes>): (string | Bytes)[] => [...wraps].flat();
