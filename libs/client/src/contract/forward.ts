/**
 * Hands the commands of {@link ClientApi} on to a client, and nothing else: what stands before a
 * client (the worker of the page, the client of Node) names none of them by hand.
 */
import { ERROR_CODES } from '@0fc/protocol';
import type { ClientApi } from './api.js';
import { ClientError } from './errors.js';

/** Every command of the door: the compiler refuses this table where one is missing or unknown. */
export const COMMANDS = {
  subscribe: true,
  ratePassphrase: true,
  createVault: true,
  unlock: true,
  eraseVault: true,
  createRoom: true,
  repinRelay: true,
  dismissRelayChange: true,
  previewInvite: true,
  join: true,
  abandonJoin: true,
  watchRoom: true,
  markRead: true,
  loadEarlier: true,
  sendText: true,
  reply: true,
  react: true,
  confirmSend: true,
  discard: true,
  resend: true,
  editMessage: true,
  deleteMessage: true,
  typing: true,
  share: true,
  setDraft: true,
  renameMe: true,
  renameRoom: true,
  safetyNumber: true,
  setVerified: true,
  relaySees: true,
  createInvite: true,
  revokeInvite: true,
  decideJoin: true,
  rotateNow: true,
  removeMember: true,
  leaveRoom: true,
  offerOwnership: true,
  endOwnershipOffer: true,
  acceptOwnership: true,
  changeSettings: true,
  closeRoom: true,
  resumeRoom: true,
  wake: true,
  restoreRoom: true,
  forgetRoom: true,
  exportVault: true,
  importVault: true,
  changePassphrase: true,
  lock: true,
} as const satisfies Readonly<Record<keyof ClientApi, true>>;

const isCommand = (name: PropertyKey): name is keyof ClientApi => Object.hasOwn(COMMANDS, name);

type Call = (...args: readonly unknown[]) => unknown;

/** A function with nothing to be read off it. */
const bare = (call: Call): Call => new Proxy(call, { get: () => undefined });

/**
 * A function that can be called, also by its `apply`, which is how comlink calls it. No other property can be
 * read: comlink follows any path that the page names, and `sendText.constructor` is the constructor of functions.
 */
function callable(call: Call): Call {
  const apply = bare((_self, args) => call(...(args as readonly unknown[])));
  return new Proxy(call, { get: (_, name) => (name === 'apply' ? apply : undefined) });
}

/**
 * A door with exactly the commands of {@link ClientApi}. `within` runs each of them with the client, e.g. once
 * that has started. Reading any other name throws ClientError UNKNOWN_KIND; nothing is inherited and nothing can be
 * written. `then` and symbols are absent without an error: whoever awaits or prints the door asks for them.
 */
export function forwardCommands(within: (work: (api: ClientApi) => unknown) => unknown): ClientApi {
  const commands: object = { __proto__: null, ...COMMANDS };
  return new Proxy(commands as ClientApi, {
    get: (_, name) => {
      if (isCommand(name)) {
        return callable((...args) =>
          within((api): unknown => Reflect.apply(Reflect.get(api, name) as Call, api, args)),
        );
      }
      if (name === 'then' || typeof name === 'symbol') return undefined;
      throw new ClientError(ERROR_CODES.UNKNOWN_KIND);
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    setPrototypeOf: () => false,
  });
}
