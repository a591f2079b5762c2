/**
 * Rosters, derived from the chain by the same pure function as on every client
 * (docs/protocol.md section 4) and kept by room and head. A roster is plain data: any
 * replica makes it again from the chain.
 */
import { equalBytes, LIMITS, type RoomId } from '@0fc/protocol';
import { applyRoster, startRoster, type Hash, type Roster } from '@0fc/crypto/verify';
import { granted, Refusal } from '../port/refusal.js';
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
  readonly #mostPeople: number;
  readonly #kept = new Map<RoomId, Roster>();
  readonly #following = new Map<string, Promise<Roster>>();
  #people = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(store: Pick<RoomStore, 'readChain'>, hash: Hash, mostPeople: number = MOST_PEOPLE) {
    this.#store = store;
    this.#hash = hash;
    this.#mostPeople = mostPeople;
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
    this.forget(roster.roomId);
    this.#kept.set(roster.roomId, roster);
    this.#people += peopleOf(roster);
    // The oldest go first; the one that has just been used may stay alone, however large.
    for (const roomId of this.#kept.keys()) {
      if (this.#people <= this.#mostPeople || this.#kept.size === 1) return;
      this.forget(roomId);
    }
  }

  forget(roomId: RoomId): void {
    const roster = this.#kept.get(roomId);
    if (roster === undefined) return;
    this.#kept.delete(roomId);
    this.#people -= peopleOf(roster);
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
