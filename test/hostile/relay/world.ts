/**
 * What a relay believes: a real store with the real handlers over it. A lying relay may have
 * several of one room, and show each member another one (a fork), or an old one (a rollback).
 */
import { copyFileSync, existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS, type RoomId } from '@0fc/protocol';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import type { RelayContext } from '../../../apps/relay/src/rooms/commands/context.js';
import type { RoomStore } from '../../../apps/relay/src/rooms/port/room-store.js';
import { Rosters } from '../../../apps/relay/src/rooms/commands/rosters.js';
import { FanOuts } from '../../../apps/relay/src/rooms/delivery/fan-out.js';
import { Trimmer } from '../../../apps/relay/src/rooms/upkeep/trimmer.js';
import { openSqliteStore } from '../../../apps/relay/src/store/sqlite/sqlite-room-store.js';

const STORE_FILE = 'relay.sqlite';

export class World {
  readonly folder: string;
  readonly store: RoomStore;
  readonly context: RelayContext;
  /** a copy that is presented as the original: the generation that its store has opened is not announced */
  hidden = false;

  private constructor(folder: string) {
    this.folder = folder;
    this.store = openSqliteStore({ path: join(folder, STORE_FILE) });
    this.context = {
      store: this.store,
      rosters: new Rosters(this.store, nodeHash),
      trimmer: { due: () => undefined },
      fanOuts: new FanOuts(nodeRandom, (error) => {
        throw error;
      }),
      hash: nodeHash,
      clock: systemClock,
      limits: {
        append: { perSecond: 1_000, burst: 10_000 },
        maxMembers: 256,
        invitesOpen: 64,
        settings: { entries: LIMITS.settingsEntries, rate: { perSecond: 1_000, burst: 10_000 } },
        creationToken: null,
      },
      mayCreate: () => true,
      mayRestore: () => 0,
      mayRotate: () => 0,
    };
  }

  static empty(): World {
    return new World(mkdtempSync(join(tmpdir(), '0fc-world-')));
  }

  /** The file as it is now, to be opened later: see {@link World.open}. */
  snapshot(): string {
    const folder = mkdtempSync(join(tmpdir(), '0fc-world-'));
    // In one turn of the event loop: the store's writer is idle meanwhile.
    for (const name of [STORE_FILE, `${STORE_FILE}-wal`]) {
      const path = join(this.folder, name);
      if (existsSync(path)) copyFileSync(path, join(folder, name));
    }
    return folder;
  }

  /** A store over a snapshot. As any start of the real store it opens a new generation. */
  static open(snapshot: string): World {
    return new World(snapshot);
  }

  /** Trims the log as a relay with so many bytes of history does, whatever its members have acknowledged. */
  async trim(roomId: string, historyBytes: number): Promise<void> {
    const failed = (error: unknown): never => {
      throw error;
    };
    const trimmer = new Trimmer({ store: this.store, hash: nodeHash, historyBytes, restMs: 0, failed });
    while (await trimmer.step(roomId as RoomId));
    await trimmer.end();
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A message in which every position of one generation is one of another. */
export function moveGeneration<T>(value: T, from: (g: number) => boolean, to: number): T {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item: unknown) => moveGeneration(item, from, to)) as unknown as T;
  const fields = Object.entries(value).map(([key, item]) => [key, moveGeneration<unknown>(item, from, to)]);
  const copy = Object.fromEntries(fields) as Record<string, unknown>;
  const { g, s } = copy;
  if (typeof g === 'number' && typeof s === 'number' && from(g)) copy.g = to;
  return copy as T;
}
