import { InjectionToken } from '@angular/core';

/**
 * The fingerprint of the relay key that the deployment names at this moment, 16 uppercase hex digits; null where
 * it names none. Nobody has proved it: good for showing beside the pinned one, and for nothing else (G13).
 */
export type ReadClaimedRelay = () => Promise<string | null>;

const HASH_BYTES = 8;

function bytesOf(base64Url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64Url.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (sign) => sign.charCodeAt(0));
}

async function readClaimedRelay(): Promise<string | null> {
  try {
    const response = await fetch('/config.json', { cache: 'no-store', credentials: 'omit' });
    if (!response.ok) return null;
    const config: unknown = await response.json();
    const key =
      typeof config === 'object' && config !== null && 'relayPublicKey' in config
        ? config.relayPublicKey
        : null;
    if (typeof key !== 'string') return null;
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(key)));
    const digits = [...hash.subarray(0, HASH_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
    return digits.join('').toUpperCase();
  } catch {
    // Offline, or not JSON: no key is known, and the page shows that.
    return null;
  }
}

export const READ_CLAIMED_RELAY = new InjectionToken<ReadClaimedRelay>('READ_CLAIMED_RELAY', {
  providedIn: 'root',
  factory: () => readClaimedRelay,
});
