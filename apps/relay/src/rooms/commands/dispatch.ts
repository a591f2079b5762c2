/**
 * From a request's name to its reply, as the catalogue has it: shape, room, sender's role,
 * handler, shape of the answer. Every request ends in a reply or a typed error.
 */
import {
  COMMON_ERRORS, parse, ProtocolError, requestRow, type ErrorCode, type RequestKind, type RequestRow,
  type RoomId, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError } from '@0fc/crypto/verify';
import type { Answer, Handler, RelayContext } from './context.js';
import type { Peer } from '../delivery/peer.js';
import { HANDLERS } from './handlers.js';
import { assertVersion } from './rooms.js';
import { unwrap, Refusal, StoreError } from '../port/result.js';

export type RequestMessage = Extract<SessionMessage, { readonly q: number }>;
type ReplyMessage = Extract<SessionMessage, { readonly r: number }>;

export interface Dispatched {
  readonly reply: ReplyMessage;
  readonly after?: () => void;
  /** for the log; null for a reply */
  readonly refused: ErrorCode | null;
  /** what broke, where something did */
  readonly fault?: unknown;
}

type AnyHandler = Handler<RequestKind>;
/** Validated; which request's it is only its handler knows. */
type AnyBody = Readonly<Record<string, unknown>>;

export async function dispatch(
  context: RelayContext,
  peer: Peer,
  message: RequestMessage,
): Promise<Dispatched> {
  const row = requestRow(message.kind);
  try {
    if (row === null) throw new Refusal('UNKNOWN_KIND');
    const body = parse(row.body, message.body);
    const kind = message.kind as RequestKind;
    const handler = HANDLERS[kind] as unknown as AnyHandler;
    const answer = await concealUnknownRoom(context, peer, kind, body as AnyBody, () =>
      authorizeAndHandle(context, peer, row, handler, body as AnyBody),
    );
    return {
      reply: { r: message.q, body: answer.reply as Record<string, unknown> },
      refused: null,
      ...(answer.after === undefined ? {} : { after: answer.after }),
    };
  } catch (error) {
    const { code, params, fault } = refusalOf(error);
    const answered = declaredCode(row, code);
    const some = Object.keys(params).length > 0 ? { params: { ...params } } : {};
    return {
      reply: { r: message.q, error: { code: answered, ...some } },
      refused: answered,
      ...(fault === undefined ? {} : { fault }),
    };
  }
}

async function authorizeAndHandle(
  context: RelayContext,
  peer: Peer,
  row: RequestRow<unknown, unknown>,
  handler: AnyHandler,
  body: AnyBody,
): Promise<Answer<unknown>> {
  if (handler.authorizedBy === 'store') return handler.handle(context, peer, body);
  const roomId = roomOf(peer, row, body);
  const { room, role } = unwrap(await context.store.readRoom(roomId, peer.memberId));
  assertVersion(room);
  if (!row.from.includes(role)) throw new Refusal('FORBIDDEN');
  return handler.handle({ context, peer, roomId, room, role }, body);
}

/** Codes that reveal that a room exists, and not only that the request is wrong. */
const REVEALING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FORBIDDEN', 'BAD_ENTRY', 'BAD_SIGNATURE', 'BAD_KEY', 'MALFORMED', 'UNKNOWN_KIND', 'UNSUPPORTED_VERSION',
]); // prettier-ignore

/**
 * A room that is closed, or that the sender has no part in, is answered like one that does not exist: with the same
 * code, whatever was asked (docs/protocol.md section 3).
 */
async function concealUnknownRoom<T>(
  { store }: RelayContext,
  peer: Peer,
  kind: RequestKind,
  body: AnyBody,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = refusalOf(error);
    const roomId = (body.roomId ?? peer.subscription?.roomId ?? null) as RoomId | null;
    const unknown = new Refusal(kind === 'claim' ? 'INVITE_UNKNOWN' : 'ROOM_UNKNOWN');
    if (code === 'ROOM_CLOSED' || code === 'ROOM_UNKNOWN') throw unknown;
    if (!REVEALING.has(code) || roomId === null) throw error;
    const found = await store.readRoom(roomId, peer.memberId);
    if (found.ok && found.role !== 'stranger') throw error;
    throw unknown;
  }
}

/** The room that the request names, or else the one that the connection is bound to. */
function roomOf(peer: Peer, row: RequestRow<unknown, unknown>, body: AnyBody): RoomId {
  const bound = peer.subscription?.roomId ?? null;
  if (!row.binds) {
    if (bound === null) throw new Refusal('NOT_BOUND');
    return bound;
  }
  const named = typeof body.roomId === 'string' ? (body.roomId as RoomId) : bound;
  if (named === null) throw new Refusal('NOT_BOUND');
  if (bound !== null && bound !== named) throw new Refusal('ALREADY_BOUND');
  return named;
}

interface RefusalDetails {
  readonly code: ErrorCode;
  readonly params: Readonly<Record<string, string | number>>;
  readonly fault?: unknown;
}

function refusalOf(error: unknown): RefusalDetails {
  if (error instanceof Refusal || error instanceof ProtocolError)
    return { code: error.code, params: error.params };
  if (error instanceof CryptoError) {
    return { code: error.code, params: {}, ...(error.code === 'INTERNAL' ? { fault: error } : {}) };
  }
  if (error instanceof StoreError) return { code: error.code, params: {}, fault: error };
  return { code: 'INTERNAL', params: {}, fault: error };
}

/** A client takes only codes that the catalogue has for a request: others say what is nearest. */
function declaredCode(row: RequestRow<unknown, unknown> | null, code: ErrorCode): ErrorCode {
  if (row === null) return code;
  if (COMMON_ERRORS.includes(code) || row.errors.includes(code)) return code;
  return row.errors.includes('BAD_ENTRY') ? 'BAD_ENTRY' : 'FORBIDDEN';
}
