/** What two members read to each other (docs/protocol.md section 10). */
import { concat, ctx, toHex, type Bytes, type RoomId } from '@0fc/protocol';
import type { Hash } from '../ports.js';

const GROUPS = 12;
const GROUP_BYTES = 5;

/**
 * 60 digits in 12 groups of 5, parted by spaces; the same from both sides, another in
 * another room. Each group is 40 bits of two hashes over the sorted keys, modulo 100,000.
 */
export async function safetyNumber(hash: Hash, roomId: RoomId, keyA: Bytes, keyB: Bytes): Promise<string> {
  const [low, high] = toHex(keyA) <= toHex(keyB) ? [keyA, keyB] : [keyB, keyA];
  const halves = [0, 1].map((half) => hash.sha256(ctx('safety-number', half, roomId, low, high)));
  const bytes = concat(...(await Promise.all(halves)));
  const groups: string[] = [];
  for (let group = 0; group < GROUPS; group++) {
    let value = 0;
    for (let at = 0; at < GROUP_BYTES; at++) value = value * 256 + (bytes[group * GROUP_BYTES + at] ?? 0);
    groups.push(String(value % 100_000).padStart(5, '0'));
  }
  return groups.join(' ');
}
