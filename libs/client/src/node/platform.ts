/** What a client needs of its platform, on Node. */
import { passphrasesOf } from '@0fc/crypto/keys';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { io } from 'socket.io-client';
import { socketIoPort } from '../link/socket-io.js';
import type { Platform, Timers } from '../contract/ports.js';
import { FolderLock } from './lock.js';
import { FileStorage } from './storage.js';

export interface NodePlatformOptions {
  /** Where the vault lies: made when absent; `:memory:` for one that ends with the process. */
  readonly folder: string;
  /** Serve Themis's randomness from a pool: see loadThemis of `@0fc/crypto/node`. */
  readonly pooledRandom?: boolean;
}

const nodeTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Loads Themis and opens the folder. Rejects with VAULT_DAMAGED, VAULT_UNAVAILABLE, UNSUPPORTED_VERSION. */
export async function createNodePlatform(options: NodePlatformOptions): Promise<Platform> {
  const { folder, pooledRandom } = options;
  await loadThemis(pooledRandom === undefined ? {} : { pooledRandom });
  return {
    crypto: { hash: nodeHash, random: nodeRandom, clock: systemClock },
    passphrases: passphrasesOf(nodeRandom),
    timers: nodeTimers,
    socket: socketIoPort(io),
    storage: FileStorage.open(folder),
    lock: new FolderLock(folder),
  };
}
