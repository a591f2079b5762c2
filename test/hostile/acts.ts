/** What members and a relay do in several of these specs. */
import { nodeRandom } from '@0fc/crypto/node';
import { decodeMessageClear } from '@0fc/protocol';
import { value, type Member } from '../support/member.js';
import { until } from '../support/wait.js';
import { published } from './members/published.js';
import type { LyingRelay } from './relay/lying-relay.js';
import { epochOf, idOf, type Company, type Stage } from './stage.js';

/** The owner makes a fresh key, and all of them have it. */
export async function rotated(owner: Member, roomId: string, all: readonly Member[]): Promise<void> {
  const epoch = epochOf(owner) + 1;
  value(await owner.api.rotateNow(roomId));
  await until('the next key', () => all.every((who) => epochOf(who) === epoch));
}

/** A second epoch by the owner's own hand, whose wrap for the owner opens nowhere: its client is away, and has no key of it. */
export async function keptFromOwner(stage: Stage, { owner, tomas, ines, roomId }: Company): Promise<void> {
  const { peer, stolen } = await stage.byHand(owner, roomId);
  const { command } = await stolen.rotation(await published(stage.relay));
  const wraps = { ...command.wraps, [idOf(owner)]: nodeRandom.bytes(200) };
  await peer.request('rotate', { ...command, wraps });
  await until('the next key', () => [tomas, ines].every((who) => epochOf(who) === 2));
  peer.leave();
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
