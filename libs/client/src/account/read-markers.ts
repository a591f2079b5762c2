/**
 * Sends read markers (docs/protocol.md section 6): at most one every few seconds per room, and only for a message of
 * another member, so that no marker or reaction ever causes another marker.
 */
import { comparePositions, type Position } from '@0fc/protocol';
import { failureOf } from '../contract/errors.js';
import type { Platform } from '../contract/ports.js';
import type { Room } from '../room/room.js';
import { membershipOf } from '../vault/records.js';
import { pauseOf } from '../view/room-view.js';

const EVERY_MS = 3_000;

export class ReadMarkers {
  readonly #platform: Platform;
  /** when each room's last marker was made */
  readonly #last = new Map<string, number>();
  readonly #later = new Map<string, () => void>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Sends a marker for everything that is marked read in the room. Resolves once it is stored, or delayed. */
  async announce(room: Room): Promise<void> {
    const roomId = membershipOf(room.state.core);
    const position = due(room);
    if (position === null || this.#later.has(roomId)) return;
    const now = this.#platform.crypto.clock.now();
    const wait = Math.min(EVERY_MS, (this.#last.get(roomId) ?? -Infinity) + EVERY_MS - now);
    if (wait > 0) {
      this.#later.set(
        roomId,
        this.#platform.timers.after(wait, () => this.#now(room)),
      );
      return;
    }
    this.#last.set(roomId, now);
    await room.composer.readUpTo(position);
  }

  #now(room: Room): void {
    const roomId = membershipOf(room.state.core);
    this.#later.delete(roomId);
    this.#last.delete(roomId);
    this.announce(room).catch((error: unknown) => {
      room.halt(failureOf(error));
    });
  }

  /** Of one room, or of all. */
  stop(roomId?: string): void {
    for (const [room, cancel] of this.#later) {
      if (roomId !== undefined && room !== roomId) continue;
      cancel();
      this.#later.delete(room);
    }
  }
}

/** Position of the newest read message of another member that no marker covers; null for none. */
function due(room: Room): Position | null {
  const { core } = room.state;
  if (core.stage !== 'member' || pauseOf(room) !== null) return null;
  const { conversation } = room.composer;
  conversation.sync();
  const at = conversation.newestOfOthers(core.readIndex)?.at ?? null;
  if (
    at === null ||
    (core.lastReadMarker !== null && comparePositions(at.position, core.lastReadMarker) <= 0)
  )
    return null;
  return at.position;
}
