/** A member without a screen, on Node: what the command line and the tests drive. */
import type { ClientApi } from '../contract/api.js';
import { forwardCommands } from '../contract/forward.js';
import type { ClientOptions, Platform } from '../contract/ports.js';
import { createClient } from '../client.js';
import { DEPLOYMENT_MS, deploymentAt, relayBase, relayKeyFromText } from '../link/relay-address.js';
import { loadThemis } from '@0fc/crypto/node';
import { createNodePlatform, type NodePlatformOptions } from './platform.js';

export interface NodeClientOptions extends NodePlatformOptions {
  /** Base URL of the relay, e.g. https://chat.example */
  readonly relayUrl: string;
  /** The relay's key to pin, base64url; without it the vault's, the invite's, or the deployment's counts. */
  readonly relayPublicKey?: string;
}

export interface NodeClient extends ClientApi {
  /** Locks the vault, closes the links and the folder's files. The client is of no use after it. */
  close(): Promise<void>;
}

/** What fetch reports where the other side has closed a connection that was kept for another request. */
const CLOSED: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** By the shape of the error and not by its class: those of Node's own cross realms. */
const codeOfCause = (error: unknown): unknown =>
  (error as { readonly cause?: { readonly code?: unknown } | null } | null)?.cause?.code;

function ask(url: string): Promise<Response> {
  const signal = AbortSignal.timeout(DEPLOYMENT_MS);
  const once = (): Promise<Response> => fetch(url, { redirect: 'error', signal });
  // Asked once more over a new connection, as browsers do: nothing has been answered.
  return once().catch((error: unknown) => {
    if (!CLOSED.has(codeOfCause(error))) throw error;
    return once();
  });
}

/**
 * Opens nothing yet: the vault waits for its passphrase. Rejects with BAD_KEY,
 * RELAY_UNREACHABLE (a URL that is none) and as createNodePlatform does.
 */
export async function createNodeClient(options: NodeClientOptions): Promise<NodeClient> {
  const relayUrl = relayBase(options.relayUrl);
  // A key is checked by Themis, which the platform loads.
  const { pooledRandom } = options;
  await loadThemis(pooledRandom === undefined ? {} : { pooledRandom });
  const relayPublicKey =
    options.relayPublicKey === undefined ? null : relayKeyFromText(options.relayPublicKey);
  return nodeClientOver(await createNodePlatform(options), {
    relayUrl,
    relayPublicKey,
    ...deploymentOf(relayUrl),
  });
}

/** What is asked of a deployment, by Node's fetch. `relayUrl`: as relayBase makes it. */
export const deploymentOf = (relayUrl: string) => deploymentAt(relayUrl, ask);

/** The same over a platform that the caller has opened, and that ends with the client. */
export async function nodeClientOver(platform: Platform, options: ClientOptions): Promise<NodeClient> {
  const client = await createClient(platform, options);
  const close = async (): Promise<void> => {
    await client.close();
    await platform.storage.close();
  };
  return { ...forwardCommands((work) => work(client)), close };
}
