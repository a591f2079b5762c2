/**
 * The globals that shared code may use: pure computation that Node and every browser have alike.
 *
 * Absent on purpose, because shared code takes them through ports: timers and Date-driven clocks,
 * `crypto`, `fetch`, WebSocket, storage, `console`, `process`. The platform doors (src/node,
 * src/browser) compile against the full Node or DOM types instead of this file.
 */

declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}

declare class URL {
  constructor(url: string, base?: string | URL);
  static canParse(url: string, base?: string | URL): boolean;
  hash: string;
  host: string;
  hostname: string;
  href: string;
  readonly origin: string;
  password: string;
  pathname: string;
  port: string;
  protocol: string;
  search: string;
  username: string;
  toString(): string;
}

declare function structuredClone<T>(value: T): T;

declare function queueMicrotask(callback: () => void): void;

interface MessagePort {
  onmessage: ((event: { readonly data: unknown }) => unknown) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** For a turn of one's own thread (libs/crypto/src/turns.ts): nothing is reached by it. */
declare class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}
