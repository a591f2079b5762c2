import { InjectionToken } from '@angular/core';

/**
 * The hash that the served build says it has (docs/decisions/0011-one-hash-of-the-page.md); null where it says
 * none. Good for comparing two pages; that a page is what it says only `npm run verify:web` shows.
 */
export type ReadBuildHash = () => Promise<string | null>;

const HASH = /^[0-9a-f]{64}$/;

async function readBuildHash(): Promise<string | null> {
  try {
    const response = await fetch('/build.json', { cache: 'no-store', credentials: 'omit' });
    if (!response.ok) return null;
    const build: unknown = await response.json();
    const hash = typeof build === 'object' && build !== null && 'hash' in build ? build.hash : null;
    return typeof hash === 'string' && HASH.test(hash) ? hash : null;
  } catch {
    // Offline, or not JSON: no hash is known, and the page shows that.
    return null;
  }
}

export const READ_BUILD_HASH = new InjectionToken<ReadBuildHash>('READ_BUILD_HASH', {
  providedIn: 'root',
  factory: () => readBuildHash,
});
