/** The embedded store's feed: one process, so the room's events pass from hand to hand. */
import type { RoomId } from '@0fc/protocol';
import type { RoomListener } from '../../rooms/port/room-store.js';
import type { Publication } from './transaction.js';

export class Feed {
  readonly #rooms = new Map<RoomId, Set<RoomListener>>();

  subscribe(roomId: RoomId, listener: RoomListener): { unsubscribe(): void } {
    const listeners = this.#rooms.get(roomId) ?? new Set();
    this.#rooms.set(roomId, listeners);
    listeners.add(listener);
    return {
      unsubscribe: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#rooms.get(roomId) === listeners) this.#rooms.delete(roomId);
      },
    };
  }

  publish({ roomId, event }: Publication): void {
    // A copy: a listener may be the one that ends itself, or another.
    for (const listener of [...(this.#rooms.get(roomId) ?? [])]) listener(event);
  }
}
