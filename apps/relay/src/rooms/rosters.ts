/**
 * Rosters, derived from the chain by the same pure function as on every client
 * (docs/protocol.md section 4) and kept by room and head. A roster is plain data: any
 * replica makes it again from the chain.
 */
import { equalBytes, LIMITS, type RoomId } from '@0fc/protocol';
import { applyRoster, startRoster, type Hash, type Roster } from '@0fc/crypto/verify';
import { granted, Refusal } from './refusal.js';
import type { RoomFacts, RoomStore } from './room-store.js';

/** Rosters kept; one of 256 members takes about 100 KiB. */
const MOST = 512;

export class Rosters {
  readonly #store: RoomStore;
  readonly #hash: Hash;
  readonly #kept = new Map<RoomId, Roster>();

  constructor(store: RoomStore, hash: Hash) {
    this.#store = store;
    this.#hash = hash;
  }

  /** The roster at the room's head. STALE_HEAD: the chain moved on meanwhile. */
  async at(room: RoomFacts): Promise<Roster> {
    const kept = this.#kept.get(room.roomId);
    if (kept !== undefined && equalBytes(kept.head, room.head)) return kept;
    // A chain never loses an entry while the store lives: what is kept is a beginning of it.
    const roster = await this.#extend(room, kept !== undefined && kept.length < room.length ? kept : null);
    if (!equalBytes(roster.head, room.head)) throw new Refusal('STALE_HEAD');
    this.keep(roster);
    return roster;
  }

  /** Remembers a roster whose head the store has. */
  keep(roster: Roster): void {
    this.#kept.delete(roster.roomId);
    this.#kept.set(roster.roomId, roster);
    if (this.#kept.size <= MOST) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }

  forget(roomId: RoomId): void {
    this.#kept.delete(roomId);
  }

  async #extend(room: RoomFacts, from: Roster | null): Promise<Roster> {
    let roster = from;
    while (roster === null || roster.length < room.length) {
      const at = roster?.length ?? 0;
      const { entries } = granted(
        await this.#store.readChain(room.roomId, at, Math.min(LIMITS.chainPage, room.length - at)),
      );
      if (entries.length === 0) throw new Refusal('STALE_HEAD');
      for (const container of entries) {
        roster =
          roster === null
            ? await startRoster(this.#hash, container)
            : (await applyRoster(this.#hash, roster, container)).roster;
      }
    }
    return roster;
  }
}
