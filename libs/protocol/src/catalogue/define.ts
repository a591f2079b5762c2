/** Types of the catalogue's rows. */
import type { ErrorCode } from '../errors.js';
import type { Schema } from '../schema.js';

/** Who a session's key is to a room (docs/protocol.md section 3). `departed`: leaving, removed. */
export const ROLES = ['stranger', 'joiner', 'member', 'owner', 'departed'] as const;
export type Role = (typeof ROLES)[number];

export interface RequestRow<I, O> {
  readonly direction: 'request';
  readonly body: Schema<I>;
  readonly reply: Schema<O>;
  /** who may send it; anybody else gets FORBIDDEN */
  readonly from: readonly Role[];
  /** true: names the room and binds the connection to it; the others need a bound connection */
  readonly binds: boolean;
  /** codes beyond those that any request may end in: {@link COMMON_ERRORS} */
  readonly errors: readonly ErrorCode[];
  readonly about: string;
}

export interface EventRow<B> {
  readonly direction: 'event';
  readonly body: Schema<B>;
  readonly to: readonly Role[];
  readonly about: string;
}

/** Keeps the literal types of a row; there is nothing to it at run time. */
export const request = <I, O>(row: Omit<RequestRow<I, O>, 'direction'>): RequestRow<I, O> => ({
  direction: 'request',
  ...row,
});
export const event = <B>(row: Omit<EventRow<B>, 'direction'>): EventRow<B> => ({
  direction: 'event',
  ...row,
});

export const COMMON_ERRORS: readonly ErrorCode[] = [
  'MALFORMED', 'UNKNOWN_KIND', 'UNSUPPORTED_VERSION', 'TOO_LARGE', 'FORBIDDEN', 'NOT_BOUND', 'ALREADY_BOUND', 'ROOM_UNKNOWN', 'ROOM_CLOSED',
  'RATE_LIMITED', 'STORE_FULL', 'TRY_AGAIN', 'INTERNAL',
]; // prettier-ignore

export const MEMBERS: readonly Role[] = ['member', 'owner'];
export const OWNER: readonly Role[] = ['owner'];
