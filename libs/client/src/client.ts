/**
 * The client: a vault, its rooms and joins, and the API {@link ClientApi} for the page or a command line. Typed
 * commands come in, typed events and state go out.
 */
import { ERROR_CODES, LIMITS } from '@0fc/protocol';
import {
  checkedName, checkedText, checkRange, checkSettings, limitedText, outcome,
} from './account/checks.js'; // prettier-ignore
import type {
  ClientApi, ClientEvent, CreateRoomOptions, CreatedInvite, InvitePreview, Outcome, PassphraseRating, RelayRepin, RelayRow, RoomSettingsView,
  SafetyNumberView, Sharing, TakePiece, VaultState,
} from './contract/api.js'; // prettier-ignore
import { ClientError } from './contract/errors.js';
import type { AccountOptions, ClientOptions, Platform } from './contract/ports.js';
import { checkedSharing, SHARED } from './account/sharing.js';
import { UnlockedAccount } from './account/unlocked-account.js';
import type { Owner } from './room/owner/owner.js';
import { SerialQueue } from './vault/serial-queue.js';
import type { Composer } from './room/member/composer.js';
import { ratePassphrase } from './vault/passphrase.js';
import { Vault } from './vault/vault.js';
import { importVault } from './account/vault-import.js';

const EMPTY_RELAY = {
  fingerprint: null, pinnedBy: null, state: 'connected', barred: null, followed: null,
} as const; // prettier-ignore

