/**
 * A part of a room (outbox, prekeys, owner): what it receives from its room, and the requests that it yields
 * (docs/glossary.md: part, lane, due). What sends a due request is here too: nothing else reaches the relay.
 */
import {
  ERROR_CODES,
  type Bytes,
  type ErrorCode,
  type ReplyBody,
  type RequestBody,
  type RequestKind,
} from '@0fc/protocol';
import type { Failure } from '../../contract/api.js';
import type { Platform } from '../../contract/ports.js';
import type { Connection } from '../../link/connection.js';
import type { RoomDraft } from '../state/draft.js';
import type { RoomState } from '../state/state.js';
import { ClientError } from '../../contract/errors.js';
import { verdictOn } from './refusals.js';

/**
 * What follows from a refusal that a retry cannot solve: `settled`: nothing is left to do. `again`: the part is asked
 * again after a delay. `waits`: the same, and the code is shown until then. `unexpected`: halts the room.
 */
export type RefusalOutcome = 'settled' | 'again' | 'waits' | 'unexpected';

export interface DueOf<K extends RequestKind> {
  readonly kind: K;
  readonly body: RequestBody<K>;
  /** Called with the reply. Rejects with a refusal that the reply contains. */
  done?(reply: ReplyBody<K>): Promise<void> | void;
  /** Called with the code of a refusal; left out: every refusal is unexpected. */
  refused?(code: ErrorCode): Promise<RefusalOutcome> | RefusalOutcome;
}

/** A due request as a value: what is sent, and what follows from the reply. */
export type Due = { [K in RequestKind]: DueOf<K> }[RequestKind];

/** Sends requests. */
export interface RequestPort {
  request<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<ReplyBody<K>>;
}

/** Nothing is due before this number of milliseconds has passed. */
export interface Later {
  readonly afterMs: number;
}

export interface Part {
  /** The next due request, stored first where it must not be lost; null: nothing before the next signal. */
  next(): Promise<Due | Later | null>;
}

/** The room as its parts see it. */
export interface RoomHandle {
  readonly state: RoomState;
  readonly platform: Platform;
  readonly connection: Connection;
  readonly relayKey: Bytes;
  /** true once the log has been read to its end and the feed follows */
  readonly live: boolean;
  /** the log lacks roster entries or rotations that this client holds, and they are being restored (section 6) */
  readonly restoring: boolean;
  /** Notifies the views. */
  changed(): void;
  /**
   * Runs `work` on a draft of the room, serialized, stores its changes in one atomic write, and notifies the views.
   * Rejects as `work` does, without a change; a vault that cannot be written halts the room.
   */
  write<T>(work: (draft: RoomDraft) => Promise<T> | T): Promise<T>;
  /** Something may be due to be sent. */
  signal(): void;
  /** Resolves once what is due of a part has been sent, or waits for the relay. */
  attempt(part: Part): Promise<void>;
  /** Reads the log again from the last read position. */
  catchUp(): void;
  /**
   * Stops the link and shows the failure. It restarts by itself after a delay, unless the code needs an act of the
   * user (room.ts).
   */
  halt(failure: Failure): void;
}

/** Rejects with the refusal. */
export async function send<K extends RequestKind>(link: RequestPort, due: DueOf<K>): Promise<void> {
  const reply = await link.request(due.kind, due.body);
  await due.done?.(reply);
}

/** Sends requests one after the other, while their refusals are settled. Rejects with the first refusal that is not. */
export async function sendInTurn(link: RequestPort, dues: AsyncIterable<Due>): Promise<void> {
  for await (const due of dues) {
    try {
      await send(link, due);
    } catch (error) {
      const { code } = ClientError.from(error);
      const verdict = verdictOn(code);
      const settled =
        verdict !== 'offline' && verdict !== 'retry' && (await due.refused?.(code)) === 'settled';
      if (!settled) throw error;
    }
  }
}

/** Sends a request that is useless later: once, without a retry. Resolves with whether the relay has accepted it. */
export async function sendOnce(link: RequestPort, due: Due): Promise<boolean> {
  try {
    await send(link, due);
    return true;
  } catch (error) {
    // RELAY_LIED is never ignored.
    if (!(error instanceof ClientError) || error.code === ERROR_CODES.RELAY_LIED) throw error;
    return false;
  }
}
