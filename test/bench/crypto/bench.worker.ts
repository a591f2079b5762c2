/** The worker of chromium.ts: measures in the browser what crypto.ts measures on Node. */
import { browserHash, browserRandom, loadThemis, systemClock } from '@0fc/crypto/browser';
import { measurePassphrase, type KdfRow } from './passphrase.js';
import { measureRotations, type Rotations } from './rotations.js';

export interface Measured {
  readonly rotations: Rotations;
  readonly passphrase: readonly KdfRow[];
}

export type Word = { readonly measured: Measured } | { readonly error: string };

async function measure(): Promise<Measured> {
  await loadThemis(new URL('/libthemis.wasm', location.origin).href);
  const ports = { hash: browserHash, random: browserRandom, clock: systemClock };
  const now = (): number => performance.now();
  const passphrase = await measurePassphrase(browserRandom, now);
  return { passphrase, rotations: await measureRotations(ports, now, () => undefined) };
}

const tell = (word: Word): void => postMessage(word);
measure().then(
  (measured) => tell({ measured }),
  (error: unknown) => tell({ error: String(error) }),
);
