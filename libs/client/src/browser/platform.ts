/** What a client needs of its platform, in a worker of a browser. */
import { browserHash, browserRandom, loadThemis, systemClock } from '@0fc/crypto/browser';
import { passphrasesOf } from '@0fc/crypto/keys';
import { ERROR_CODES } from '@0fc/protocol';
import { io } from 'socket.io-client';
import { ClientError } from '../contract/errors.js';
import { socketIoPort } from '../link/socket-io.js';
import type { Platform, Timers } from '../contract/ports.js';
import { WebLock } from './lock.js';
import { IndexedDbStorage } from './storage.js';

export interface BrowserPlatformOptions {
  /** Absolute URL of `libthemis.wasm`, of this origin. */
  readonly themisWasmUrl: string;
}

const browserTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Loads Themis. Rejects with VAULT_UNAVAILABLE where the browser offers no storage or no locks. */
export async function createBrowserPlatform(options: BrowserPlatformOptions): Promise<Platform> {
  // Both are absent outside a secure context: a page of a plain http address that is not localhost.
  if (!('locks' in navigator) || !('indexedDB' in globalThis)) {
    throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE);
  }
  await loadThemis(options.themisWasmUrl);
  return {
    crypto: { hash: browserHash, random: browserRandom, clock: systemClock },
    passphrases: passphrasesOf(browserRandom),
    timers: browserTimers,
    socket: socketIoPort(io),
    storage: new IndexedDbStorage(),
    lock: new WebLock(navigator.locks),
  };
}
