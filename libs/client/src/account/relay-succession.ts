/**
 * A relay key that changes (docs/protocol.md section 3.1, G13): the pinned key's signed successor is followed by
 * itself, once the relay has proved it; any other key is pinned by the user's own hand alone.
 */
import { equalBytes, ERROR_CODES, type Bytes } from '@0fc/protocol';
import {
  parsePublicKey,
  readSuccessions,
  SuccessionError,
  SuccessionFork,
  successorsOf,
} from '@0fc/crypto/verify';
import type { Failure } from '../contract/api.js';
import { ClientError, failureOf } from '../contract/errors.js';
import type { Platform } from '../contract/ports.js';
import { proveRelayKey } from '../link/prove.js';
import type { Vault } from '../vault/vault.js';
import type { Deployment, Pin, RelayPin } from './relay-pin.js';

/** Waits before a deployment that did not answer is asked again, in milliseconds. */
const ASK_AGAIN_MS: readonly number[] = [1_000, 4_000];
/** How long after a succession replicas may still answer with the key before, in milliseconds. */
const CHANGE_MS = 86_400_000;

const CHANGING: Failure = { code: ERROR_CODES.RELAY_KEY_CHANGING };

export interface RelaySuccessionOptions {
  readonly platform: Platform;
  readonly vault: Vault;
  readonly pin: RelayPin;
  readonly deployment: Deployment;
  /** the pin has moved: rooms and joins go on with it */
  readonly moved: () => void;
  /** something that a view shows has changed */
  readonly changed: () => void;
}

/** What a deployment names: a key that nobody has proved, and statements that nobody has verified. */
interface Named {
  readonly key: Bytes;
  readonly texts: readonly string[];
}

export class RelaySuccession {
  readonly #options: RelaySuccessionOptions;
  #following: Promise<Failure> | null = null;

  constructor(options: RelaySuccessionOptions) {
    this.#options = options;
  }

  /**
   * Whoever answers does not prove `key`: follows its successor where there is one, and says what is to be told of it
   * until then. Asked by many connections at once it is done once. Never rejects.
   */
  otherKey(key: Bytes): Promise<Failure> {
    const { pin } = this.#options;
    if (!equalBytes(key, pin.key)) return Promise.resolve(CHANGING);
    this.#following ??= pin.queue
      .enqueue(() => this.#follow())
      .catch((error: unknown) => failureOf(error))
      .finally(() => {
        this.#following = null;
      });
    return this.#following;
  }

  async #follow(): Promise<Failure> {
    const { pin, vault, moved } = this.#options;
    const pinned = pin.pin;
    if (pinned === null) return CHANGING;
    const named = await this.#named();
    if (named === null) return mismatch(pinned, {});
    const successors = await this.#successorsOf(pinned.key, named.texts);
    const standing = this.#isChanging(successors, named.key)
      ? CHANGING
      : mismatch(pinned, { other: await pin.fingerprintOf(named.key) });
    if (successors.length === 0) return standing;
    const left = successors.find((key) => pin.hasLeft(key));
    if (left !== undefined) {
      const params = { pinned: pinned.fingerprint, other: await pin.fingerprintOf(left) };
      return { code: ERROR_CODES.RELAY_KEY_LEFT, params };
    }
    if (!(await this.#advance(successors, named.key))) return standing;
    await pin.follow(vault, upTo(successors, named.key));
    moved();
    return CHANGING;
  }

  /**
   * Whether the key that is named is one of those between which replicas change: of the pinned one and its successors, or,
   * for a day after a change, of the pinned one and those that were left. Any other is a key that no statement leads to.
   */
  #isChanging(successors: readonly Bytes[], served: Bytes): boolean {
    const { pin, platform } = this.#options;
    const at = pin.followed?.at;
    const recent = at !== undefined && Math.abs(platform.crypto.clock.now() - at) < CHANGE_MS;
    if (successors.some((key) => equalBytes(key, served)) || (recent && pin.hasLeft(served))) return true;
    return (recent || successors.length > 0) && equalBytes(served, pin.key);
  }

  /** Whether the relay proves the successor: a statement alone moves nothing. */
  async #advance(successors: readonly Bytes[], served: Bytes): Promise<boolean> {
    const target = upTo(successors, served).at(-1);
    if (target === undefined) return false;
    try {
      await this.#prove(target);
      return true;
    } catch (error) {
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
      return false;
    }
  }

