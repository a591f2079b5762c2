/** The client in a browser: made in a worker, which is the only place that holds keys. */
import type { ClientApi } from '../contract/api.js';
import { createClient } from '../client.js';
import {
  relayBase,
  relayKeyFromText,
  relayKeyOfDeployment,
  relayTimeOf,
  shortText,
} from '../link/relay-address.js';
import { createBrowserPlatform, type BrowserPlatformOptions } from './platform.js';

export interface BrowserClientOptions extends BrowserPlatformOptions {
  /** Base URL of the relay; a relative one counts from this worker's origin. */
  readonly relayUrl: string;
  /** The key compiled into this build, base64url; without it the vault's, the invite's, or the deployment's counts. */
  readonly relayPublicKey?: string;
}

const CONFIG_TIMEOUT_MS = 10_000;

async function read(url: string): Promise<Response> {
  const response = await fetch(url, {
    // An old answer of a cache could name a key that the deployment no longer has.
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(CONFIG_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response;
}

const readText = async (url: string): Promise<string> => shortText((await read(url)).body);
const readDate = async (url: string): Promise<string | null> => {
  const { headers, body } = await read(url);
  // Of the body nothing is read: who serves it may do so without end.
  await body?.cancel();
  return headers.get('date');
};

/**
 * Opens nothing yet: the vault waits for its passphrase. Rejects with BAD_KEY,
 * RELAY_UNREACHABLE (a URL that is none) and as createBrowserPlatform does.
 */
export async function createBrowserClient(options: BrowserClientOptions): Promise<ClientApi> {
  const relayUrl = relayBase(options.relayUrl, location.origin);
  const relayPublicKey =
    options.relayPublicKey === undefined ? null : relayKeyFromText(options.relayPublicKey);
  const platform = await createBrowserPlatform(options);
  return createClient(platform, {
    relayUrl,
    relayPublicKey,
    fetchRelayKey: () => relayKeyOfDeployment(relayUrl, readText),
    fetchRelayTime: () => relayTimeOf(relayUrl, readDate),
  });
}
