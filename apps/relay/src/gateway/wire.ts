/** What a connection needs of its socket, and of the log. */
import type { Bytes } from '@0fc/protocol';

export interface Wire {
  /** names the connection in the log and on the feed */
  readonly id: string;
  readonly address: string;
  /** One frame, in one part or two. */
  send(frame: Bytes, rest?: Bytes): void;
  /** whether all that was sent has left the process */
  idle(): boolean;
  /** Ends it in order; what was sent still goes out. */
  close(): void;
  /** Ends it at once. */
  destroy(): void;
  /** Reads nothing more for so many milliseconds. */
  hold(ms: number): void;
}

/** A child logger of one connection. Nothing that a peer chose goes into it but codes. */
export interface ConnectionLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