export class Client implements ClientApi {
  readonly #platform: Platform;
  readonly #options: AccountOptions;
  #listener: (event: ClientEvent) => void = () => undefined;
  #state: VaultState;
  readonly #overwrites: boolean;
  #account: UnlockedAccount | null = null;
  readonly #queue = new SerialQueue();
  /** before a vault was open */
  #chosen: Partial<Sharing> = {};
  /** Not made where a vault is opened, as nothing that outlives that is: it would keep the passphrase in memory. */
  readonly #emit = (event: ClientEvent | { readonly type: 'changed' }): void => {
    if (event.type === 'changed') this.#emitApp();
    else this.#listener(event);
  };

  constructor(platform: Platform, options: ClientOptions, state: VaultState, overwrites: boolean) {
    this.#platform = platform;
    this.#overwrites = overwrites;
    this.#options = { ...options, chosen: () => this.#chosen };
    this.#state = state;
  }

  subscribe(listener: (event: ClientEvent) => void): Promise<void> {
    this.#listener = listener;
    this.#emitApp();
    return Promise.resolve();
  }

  ratePassphrase(passphrase: string): Promise<Outcome<PassphraseRating>> {
    return outcome(() => ratePassphrase(passphrase));
  }

  createVault(passphrase: string): Promise<Outcome<void>> {
    return this.#open(() => Vault.create(this.#platform, passphrase));
  }

  unlock(passphrase: string): Promise<Outcome<void>> {
    return this.#open(() => Vault.unlock(this.#platform, passphrase));
  }

  eraseVault(): Promise<Outcome<void>> {
    return this.#inTurn(async () => {
      // Erased under the lock: no other tab can open the vault meanwhile.
      if (this.#account === null && !(await this.#platform.lock.acquire())) {
        throw new ClientError(ERROR_CODES.VAULT_ELSEWHERE);
      }
      try {
        await this.#closeAccount();
        await Vault.erase(this.#platform.storage);
        this.#state = 'absent';
      } finally {
        await this.#platform.lock.release();
        this.#emitApp();
      }
    });
  }

  createRoom(options: CreateRoomOptions): Promise<Outcome<{ readonly roomId: string }>> {
    return outcome(() => {
      const name = checkedName(options.name);
      const displayName = checkedName(options.displayName);
      checkRange(options.rotateEvery, LIMITS.rotateEvery);
      return this.#unlocked().createRoom({ ...options, name, displayName });
    });
  }

  repinRelay(fingerprint: string): Promise<Outcome<RelayRepin>> {
    return outcome(() => this.#unlocked().succession.repin(fingerprint));
  }

  dismissRelayChange(): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().succession.dismiss());
  }

  previewInvite(text: string): Promise<Outcome<InvitePreview>> {
    return outcome(() => this.#unlocked().previewInvite(text));
  }

  join(text: string, displayName: string): Promise<Outcome<{ readonly roomId: string }>> {
    return outcome(() => this.#unlocked().join(text, checkedName(displayName)));
  }

  abandonJoin(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().abandonJoin(roomId));
  }

  watchRoom(roomId: string | null): Promise<Outcome<void>> {
    return outcome(() => {
      this.#unlocked().watch(roomId);
    });
  }

  markRead(roomId: string, tell: boolean): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().markRead(roomId, tell));
  }

  loadEarlier(roomId: string): Promise<Outcome<void>> {
    return outcome(() => {
      this.#unlocked().loadEarlier(roomId);
    });
  }

  sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    return outcome(() => this.#composer(roomId).sendText(checkedText(text)));
  }

  reply(roomId: string, to: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    return outcome(() => this.#composer(roomId).reply(to, checkedText(text)));
  }

  react(roomId: string, to: string, emoji: string, on: boolean): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).react(to, checkedText(emoji, LIMITS.emojiBytes), on));
  }

  confirmSend(roomId: string, message: string): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).confirm(message));
  }

  discard(roomId: string, message: string): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).discard(message));
  }

  resend(roomId: string, message: string): Promise<Outcome<{ readonly id: string }>> {
    return outcome(() => this.#composer(roomId).resend(message));
  }

  editMessage(roomId: string, message: string, text: string): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).edit(message, checkedText(text)));
  }

  deleteMessage(roomId: string, message: string): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).delete(message));
  }

  typing(roomId: string): Promise<Outcome<void>> {
    return outcome(() => {
      const account = this.#unlocked();
      const { signals } = account.activeRoom(roomId);
      if (account.sharing.now.typing) signals.typing();
    });
  }

  share(changes: Partial<Sharing>): Promise<Outcome<void>> {
    return outcome(async () => {
      const checked = checkedSharing(changes);
      const account = this.#account;
      if (account === null) this.#chosen = { ...this.#chosen, ...checked };
      await account?.sharing.choose(checked);
      account?.tellPresence();
      this.#emitApp();
    });
  }

  setDraft(roomId: string, text: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().setDraft(roomId, limitedText(text)));
  }

  renameMe(roomId: string, name: string): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).renameMe(checkedName(name)));
  }

  renameRoom(roomId: string, name: string): Promise<Outcome<void>> {
    return outcome(() => this.#composer(roomId).renameRoom(checkedName(name)));
  }

  safetyNumber(roomId: string, memberOrInvite: string): Promise<Outcome<SafetyNumberView>> {
    return outcome(() => this.#unlocked().safetyNumber(roomId, memberOrInvite));
  }

  setVerified(roomId: string, memberId: string, verified: boolean): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().setVerified(roomId, memberId, verified));
  }

  relaySees(roomId: string, limit: number): Promise<Outcome<readonly RelayRow[]>> {
    return outcome(() => {
      checkRange(limit, 500);
      return this.#unlocked().relaySees(roomId, limit);
    });
  }

  createInvite(roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>> {
    return outcome(async () => {
      checkRange(lifetimeMs, LIMITS.inviteLifetimeMs);
      this.#unlocked().activeRoom(roomId).assertRelayKnown();
      const { inviteId, fragment, expires } = await this.#owner(roomId).invites.invite(lifetimeMs);
      return { inviteId, expires, link: `${this.#options.relayUrl}/join#${fragment}` };
    });
  }

  revokeInvite(roomId: string, inviteId: string): Promise<Outcome<void>> {
    return outcome(() => this.#owner(roomId).revoke(inviteId));
  }

  decideJoin(roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>> {
    return outcome(() => this.#owner(roomId).decide(inviteId, admit));
  }

  rotateNow(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#owner(roomId).rotateNow());
  }

  removeMember(roomId: string, memberId: string): Promise<Outcome<void>> {
    return outcome(() => this.#owner(roomId).remove(memberId));
  }

  changeSettings(roomId: string, settings: Partial<RoomSettingsView>): Promise<Outcome<void>> {
    return outcome(() => {
      checkSettings(settings);
      return this.#owner(roomId).changeSettings(settings);
    });
  }

  closeRoom(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#owner(roomId).close());
  }

  leaveRoom(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().activeRoom(roomId).leaveRequest.leave());
  }

  offerOwnership(roomId: string, memberId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().activeRoom(roomId).ownershipTransfer.offer(memberId));
  }

  endOwnershipOffer(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().activeRoom(roomId).ownershipTransfer.end());
  }

  acceptOwnership(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().activeRoom(roomId).ownershipTransfer.accept());
  }

  resumeRoom(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().resumeRoom(roomId));
  }

  wake(): Promise<Outcome<void>> {
    return outcome(() => this.#account?.wake());
  }

  restoreRoom(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().activeRoom(roomId).restore());
  }

  forgetRoom(roomId: string, unconfirmed = false): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().forgetRoom(roomId, unconfirmed));
  }

  exportVault(passphrase: string, take: TakePiece): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().exportVault(passphrase, take));
  }

  importVault(file: Uint8Array, filePassphrase: string, passphrase: string): Promise<Outcome<void>> {
    return this.#open(() => importVault(this.#platform, file, filePassphrase, passphrase));
  }

  changePassphrase(current: string, next: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().changePassphrase(current, next));
  }

  lock(): Promise<Outcome<void>> {
    return outcome(() => this.close());
  }

  /** Locks: links closed, vault closed. In the browser the worker simply ends. */
  close(): Promise<void> {
    return this.#queue.enqueue(async () => {
      try {
        await this.#closeAccount();
      } finally {
        await this.#platform.lock.release();
        this.#emitApp();
      }
    });
  }

  async #closeAccount(): Promise<void> {
    const account = this.#account;
    this.#account = null;
    if (this.#state === 'open') this.#state = 'locked';
    if (account !== null) await account.close();
  }

  /** Serializes opening, erasing and closing: the second of two concurrent calls sees the result of the first. */
  #inTurn(work: () => Promise<void>): Promise<Outcome<void>> {
    return outcome(() => this.#queue.enqueue(work));
  }

  async #open(open: () => Promise<Vault>): Promise<Outcome<void>> {
    return this.#inTurn(async () => {
      if (this.#account !== null) throw new ClientError(ERROR_CODES.VAULT_EXISTS);
      if (!(await this.#platform.lock.acquire())) {
        this.#state = 'elsewhere';
        this.#emitApp();
        throw new ClientError(ERROR_CODES.VAULT_ELSEWHERE);
      }
      let vault: Vault | null = null;
      try {
        vault = await open();
        this.#account = await UnlockedAccount.open(this.#platform, vault, this.#options, this.#emit);
        this.#state = 'open';
        this.#chosen = {};
      } catch (error) {
        // The vault that this call has created exists now.
        if (vault !== null) this.#state = 'locked';
        // An erasure that was cut short has been brought to its end.
        else if (ClientError.from(error).code === ERROR_CODES.VAULT_ABSENT) this.#state = 'absent';
        await vault?.close();
        await this.#platform.lock.release();
        this.#emitApp();
        throw error;
      }
      this.#emitApp();
    });
  }

  #composer(roomId: string): Composer {
    return this.#unlocked().activeRoom(roomId).composer;
  }

  #owner(roomId: string): Owner {
    return this.#unlocked().activeRoom(roomId).owner;
  }

  #unlocked(): UnlockedAccount {
    if (this.#account === null) throw new ClientError(ERROR_CODES.VAULT_LOCKED);
    return this.#account;
  }

  #emitApp(): void {
    const account = this.#account;
    const rest =
      account === null
        ? { relay: EMPTY_RELAY, sharing: SHARED, rooms: [], joins: [], damaged: [] }
        : account.view();
    this.#listener({ type: 'app', app: { vault: this.#state, overwrites: this.#overwrites, ...rest } });
  }
}

/** Opens nothing yet: the vault waits for its passphrase. */
export async function createClient(platform: Platform, options: ClientOptions): Promise<Client> {
  const { storage } = platform;
  return new Client(platform, options, await Vault.state(storage), await storage.overwrites());
}
