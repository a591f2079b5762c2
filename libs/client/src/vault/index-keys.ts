/**
 * Keys of the index stores, by which a message is found without reading the log: its index in the log, and the
 * records that change it. A thief of the profile sees keys, and must not learn from them who wrote how much
 * (docs/protocol.md section 9): they are hashes under a key that is sealed in the vault.
 */
import { encodeCbor, toBase64Url, utf8, type Bytes, type Target } from '@0fc/protocol';
import type { Hash } from '@0fc/crypto/verify';
import { keyOf, membershipOf, prefixOf, type RoomCore } from './records.js';

const LABEL = utf8('0fc vault index');
/** Length of a hash in bytes: enough that no two messages of a room collide. */
const KEY_BYTES = 16;

export class IndexKeys {
  readonly #hash: Hash;
  readonly #membership: string;
  readonly #secret: Bytes;

  private constructor(hash: Hash, membership: string, secret: Bytes) {
    this.#hash = hash;
    this.#membership = membership;
    this.#secret = secret;
  }

  /** The secret is made from the member's private key of this room, which an import brings along. */
  static async of(
    hash: Hash,
    core: Pick<RoomCore, 'roomId' | 'membership' | 'identity'>,
  ): Promise<IndexKeys> {
    return new IndexKeys(
      hash,
      membershipOf(core),
      await hash.sha256(encodeCbor([LABEL, core.identity.privateKey])),
    );
  }

  /** In `messages`. */
  async message(target: Target): Promise<string> {
    return prefixOf(this.#membership) + (await this.#nameOf(target));
  }

  /** In `effects`: of what the record at an index makes of a message. */
  async effect(target: Target, index: number): Promise<string> {
    return keyOf(await this.message(target), index);
  }

  /** Of all effects on a message. */
  async effectsOf(target: Target): Promise<string> {
    return prefixOf(await this.message(target));
  }

  async #nameOf({ sender, instance, n }: Target): Promise<string> {
    const digest = await this.#hash.sha256(encodeCbor([this.#secret, sender, instance, n]));
    return toBase64Url(digest.slice(0, KEY_BYTES));
  }
}
