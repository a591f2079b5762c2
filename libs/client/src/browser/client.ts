/** The client in a browser: made in a worker, which is the only place that holds keys. */
import type { ClientApi } from '../contract/api.js';
import { createClient } from '../client.js';
import { DEPLOYMENT_MS, deploymentAt, relayBase, relayKeyFromText } from '../link/relay-address.js';
import { createBrowserPlatform, type BrowserPlatformOptions } from './platform.js';

export interface BrowserClientOptions extends BrowserPlatformOptions {
  /** Base URL of the relay; a relative one counts from this worker's origin. */
  readonly relayUrl: string;
  /** The key compiled into this build, base64url; without it the vault's, the invite's, or the deployment's counts. */
  readonly relayPublicKey?: string;
}

const ask = (url: string): Promise<Response> =>
  fetch(url, {
    // An old answer of a cache could name a key that the deployment no longer has.
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(DEPLOYMENT_MS),
  });

/**
 * Opens nothing yet: the vault waits for its passphrase. Rejects with BAD_KEY,
 * RELAY_UNREACHABLE (a URL that is none) and as createBrowserPlatform does.
 */
export async function createBrowserClient(options: BrowserClientOptions): Promise<ClientApi> {
  const relayUrl = relayBase(options.relayUrl, location.origin);
  // Before the key, which Themis checks: the platform loads it.
  const platform = await createBrowserPlatform(options);
  const relayPublicKey =
    options.relayPublicKey === undefined ? null : relayKeyFromText(options.relayPublicKey);
  return createClient(platform, {
    relayUrl,
    relayPublicKey,
    ...deploymentAt(relayUrl, ask),
  });
}
