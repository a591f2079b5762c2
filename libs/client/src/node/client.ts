/** A member without a screen, on Node: what the command line and the tests drive. */
import type { ClientApi } from '../api.js';
import { createClient } from '../client.js';
import { relayBase, relayKeyFromText, relayKeyOfDeployment } from '../link/relay-address.js';
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

async function readText(url: string): Promise<string> {
  const signal = AbortSignal.timeout(CONFIG_TIMEOUT_MS);
  const response = await fetch(url, { redirect: 'error', signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}

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
  });
  return {
    subscribe: (listener) => client.subscribe(listener),
    createVault: (passphrase) => client.createVault(passphrase),
    unlock: (passphrase) => client.unlock(passphrase),
    eraseVault: () => client.eraseVault(),
    createRoom: (room) => client.createRoom(room),
    previewInvite: (text) => client.previewInvite(text),
    join: (text, displayName) => client.join(text, displayName),
    abandonJoin: (roomId) => client.abandonJoin(roomId),
    watchRoom: (roomId) => client.watchRoom(roomId),
    markRead: (roomId) => client.markRead(roomId),
    sendText: (roomId, text) => client.sendText(roomId, text),
    createInvite: (roomId, lifetimeMs) => client.createInvite(roomId, lifetimeMs),
    revokeInvite: (roomId, inviteId) => client.revokeInvite(roomId, inviteId),
    decideJoin: (roomId, inviteId, admit) => client.decideJoin(roomId, inviteId, admit),
    rotateNow: (roomId) => client.rotateNow(roomId),
    async close() {
      await client.close();
      await platform.storage.close();
    },
  };
}
