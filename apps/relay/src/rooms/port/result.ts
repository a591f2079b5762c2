/** How commands of the store end, and how a request that they refuse is answered. */
import type { ErrorCode, ErrorParams } from '@0fc/protocol';

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

/** Why what names `epoch` is refused in a room that has another. */
export const otherEpoch = (epoch: number, current: number): 'STALE_EPOCH' | 'EPOCH_AHEAD' =>
  epoch < current ? 'STALE_EPOCH' : 'EPOCH_AHEAD';

/** The store itself could not: STORE_FULL, or TRY_AGAIN for what may pass. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: 'STORE_FULL' | 'TRY_AGAIN';

  constructor(code: 'STORE_FULL' | 'TRY_AGAIN', cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/** A request that is refused with a typed error; nothing in it but the code and numbers (G15). */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly params: ErrorParams;

  constructor(code: ErrorCode, params: ErrorParams = {}) {
    super(code);
    this.code = code;
    this.params = params;
  }
}

/** What a command answered; its refusal is thrown. */
export function unwrap<T, C extends ErrorCode>(result: Result<T, C>): { readonly ok: true } & T {
  if (result.ok) return result;
  const { code, retryMs } = result;
  throw new Refusal(code, retryMs === undefined ? {} : { retryMs });
}