  /** A build whose key is not the vault's: statements may lead from the one to the other, either way. */
  async settleConflict(): Promise<void> {
    const { pin } = this.#options;
    try {
      await pin.queue.enqueue(() => this.#settle());
    } catch (error) {
      pin.explain(ClientError.from(error));
    }
  }

  async #settle(): Promise<void> {
    const { pin, vault, moved } = this.#options;
    const { conflict } = pin;
    const pinned = pin.pin;
    if (conflict === null || pinned === null) return;
    const named = await this.#named();
    if (named === null) return;
    const behind = await this.#successorsOf(conflict, named.texts);
    const at = behind.findIndex((key) => equalBytes(key, pinned.key));
    if (at >= 0) await pin.recognise(vault, [conflict, ...behind.slice(0, at)]);
    else {
      const successors = await this.#successorsOf(pinned.key, named.texts);
      const target = upTo(successors, named.key);
      if (!target.some((key) => equalBytes(key, conflict)) || !(await this.#advance(successors, named.key)))
        return;
      await pin.follow(vault, target);
    }
    moved();
  }

  /**
   * Pins the key that the relay proves, if it has the fingerprint that the user has typed. Rejects with
   * FINGERPRINT_MALFORMED, RELAY_UNREACHABLE, and RELAY_KEY_MISMATCH (`pinned`, `other`: the one that it names).
   */
  repin(typed: string): Promise<{ readonly from: string | null; readonly to: string }> {
    const { pin, vault, deployment, moved } = this.#options;
    const fingerprint = typed.replace(/[\s:.-]/g, '').toUpperCase();
    if (!/^[0-9A-F]{16}$/.test(fingerprint)) {
      return Promise.reject(new ClientError(ERROR_CODES.FINGERPRINT_MALFORMED));
    }
    return pin.queue.enqueue(async () => {
      const key = parsePublicKey(await deployment.fetchRelayKey());
      const other = await pin.fingerprintOf(key);
      const from = pin.pin?.fingerprint ?? null;
      const refused = new ClientError(ERROR_CODES.RELAY_KEY_MISMATCH, { pinned: from ?? '', other });
      if (other !== fingerprint) throw refused;
      await this.#prove(key).catch((error: unknown) => {
        const { code } = ClientError.from(error);
        throw code === ERROR_CODES.OFFLINE ? new ClientError(ERROR_CODES.RELAY_UNREACHABLE) : refused;
      });
      if (pin.trouble === null && equalBytes(pin.key, key)) return { from, to: other };
      await pin.replace(vault, key);
      moved();
      return { from, to: other };
    });
  }

  /** The user has seen the succession that was followed. */
  async dismiss(): Promise<void> {
    const { pin, vault, changed } = this.#options;
    await pin.queue.enqueue(() => pin.dismiss(vault));
    changed();
  }

  #prove(relayKey: Bytes): Promise<void> {
    const { platform, deployment } = this.#options;
    return proveRelayKey({ platform, url: deployment.relayUrl, relayKey });
  }

  /** Null: it does not answer, or with nothing of ours. */
  async #named(): Promise<Named | null> {
    const { deployment, platform } = this.#options;
    for (const waitMs of [...ASK_AGAIN_MS, null]) {
      try {
        const [key, texts] = await Promise.all([deployment.fetchRelayKey(), deployment.fetchSuccession()]);
        return { key, texts };
      } catch (error) {
        const { code } = ClientError.from(error);
        if (code === ERROR_CODES.MALFORMED) throw invalid(code, this.#options.pin.pin, error);
        if (code !== ERROR_CODES.RELAY_UNREACHABLE || waitMs === null) return null;
        await new Promise<void>((resolve) => {
          platform.timers.after(waitMs, resolve);
        });
      }
    }
    return null;
  }

  /** Where verified statements lead from a key. Rejects with what is wrong with them, as the user is to see it. */
  async #successorsOf(key: Bytes, texts: readonly string[]): Promise<readonly Bytes[]> {
    const { pin, deployment } = this.#options;
    try {
      return successorsOf(key, deployment.relayUrl, readSuccessions(texts));
    } catch (error) {
      if (error instanceof SuccessionError) throw invalid(error.reason, pin.pin, error);
      const pinned = pin.pin?.fingerprint ?? '';
      if (!(error instanceof SuccessionFork)) throw new ClientError(ClientError.from(error).code, { pinned });
      const [one, other] = await Promise.all(error.successors.map((next) => pin.fingerprintOf(next)));
      throw new ClientError(error.code, { pinned, one: one ?? '', other: other ?? '' });
    }
  }
}

/** The successors up to the key that is served; all of them where none of them is. */
function upTo(successors: readonly Bytes[], served: Bytes): readonly Bytes[] {
  const at = successors.findIndex((key) => equalBytes(key, served));
  return at === -1 ? successors : successors.slice(0, at + 1);
}

const mismatch = (pinned: Pin, named: { readonly other?: string }): Failure => ({
  code: ERROR_CODES.RELAY_KEY_MISMATCH,
  params: { pinned: pinned.fingerprint, ...named },
});

const invalid = (reason: string, pinned: Pin | null, cause: unknown): ClientError =>
  new ClientError(
    ERROR_CODES.RELAY_SUCCESSION_INVALID,
    { reason, pinned: pinned?.fingerprint ?? '' },
    { cause },
  );
