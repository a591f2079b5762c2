/**
 * The worker of chromium.ts: measures in the browser what crypto.ts measures on Node. Under the name `verify` it does but
 * one thing: it verifies by Themis, and says how long that took, each time that it is told to.
 */
import { browserHash, browserRandom, loadThemis, systemClock } from '@0fc/crypto/browser';
import { compareVerifiers, type Agreement } from './agreement.js';
import { measurePassphrase, type KdfRow } from './passphrase.js';
import { measureRotations, type Rotations } from './rotations.js';
import { longestSlice } from './slices.js';
import { measureVerification, signedMessages, verifyAll, type Verification } from './verification.js';

export interface Measured {
  readonly rotations: Rotations;
  readonly passphrase: readonly KdfRow[];
  readonly verification: Verification;
  readonly agreement: Agreement;
  /** milliseconds: the longest time that one rotation for 500 kept everything else from this thread */
  readonly slice: number;
}

export type Word =
  | { readonly measured: Measured }
  | { readonly ready: true }
  | { readonly verified: number }
  | { readonly error: string };

async function measure(): Promise<Measured> {
  const ports = { hash: browserHash, random: browserRandom, clock: systemClock };
  const now = (): number => performance.now();
  const verification = await measureVerification(ports);
  const agreement = await compareVerifiers(ports);
  const passphrase = await measurePassphrase(browserRandom, now);
  const slice = await longestSlice(ports);
  const rotations = await measureRotations(ports, now, () => undefined);
  return { verification, agreement, passphrase, slice, rotations };
}

const tell = (word: Word): void => postMessage(word);

async function begin(): Promise<void> {
  await loadThemis(new URL('/libthemis.wasm', location.origin).href);
  if (self.name !== 'verify') {
    tell({ measured: await measure() });
    return;
  }
  const signed = signedMessages({ random: browserRandom });
  onmessage = () => tell({ verified: verifyAll(signed) });
  tell({ ready: true });
}

begin().catch((error: unknown) => {
  tell({ error: String(error) });
});
