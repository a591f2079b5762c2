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
  markRead: async (roomId, tell) => (await starting).markRead(roomId, tell),
  loadEarlier: async (roomId) => (await starting).loadEarlier(roomId),
  sendText: async (roomId, text) => (await starting).sendText(roomId, text),
  reply: async (roomId, to, text) => (await starting).reply(roomId, to, text),
  react: async (roomId, to, emoji, on) => (await starting).react(roomId, to, emoji, on),
  confirmSend: async (roomId, message) => (await starting).confirmSend(roomId, message),
  discard: async (roomId, message) => (await starting).discard(roomId, message),
  sendAgain: async (roomId, message) => (await starting).sendAgain(roomId, message),
  editMessage: async (roomId, message, text) => (await starting).editMessage(roomId, message, text),
  deleteMessage: async (roomId, message) => (await starting).deleteMessage(roomId, message),
  typing: async (roomId) => (await starting).typing(roomId),
  setDraft: async (roomId, text) => (await starting).setDraft(roomId, text),
  renameMe: async (roomId, name) => (await starting).renameMe(roomId, name),
  renameRoom: async (roomId, name) => (await starting).renameRoom(roomId, name),
  safetyNumber: async (roomId, memberOrInvite) => (await starting).safetyNumber(roomId, memberOrInvite),
  setVerified: async (roomId, memberId, verified) => (await starting).setVerified(roomId, memberId, verified),
  relaySees: async (roomId, limit) => (await starting).relaySees(roomId, limit),
  createInvite: async (roomId, lifetimeMs) => (await starting).createInvite(roomId, lifetimeMs),
  revokeInvite: async (roomId, inviteId) => (await starting).revokeInvite(roomId, inviteId),
  decideJoin: async (roomId, inviteId, admit) => (await starting).decideJoin(roomId, inviteId, admit),
  rotateNow: async (roomId) => (await starting).rotateNow(roomId),
  removeMember: async (roomId, memberId) => (await starting).removeMember(roomId, memberId),
  leaveRoom: async (roomId) => (await starting).leaveRoom(roomId),
  offerRoom: async (roomId, memberId) => (await starting).offerRoom(roomId, memberId),
  endOffer: async (roomId) => (await starting).endOffer(roomId),
  acceptRoom: async (roomId) => (await starting).acceptRoom(roomId),
  changeSettings: async (roomId, settings) => (await starting).changeSettings(roomId, settings),
  closeRoom: async (roomId) => (await starting).closeRoom(roomId),
  resumeRoom: async (roomId) => (await starting).resumeRoom(roomId),
  restoreRoom: async (roomId) => (await starting).restoreRoom(roomId),
  forgetRoom: async (roomId, unconfirmed) => (await starting).forgetRoom(roomId, unconfirmed),
  exportVault: async (passphrase, take) => (await starting).exportVault(passphrase, take),
  importVault: async (file, filePassphrase, passphrase) =>
    (await starting).importVault(file, filePassphrase, passphrase),
  changePassphrase: async (current, next) => (await starting).changePassphrase(current, next),
  lock: async () => (await starting).lock(),
};

expose(api);
