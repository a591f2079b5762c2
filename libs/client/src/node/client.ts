/** A member without a screen, on Node: what the command line and the tests drive. */
import type { ClientApi } from '../contract/api.js';
import { forwardCommands } from '../contract/forward.js';
import { createClient } from '../client.js';
import {
  relayBase,
  relayKeyFromText,
  relayKeyOfDeployment,
  relayTimeOf,
  shortText,
} from '../link/relay-address.js';
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

const CONFIG_TIMEOUT_MS = 10_000;

/** What fetch reports where the other side has closed a connection that was kept for another request. */
const CLOSED: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** By the shape of the error and not by its class: those of Node's own cross realms. */
const codeOfCause = (error: unknown): unknown =>
  (error as { readonly cause?: { readonly code?: unknown } | null } | null)?.cause?.code;

async function read(url: string): Promise<Response> {
  const signal = AbortSignal.timeout(CONFIG_TIMEOUT_MS);
  const ask = (): Promise<Response> => fetch(url, { redirect: 'error', signal });
  // Asked once more over a new connection, as browsers do: nothing has been answered.
  const response = await ask().catch((error: unknown) => {
    if (!CLOSED.has(codeOfCause(error))) throw error;
    return ask();
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
 * RELAY_UNREACHABLE (a URL that is none) and as createNodePlatform does.
 */
export async function createNodeClient(options: NodeClientOptions): Promise<NodeClient> {
  const relayUrl = relayBase(options.relayUrl);
  const relayPublicKey =
    options.relayPublicKey === undefined ? null : relayKeyFromText(options.relayPublicKey);
  const platform = await createNodePlatform(options);
  const client = await createClient(platform, {
    relayUrl,
    relayPublicKey,
    fetchRelayKey: () => relayKeyOfDeployment(relayUrl, readText),
    fetchRelayTime: () => relayTimeOf(relayUrl, readDate),
  });
  const close = async (): Promise<void> => {
    await client.close();
    await platform.storage.close();
  };
  return { ...forwardCommands((work) => work(client)), close };
}
