/** Whether the relay at an address has a key: one handshake under a key pair of the moment, and nothing asked of it. */
import { generateKeyPair } from '@0fc/crypto/link';
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { Platform } from '../contract/ports.js';
import { HELLO_TIMEOUT_MS, LinkSession } from './link-session.js';

export interface ProveOptions {
  readonly platform: Pick<Platform, 'crypto' | 'timers' | 'socket'>;
  readonly url: string;
  readonly relayKey: Bytes;
}

/** Resolves once the relay has proved it. Rejects with the code that the attempt ended in. */
export function proveRelayKey({ platform, url, relayKey }: ProveOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = new LinkSession({
      url,
      relayKey,
      identity: generateKeyPair(),
      platform,
      openMs: HELLO_TIMEOUT_MS,
      timeoutFactor: 1,
      enqueue: (call) => {
        call();
      },
      onHello: () => {
        resolve();
        session.end(ERROR_CODES.OFFLINE);
      },
      // A draining replica has proved its key all the same.
      onClosing: () => {
        resolve();
        session.end(ERROR_CODES.OFFLINE);
      },
      onEvent: () => undefined,
      onAnswer: () => undefined,
      onEnd: ({ code }) => {
        reject(new ClientError(code));
      },
    });
    session.begin();
  });
}
