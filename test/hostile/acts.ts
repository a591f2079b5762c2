/** What members and a relay do in several of these specs. */
import { decodeMessageClear } from '@0fc/protocol';
import { value, type Member } from '../support/member.js';
import { until } from '../support/wait.js';
import type { LyingRelay } from './relay/lying-relay.js';
import { epochOf, idOf } from './stage.js';

/** The owner makes a fresh key, and all of them have it. */
export async function rotated(owner: Member, roomId: string, all: readonly Member[]): Promise<void> {
  const epoch = epochOf(owner) + 1;
  value(await owner.api.rotateNow(roomId));
  await until('the next key', () => all.every((who) => epochOf(who) === epoch));
}

/** Each says its line, in this order, and all have it. */
export async function said(
  roomId: string,
  all: readonly Member[],
  lines: readonly (readonly [Member, string])[],
): Promise<void> {
  for (const [who, text] of lines) {
    await who.say(roomId, text);
    await Promise.all(all.map((one) => one.has(text)));
  }
}

/** Epochs that a member has sealed messages for, in order, from the n-th append of anybody on. */
export const sealedFor = (relay: LyingRelay, who: Member, from: number): readonly number[] =>
  relay
    .requests('append')
    .slice(from)
    .filter(({ memberId }) => memberId === idOf(who))
    .flatMap(({ body }) => body.messages.map(({ clear }) => decodeMessageClear(clear)));

/** With its client restarted. */
export async function restarted(roomId: string, ...all: readonly Member[]): Promise<void> {
  for (const who of all) {
    await who.leave();
    await who.comeBack(roomId);
  }
}

/** The bytes with one bit in their middle flipped. */
export function flipped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  const at = copy.length >> 1;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
