/**
 * Looks through all rooms of a deployment, node by node, by SCAN over their `meta` keys. An index of rooms by their
 * last use could not lie on the rooms' slots, and might miss one; docs/decisions/0008-redis-store.md weighs the two.
 */
import type { RoomId } from '@0fc/protocol';
import type { Cluster, Redis } from 'ioredis';
import type { RoomKeys } from '../scripts/room-keys.js';

/** Keys of one look: a room has up to thirteen. The server does nothing else meanwhile, for about half a millisecond. */
const COUNT = 256;

interface Meta {
  readonly roomId: RoomId;
  /** Unix ms */
  readonly usedAt: number;
  /** 0 open, 1 closed, 2 erased */
  readonly state: number;
  readonly entries: number;
  readonly bytes: number;
}

export interface MetaScan {
  readonly metas: readonly Meta[];
  /** for the same look once more */
  readonly again: string;
  /** for the next look; null: that was all */
  readonly next: string | null;
}

/** Masters in an order that stays, whoever answers first. */
function mastersOf(redis: Redis | Cluster): Redis[] {
  if (!('nodes' in redis)) return [redis];
  const name = ({ options }: Redis): string => `${options.host ?? ''}:${options.port ?? 0}`;
  return redis.nodes('master').sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

/** `cursor` is `<node>:<cursor of its SCAN>`, null for the beginning. */
export async function metasOf(
  redis: Redis | Cluster,
  keys: RoomKeys,
  cursor: string | null,
): Promise<MetaScan> {
  const masters = mastersOf(redis);
  const [at = 0, position = 0] = (cursor ?? '0:0').split(':').map(Number);
  const again = `${at}:${position}`;
  const node = masters[at];
  if (node === undefined) return { metas: [], again, next: null };
  const [following, found] = await node.scan(position, 'MATCH', keys.everyMeta, 'COUNT', COUNT);
  const metas = await Promise.all(found.map((key) => metaOf(redis, keys, key)));
  const next = following === '0' ? (at + 1 < masters.length ? `${at + 1}:0` : null) : `${at}:${following}`;
  return { metas: metas.filter((meta) => meta !== null), again, next };
}

/** Null: it has gone meanwhile. */
async function metaOf(redis: Redis | Cluster, keys: RoomKeys, key: string): Promise<Meta | null> {
  const [used, state, entries, bytes] = await redis.hmget(key, 'used', 'state', 'entries', 'bytes');
  if (used === null || used === undefined) return null;
  return {
    roomId: keys.roomOf(key),
    usedAt: Number(used),
    state: Number(state),
    entries: Number(entries),
    bytes: Number(bytes),
  };
}
