/**
 * Rosters, derived from the chain by the same pure function as on every client
 * (docs/protocol.md section 4) and kept by room and head; what was used longest ago goes first. A roster is
 * plain data: any replica derives it again from the chain.
 */
import { LRUCache } from 'lru-cache';
import { equalBytes, LIMITS, type RoomId } from '@0fc/protocol';
import { applyRoster, startRoster, type Hash, type Roster } from '@0fc/crypto/verify';
import { unwrap, Refusal } from '../port/result.js';
import type { RoomFacts, RoomStore } from '../port/room-store.js';

/**
 * What is kept, counted in people: who is or was on a roster weighs up to 1 KiB with its key, its
 * first prekey and its invite. So a thousand rooms that are opened at once take what one large room
 * takes, and not a thousand times it.
 */
const MOST_PEOPLE = 65_536;
/** Chains that are followed at one time: each is a signature's proof for every entry. */
const MOST_AT_ONCE = 8;

/** A roster is at least somebody; names of those who left stay in it, and so do used invites. */
const peopleOf = (roster: Roster): number =>
  roster.members.size + roster.former.size + roster.invites.length + roster.acceptances.length;

export class Rosters {
  readonly #store: Pick<RoomStore, 'readChain'>;
  readonly #hash: Hash;
  readonly #kept: LRUCache<RoomId, Roster>;
  readonly #following = new Map<string, Promise<Roster>>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(store: Pick<RoomStore, 'readChain'>, hash: Hash, mostPeople: number = MOST_PEOPLE) {
    this.#store = store;
    this.#hash = hash;
    this.#kept = new LRUCache({
      maxSize: mostPeople,
      // One that is larger than all that may be kept is kept alone.
      sizeCalculation: (roster) => Math.min(peopleOf(roster), mostPeople),
    });
  }

  /** Rosters that are kept at the moment. */
  get size(): number {
    return this.#kept.size;
  }

  /** The roster at the room's head. STALE_HEAD: the chain moved on meanwhile. */
  async at(room: RoomFacts): Promise<Roster> {
    const kept = this.#kept.get(room.roomId);
    if (kept !== undefined && equalBytes(kept.head, room.head)) return kept;
    // Who asks for it while it is being made waits for the same one.
    const name = `${room.roomId}/${room.length}`;
    let following = this.#following.get(name);
    if (following === undefined) {
      following = this.#follow(room, kept ?? null).finally(() => this.#following.delete(name));
      this.#following.set(name, following);
    }
    const roster = await following;
    if (!equalBytes(roster.head, room.head)) throw new Refusal('STALE_HEAD');
    return roster;
  }

  /** Remembers a roster whose head the store has. */
  keep(roster: Roster): void {
    this.#kept.set(roster.roomId, roster);
  }

  forget(roomId: RoomId): void {
    this.#kept.delete(roomId);
  }

  async #follow(room: RoomFacts, kept: Roster | null): Promise<Roster> {
    try {
      await this.#turn();
      const roster = await this.#extend(room, kept !== null && kept.length < room.length ? kept : null);
      this.keep(roster);
      return roster;
    } catch (error) {
      // A room that ended and came back may have another chain than the one that is kept.
      this.forget(room.roomId);
      throw error;
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    this.#running++;
    if (this.#running <= MOST_AT_ONCE) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #extend(room: RoomFacts, from: Roster | null): Promise<Roster> {
    let roster = from;
    while (roster === null || roster.length < room.length) {
      const at = roster?.length ?? 0;
      const { entries } = unwrap(
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
