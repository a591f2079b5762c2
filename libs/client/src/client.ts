/**
 * The client: a vault, its rooms and joins, and the door {@link ClientApi} to the page or
 * a command line. Typed commands in, typed events and state out.
 */
import { ERROR_CODES, LIMITS, utf8 } from '@0fc/protocol';
import type {
  ClientApi,
  ClientEvent,
  CreateRoomOptions,
  CreatedInvite,
  InvitePreview,
  Outcome,
  VaultState,
} from './api.js';
import { ClientError, failureOf } from './errors.js';
import type { ClientOptions } from './options.js';
import type { Platform } from './ports.js';
import { Session } from './session.js';
import { Vault } from './vault.js';

const EMPTY_RELAY = { fingerprint: null, pinnedBy: null, state: 'connected' } as const;

export class Client implements ClientApi {
  readonly #platform: Platform;
  readonly #options: ClientOptions;
  #listener: (event: ClientEvent) => void = () => undefined;
  #state: VaultState;
  #session: Session | null = null;

  constructor(platform: Platform, options: ClientOptions, state: VaultState) {
    this.#platform = platform;
    this.#options = options;
    this.#state = state;
  }

  subscribe(listener: (event: ClientEvent) => void): Promise<void> {
    this.#listener = listener;
    this.#tell();
    return Promise.resolve();
  }

  createVault(passphrase: string): Promise<Outcome<void>> {
    return this.#open(() => Vault.create(this.#platform, passphrase));
  }

  unlock(passphrase: string): Promise<Outcome<void>> {
    return this.#open(() => Vault.unlock(this.#platform, passphrase));
  }

  eraseVault(): Promise<Outcome<void>> {
    return outcome(async () => {
      // Erased under the lock: no other tab may open in between what is about to go.
      if (this.#session === null && !(await this.#platform.lock.acquire())) {
        throw new ClientError(ERROR_CODES.VAULT_ELSEWHERE);
      }
      const session = this.#session;
      this.#session = null;
      if (session !== null) await session.close();
      try {
        await this.#platform.storage.erase();
        this.#state = 'absent';
      } finally {
        await this.#platform.lock.release();
      }
      this.#tell();
    });
  }

  createRoom(options: CreateRoomOptions): Promise<Outcome<{ readonly roomId: string }>> {
    return outcome(() => {
      checkName(options.name);
      checkName(options.displayName);
      const { rotateEvery } = options;
      if (!Number.isSafeInteger(rotateEvery) || rotateEvery < 1 || rotateEvery > LIMITS.rotateEvery) {
        throw new ClientError(ERROR_CODES.OUT_OF_RANGE, { min: 1, max: LIMITS.rotateEvery });
      }
      return this.#unlocked().createRoom({
        ...options,
        name: options.name.trim(),
        displayName: options.displayName.trim(),
      });
    });
  }

  previewInvite(text: string): Promise<Outcome<InvitePreview>> {
    return outcome(() => this.#unlocked().previewInvite(text));
  }

  join(text: string, displayName: string): Promise<Outcome<{ readonly roomId: string }>> {
    return outcome(() => {
      checkName(displayName);
      return this.#unlocked().join(text, displayName.trim());
    });
  }

  abandonJoin(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().abandonJoin(roomId));
  }

  watchRoom(roomId: string | null): Promise<Outcome<void>> {
    return outcome(() => {
      this.#unlocked().watch(roomId);
    });
  }

  markRead(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().markRead(roomId));
  }

  sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    return outcome(async () => {
      if (text.trim() === '') throw new ClientError(ERROR_CODES.TEXT_EMPTY);
      const bytes = utf8(text).length;
      if (bytes > LIMITS.textBytes)
        throw new ClientError(ERROR_CODES.TEXT_TOO_LONG, { bytes, max: LIMITS.textBytes });
      const id = await this.#unlocked().room(roomId).send({ type: 'text', text });
      return { id };
    });
  }

  createInvite(roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>> {
    return outcome(async () => {
      if (!Number.isSafeInteger(lifetimeMs) || lifetimeMs < 1 || lifetimeMs > LIMITS.inviteLifetimeMs) {
        throw new ClientError(ERROR_CODES.OUT_OF_RANGE, { min: 1, max: LIMITS.inviteLifetimeMs });
      }
      const { inviteId, fragment, expires } = await this.#unlocked()
        .room(roomId)
        .owner.joins.invite(lifetimeMs);
      return { inviteId, expires, link: `${this.#options.relayUrl}/join#${fragment}` };
    });
  }

  revokeInvite(roomId: string, inviteId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().room(roomId).owner.revoke(inviteId));
  }

  decideJoin(roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().room(roomId).owner.decide(inviteId, admit));
  }

  rotateNow(roomId: string): Promise<Outcome<void>> {
    return outcome(() => this.#unlocked().room(roomId).owner.rotateNow());
  }

  /** Locks: links closed, vault closed. In the browser the worker simply ends. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session !== null) await session.close();
    await this.#platform.lock.release();
    if (this.#state === 'open') this.#state = 'locked';
    this.#tell();
  }

  async #open(open: () => Promise<Vault>): Promise<Outcome<void>> {
    return outcome(async () => {
      if (this.#session !== null) throw new ClientError(ERROR_CODES.VAULT_EXISTS);
      if (!(await this.#platform.lock.acquire())) {
        this.#state = 'elsewhere';
        this.#tell();
        throw new ClientError(ERROR_CODES.VAULT_ELSEWHERE);
      }
      try {
        const vault = await open();
        this.#session = await Session.open(this.#platform, vault, this.#options, (event) => {
          if (event.type === 'changed') this.#tell();
          else this.#listener(event);
        });
        this.#state = 'open';
      } catch (error) {
        await this.#platform.lock.release();
        throw error;
      }
      this.#tell();
    });
  }

  #unlocked(): Session {
    if (this.#session === null) throw new ClientError(ERROR_CODES.VAULT_LOCKED);
    return this.#session;
  }

  #tell(): void {
    const session = this.#session;
    const rest = session === null ? { relay: EMPTY_RELAY, rooms: [], joins: [] } : session.view();
    this.#listener({ type: 'app', app: { vault: this.#state, ...rest } });
  }
}

/** Opens nothing yet: the vault waits for its passphrase. */
export async function createClient(platform: Platform, options: ClientOptions): Promise<Client> {
  return new Client(platform, options, await Vault.state(platform.storage));
}

async function outcome<T>(work: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: failureOf(error) };
  }
}

function checkName(name: string): void {
  const trimmed = name.trim();
  if (trimmed === '') throw new ClientError(ERROR_CODES.NAME_EMPTY);
  if (trimmed.length > LIMITS.nameChars || utf8(trimmed).length > LIMITS.nameBytes) {
    throw new ClientError(ERROR_CODES.NAME_TOO_LONG, { max: LIMITS.nameChars });
  }
}
