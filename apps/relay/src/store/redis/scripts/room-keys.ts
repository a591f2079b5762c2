/**
 * The keys of a room. All lie on the hash slot of its id, so that one script may use any of them;
 * docs/decisions/0008-redis-store.md says what each holds.
 */
import type { RoomId } from '@0fc/protocol';

export const KEY_NAMES = [
  'meta', 'members', 'prekeys', 'log', 'sent', 'chain', 'wraps', 'gens', 'farewells', 'invites', 'joins', 'needs', 'grants',
] as const; // prettier-ignore
export type KeyName = (typeof KEY_NAMES)[number];

/** Of one deployment: `<prefix>{roomId}:<name>`. */
export class RoomKeys {
  readonly #prefix: string;

  /** Throws for a prefix that would move rooms off the slots of their ids. */
  constructor(prefix: string) {
    if (/[{}]/.test(prefix)) throw new Error(`a key prefix has no braces: ${prefix}`);
    this.#prefix = prefix;
  }

  key(roomId: RoomId, name: KeyName): string {
    return `${this.#prefix}{${roomId}}:${name}`;
  }

  /** The sharded channel of what happens in the room; scripts derive it from the key of `meta`. */
  feed(roomId: RoomId): string {
    return `${this.#prefix}{${roomId}}:feed`;
  }

  /** A key of no room, to try whether the store takes writes. */
  get probe(): string {
    return `${this.#prefix}probe`;
  }

  /** Matches the `meta` key of every room. */
  get everyMeta(): string {
    return `${this.#prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}{*}:meta`;
  }

  roomOf(metaKey: string): RoomId {
    return metaKey.slice(this.#prefix.length + 1, -'}:meta'.length) as RoomId;
  }
}
