/** A member without a screen, on Node: what the command line and the tests drive. */
import type { ClientApi } from '../contract/api.js';
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

async function read(url: string): Promise<Response> {
  const signal = AbortSignal.timeout(CONFIG_TIMEOUT_MS);
  const response = await fetch(url, { redirect: 'error', signal });
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
    markRead: (roomId, tell) => client.markRead(roomId, tell),
    loadEarlier: (roomId) => client.loadEarlier(roomId),
    sendText: (roomId, text) => client.sendText(roomId, text),
    reply: (roomId, to, text) => client.reply(roomId, to, text),
    react: (roomId, to, emoji, on) => client.react(roomId, to, emoji, on),
    confirmSend: (roomId, message) => client.confirmSend(roomId, message),
    discard: (roomId, message) => client.discard(roomId, message),
    sendAgain: (roomId, message) => client.sendAgain(roomId, message),
    editMessage: (roomId, message, text) => client.editMessage(roomId, message, text),
    deleteMessage: (roomId, message) => client.deleteMessage(roomId, message),
    typing: (roomId) => client.typing(roomId),
    setDraft: (roomId, text) => client.setDraft(roomId, text),
    renameMe: (roomId, name) => client.renameMe(roomId, name),
    renameRoom: (roomId, name) => client.renameRoom(roomId, name),
    safetyNumber: (roomId, memberOrInvite) => client.safetyNumber(roomId, memberOrInvite),
    setVerified: (roomId, memberId, verified) => client.setVerified(roomId, memberId, verified),
    relaySees: (roomId, limit) => client.relaySees(roomId, limit),
    createInvite: (roomId, lifetimeMs) => client.createInvite(roomId, lifetimeMs),
    revokeInvite: (roomId, inviteId) => client.revokeInvite(roomId, inviteId),
    decideJoin: (roomId, inviteId, admit) => client.decideJoin(roomId, inviteId, admit),
    rotateNow: (roomId) => client.rotateNow(roomId),
    removeMember: (roomId, memberId) => client.removeMember(roomId, memberId),
    leaveRoom: (roomId) => client.leaveRoom(roomId),
    offerRoom: (roomId, memberId) => client.offerRoom(roomId, memberId),
    endOffer: (roomId) => client.endOffer(roomId),
    acceptRoom: (roomId) => client.acceptRoom(roomId),
    changeSettings: (roomId, settings) => client.changeSettings(roomId, settings),
    closeRoom: (roomId) => client.closeRoom(roomId),
    resumeRoom: (roomId) => client.resumeRoom(roomId),
    restoreRoom: (roomId) => client.restoreRoom(roomId),
    forgetRoom: (roomId, unconfirmed) => client.forgetRoom(roomId, unconfirmed),
    exportVault: (passphrase, take) => client.exportVault(passphrase, take),
    importVault: (file, filePassphrase, passphrase) => client.importVault(file, filePassphrase, passphrase),
    changePassphrase: (current, next) => client.changePassphrase(current, next),
    lock: () => client.lock(),
    async close() {
      await client.close();
      await platform.storage.close();
    },
  };
}
