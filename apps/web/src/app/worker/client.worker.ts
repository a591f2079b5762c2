/**
 * Hosts the client: the only script of this app that holds keys (docs/protocol.md section 9).
 * The page ends this worker to lock, which takes every key out of memory.
 */
import type { ClientApi } from '@0fc/client/api';
import { createBrowserClient } from '@0fc/client/browser';
import { expose } from 'comlink';

const starting: Promise<ClientApi> = createBrowserClient({
  themisWasmUrl: new URL('/libthemis.wasm', location.origin).href,
  relayUrl: location.origin,
  ...(RELAY_PUBLIC_KEY === '' ? {} : { relayPublicKey: RELAY_PUBLIC_KEY }),
});

// Exposed at once, so that no call of the page is lost while the client starts.
const api: ClientApi = {
  subscribe: async (listener) => (await starting).subscribe(listener),
  createVault: async (passphrase) => (await starting).createVault(passphrase),
  unlock: async (passphrase) => (await starting).unlock(passphrase),
  eraseVault: async () => (await starting).eraseVault(),
  createRoom: async (options) => (await starting).createRoom(options),
  previewInvite: async (text) => (await starting).previewInvite(text),
  join: async (text, displayName) => (await starting).join(text, displayName),
  abandonJoin: async (roomId) => (await starting).abandonJoin(roomId),
  watchRoom: async (roomId) => (await starting).watchRoom(roomId),
  markRead: async (roomId) => (await starting).markRead(roomId),
  sendText: async (roomId, text) => (await starting).sendText(roomId, text),
  createInvite: async (roomId, lifetimeMs) => (await starting).createInvite(roomId, lifetimeMs),
  revokeInvite: async (roomId, inviteId) => (await starting).revokeInvite(roomId, inviteId),
  decideJoin: async (roomId, inviteId, admit) => (await starting).decideJoin(roomId, inviteId, admit),
  rotateNow: async (roomId) => (await starting).rotateNow(roomId),
};

expose(api);
