/** How commands of the store end. */
import type { ErrorCode } from '@0fc/protocol';

/** Something that the room's state forbids. */
export interface Refused<C extends ErrorCode> {
  readonly ok: false;
  readonly code: C;
  /** with RATE_LIMITED: when to try again */
  readonly retryMs?: number;
}
export type Result<T, C extends ErrorCode = never> =
  ({ readonly ok: true } & T) | Refused<C | 'ROOM_UNKNOWN' | 'ROOM_CLOSED'>;

export const refuse = <C extends ErrorCode>(code: C, retryMs?: number): Refused<C> => ({
  ok: false,
  code,
  ...(retryMs === undefined ? {} : { retryMs }),
});

/** The store itself could not: STORE_FULL, or TRY_AGAIN for what may pass. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: 'STORE_FULL' | 'TRY_AGAIN';

  constructor(code: 'STORE_FULL' | 'TRY_AGAIN', cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}
