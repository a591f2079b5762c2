/** Rotations of an owner's own hand: as they should be, or with any of their parts as it should not. */
import { BODIES, ctx, decodeBody, type Bytes, type MemberId, type RotationCommand } from '@0fc/protocol';
import { type RoomKey, signBody } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { containerBody, type Roster } from '@0fc/crypto/verify';
import { sealCell } from '../../../libs/crypto/src/cell.js';
import type { Dice } from '../../support/random.js';
import { flipped } from '../acts.js';
import { changed } from './changed.js';
import type { OwnerHand } from './owner-hand.js';

export interface AnyRotation {
  readonly command: RotationCommand;
  readonly what: string;
}

const VARIANTS = ['clear', 'inner', 'payload', 'wrap', 'unwrapped', 'no wraps', 'key'] as const;

/** On this roster, which may be the one after a removal. */
export async function anyRotation(hand: OwnerHand, dice: Dice, roster: Roster): Promise<AnyRotation> {
  const { command, newKey } = await hand.rotation(roster);
  const members = Object.keys(command.wraps) as MemberId[];
  if (dice.once(2)) {
    await hand.made(command.clear, newKey, members);
    return { command, what: 'as it should be' };
  }
  const variant = dice.of(VARIANTS);
  const made = await VARIANT[variant](hand, dice, { command, newKey, members });
  return { command: made.command, what: `${variant} ${made.what}` };
}

/** One that proves itself to the relay, and whose key nobody has. */
export async function rotationForNobody(hand: OwnerHand): Promise<RotationCommand> {
  const { command } = await hand.rotation(hand.roster);
  return withPayload(hand, command, nodeRandom.bytes(60));
}

interface Made {
  readonly command: RotationCommand;
  readonly newKey: RoomKey;
  readonly members: readonly MemberId[];
}
type Variant = (hand: OwnerHand, dice: Dice, made: Made) => Promise<AnyRotation>;

const clearOf = (clear: Bytes) => decodeBody(containerBody(clear), 'rotation').body;

/** The same command with other wraps, and who of them is named as having none. */
async function withWraps(
  hand: OwnerHand,
  { command, newKey }: Made,
  wraps: ReadonlyMap<MemberId, Bytes>,
  unwrapped: readonly MemberId[],
  good: readonly MemberId[],
): Promise<RotationCommand> {
  const clear =
    unwrapped.length === 0
      ? command.clear
      : signBody(hand.identity, 'rotation', { ...clearOf(command.clear), unwrapped: [...unwrapped] });
  await hand.made(clear, newKey, good);
  return { ...command, clear, wraps: Object.fromEntries<Bytes>(wraps) };
}

/** Another sealed part, and a clear part that names it. */
async function withPayload(
  hand: OwnerHand,
  command: RotationCommand,
  payload: Bytes,
): Promise<RotationCommand> {
  const body = { ...clearOf(command.clear), payload: await nodeHash.sha256(payload) };
  return { ...command, payload, clear: signBody(hand.identity, 'rotation', body) };
}

const sealInner = (hand: OwnerHand, command: RotationCommand, inner: Bytes): Bytes => {
  const { roomId, newEpoch, owner } = clearOf(command.clear);
  return sealCell(hand.key, inner, ctx('rotation', roomId, newEpoch, owner));
};

const innerOf = (
  { roster }: OwnerHand,
  { roomId, newEpoch, owner, head, keyHash }: ReturnType<typeof clearOf>,
) => ({
  roomId, newEpoch, owner, head, keyHash, prekeys: [...roster.members].map(() => 1),
}); // prettier-ignore

const VARIANT: Readonly<Record<(typeof VARIANTS)[number], Variant>> = {
  clear(hand, dice, { command }) {
    const { value, where } = changed(dice, BODIES.rotation, clearOf(command.clear), hand.pool);
    const clear = signBody(hand.identity, 'rotation', value);
    return Promise.resolve({ command: { ...command, clear }, what: where.join() });
  },
  async inner(hand, dice, { command }) {
    const { value, where } = changed(
      dice,
      BODIES.rotationInner,
      innerOf(hand, clearOf(command.clear)),
      hand.pool,
    );
    const payload = sealInner(hand, command, signBody(hand.identity, 'rotationInner', value));
    return { command: await withPayload(hand, command, payload), what: where.join() };
  },
  async payload(hand, dice, { command }) {
    const payload = dice.once(2) ? flipped(command.payload) : nodeRandom.bytes(dice.of([1, 44, 45, 300]));
    return { command: await withPayload(hand, command, payload), what: `of ${String(payload.length)} bytes` };
  },
  async wrap(hand, dice, made) {
    const wraps = new Map(Object.entries(made.command.wraps) as [MemberId, Bytes][]);
    const victim = dice.of(made.members);
    const own = wraps.get(victim) ?? nodeRandom.bytes(60);
    wraps.set(
      victim,
      dice.of([
        nodeRandom.bytes(60),
        flipped(own),
        wraps.get(dice.of(made.members)) ?? own,
        nodeRandom.bytes(1),
      ]),
    );
    const good = made.members.filter((id) => id !== victim);
    return { command: await withWraps(hand, made, wraps, [], good), what: `of ${victim}` };
  },
  async unwrapped(hand, dice, made) {
    const left = made.members.filter((id) => id !== hand.me && dice.once(2));
    const good = made.members.filter((id) => !left.includes(id));
    const wraps = new Map(Object.entries(made.command.wraps) as [MemberId, Bytes][]);
    for (const id of left) wraps.delete(id);
    // Named once, or as often as a list may hold.
    const named = dice.once(3)
      ? Array.from({ length: 220 }, () => left)
          .flat()
          .slice(0, 220)
      : left;
    return { command: await withWraps(hand, made, wraps, named, good), what: String(named.length) };
  },
  async 'no wraps'(hand, _, made) {
    return { command: await withWraps(hand, made, new Map(), [], []), what: 'at all' };
  },
  /** The key that everybody is given is not the one that is named, or it is the one before. */
  async key(hand, dice, { command, newKey }) {
    const { value: keyHash } = changed(
      dice,
      BODIES.rotation.entries.keyHash,
      clearOf(command.clear).keyHash,
      hand.pool,
    );
    const body = { ...clearOf(command.clear), keyHash };
    const inner = signBody(hand.identity, 'rotationInner', innerOf(hand, body));
    const payload = sealInner(hand, command, inner);
    const clear = signBody(hand.identity, 'rotation', { ...body, payload: await nodeHash.sha256(payload) });
    await hand.made(clear, newKey, []);
    return { command: { ...command, clear, payload }, what: 'that nobody has' };
  },
};
