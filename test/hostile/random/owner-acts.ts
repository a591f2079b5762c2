/** Commands of an owner's own hand: of every kind that an owner has, with any field of what it signs or seals. */
import {
  BODIES, encodeCbor, joinReplyBody, keyGrantNews, LIMITS, ProtocolError, type Bytes, type MemberId, type RequestBody,
  type RequestKind,
} from '@0fc/protocol'; // prettier-ignore
import {
  asRoomKey, generateHybridKeyPair, generateKeyPair, hybridPublicKey, makeJoinReply, makeKeyGrant, makeKeyRequest, makePrekey, sealSignal,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { applyRoster, memberIdOf, transcriptHash } from '@0fc/crypto/verify';
import { isRefusal } from '../../../libs/crypto/src/errors.js';
import type { Dice } from '../../support/random.js';
import { Refused } from '../../integration/relay-peer.js';
import { entryAt } from '../members/stolen.js';
import { changed, perhapsChanged } from './changed.js';
import { crypto, type OwnerHand } from './owner-hand.js';
import { anyRotation } from './owner-rotations.js';

/** One request, and in words what is unusual about it. */
export interface Command {
  readonly kind: RequestKind;
  readonly body: Record<string, unknown>;
  readonly what: string;
}

type Act = (hand: OwnerHand, dice: Dice) => Promise<Command | null>;

const command = <K extends RequestKind>(kind: K, body: RequestBody<K>, what: string): Command => ({
  kind, body: body, what,
}); // prettier-ignore

const named = (where: readonly string[]): string =>
  where.length === 0 ? 'as it should be' : `with ${where.join()}`;
const somebody = (hand: OwnerHand, dice: Dice): MemberId => {
  const others = [...hand.roster.members.keys()].filter((id) => id !== hand.me);
  return others.length === 0 ? hand.me : dice.of(others);
};

/** A roster entry, or one of another kind of the same head, changed or not. */
function entry(
  hand: OwnerHand,
  dice: Dice,
  kind: 'admit' | 'settings' | 'transfer' | 'close' | 'remove',
  body: Parameters<OwnerHand['sign']>[1],
): { readonly container: Bytes; readonly what: string } {
  const { value, where } = perhapsChanged(dice, BODIES[kind], body, hand.pool);
  return { container: hand.sign(kind, value as never), what: `${kind} ${named(where)}` };
}

const TEXTS = ['hostile line', 'another hostile line', 'line 1 by Inès', 'line 2 by Tomás'] as const;

const ACTS: Readonly<Record<string, Act>> = {
  message(hand, dice) {
    const { core } = hand.stolen;
    const body = {
      roomId: core.roomId, epoch: hand.epoch, sender: hand.me, instance: core.instance, n: core.nextN + dice.below(40),
      mid: nodeRandom.bytes(16), seen: { position: hand.position, t: transcriptHash(hand.t) }, sentAt: Date.now(),
      content: { type: 'text', text: dice.of(TEXTS) },
    } as const; // prettier-ignore
    const { value, where } = perhapsChanged(dice, BODIES.message, body, hand.pool);
    const roomKey = dice.once(5) ? dice.of([...hand.keys.values()]) : hand.key;
    return Promise.resolve(command('append', { messages: [hand.message(value, roomKey)] }, named(where)));
  },

  /** A content of its own on messages of others: an edit, a reaction, a name of the room. */
  content(hand, dice) {
    const { core } = hand.stolen;
    const to = { sender: somebody(hand, dice), instance: core.instance, n: 1 + dice.below(5) };
    const about = hand.stolen.core.people.length;
    const content = dice.of([
      { type: 'edit', to, text: 'never written' }, { type: 'delete', to }, { type: 'reply', to, text: 'hostile answer' },
      { type: 'reaction', to, emoji: '💥', on: true }, { type: 'roomName', name: `hostile ${String(about)}` },
      { type: 'profile', name: 'Amina' }, { type: 'readMarker', position: { g: 1, s: 2 ** 53 - 1 } }, { type: 'void' },
    ] as const); // prettier-ignore
    const body = {
      roomId: core.roomId, epoch: hand.epoch, sender: hand.me, instance: core.instance, n: core.nextN + dice.below(40),
      mid: nodeRandom.bytes(16), seen: { position: hand.position, t: transcriptHash(hand.t) }, sentAt: Date.now(), content,
    }; // prettier-ignore
    return Promise.resolve(command('append', { messages: [hand.message(body, hand.key)] }, content.type));
  },

  signal(hand, dice) {
    const { core } = hand.stolen;
    const content = {
      type: 'presence',
      seen: { position: hand.position, t: transcriptHash(hand.t) },
      head: hand.roster.head,
    } as const;
    const body = {
      roomId: core.roomId, epoch: hand.epoch, sender: hand.me, instance: core.instance, counter: Date.now(),
      sentAt: Date.now(), content,
    }; // prettier-ignore
    const { value, where } = perhapsChanged(dice, BODIES.signal, body, hand.pool);
    const payload = sealSignal({ identity: hand.identity, roomKey: hand.key, body: value });
    return Promise.resolve(
      command('signal', { epoch: dice.once(6) ? value.epoch : hand.epoch, payload }, named(where)),
    );
  },

  settings(hand, dice) {
    const changes = changed(dice, BODIES.settings.entries.settings, hand.roster.settings, []);
    const { container, what } = entry(hand, dice, 'settings', { ...hand.onHead, settings: changes.value });
    return Promise.resolve(
      command('roster', { entry: container }, `${what}: ${JSON.stringify(changes.value)}`),
    );
  },

  async rotate(hand, dice) {
    const { command: made, what } = await anyRotation(hand, dice, hand.roster);
    return command('rotate', made, what);
  },

  async remove(hand, dice) {
    const member = somebody(hand, dice);
    const { container, what } = entry(hand, dice, 'remove', { ...hand.onHead, member, reason: 'removed' });
    if (dice.once(4)) return command('roster', { entry: container }, `${what}, alone`);
    const after = await rosterAfter(hand, container);
    const { command: rotation, what: how } = await anyRotation(hand, dice, after);
    return command('roster', { entry: container, rotation }, `${what}, rotation ${how}`);
  },

  offer(hand, dice) {
    const to = somebody(hand, dice);
    const body = {
      roomId: hand.roster.roomId,
      head: hand.roster.head,
      old: hand.me,
      new: to,
      nonce: nodeRandom.bytes(16),
    };
    const { value, where } = perhapsChanged(dice, BODIES.transferOffer, body, hand.pool);
    const whom = dice.once(6) ? somebody(hand, dice) : value.new;
    return Promise.resolve(
      command('transferOffer', { to: whom, offer: hand.sign('transferOffer', value) }, named(where)),
    );
  },

  transfer(hand, dice) {
    const accepted = hand.peer.told('transferAccepted');
    if (accepted.length === 0) return Promise.resolve(null);
    const { from: to, acceptance } = dice.of(accepted);
    const { container, what } = entry(hand, dice, 'transfer', { ...hand.onHead, to, acceptance });
    return Promise.resolve(command('roster', { entry: container }, what));
  },

  async reply(hand, dice) {
    const asked = await hand.asked();
    if (asked.length === 0) return null;
    const { join, joinKey } = dice.of(asked);
    const token = hand.stolen.invites.find(({ inviteId }) => inviteId === join.inviteId)?.token ?? null;
    if (token === null) return null;
    const { value: reply, where } = perhapsChanged(dice, joinReplyBody, hand.reply, hand.pool);
    const joiner = await memberIdOf(nodeHash, join.joinerKey);
    const place = {
      owner: hand.identity,
      joinKey,
      token,
      roomId: hand.roster.roomId,
      joiner,
      request: join.request,
    };
    const payload = await makeJoinReply(nodeHash, { ...place, reply });
    const epoch = dice.once(6) ? reply.epoch : hand.epoch;
    return command('joinReply', { inviteId: join.inviteId, epoch, payload }, named(where));
  },

  async admit(hand, dice) {
    const asked = await hand.asked();
    if (asked.length === 0) return null;
    const { join, prekey, ek } = dice.of(asked);
    const body = { ...hand.onHead, key: join.joinerKey, prekey, inviteId: join.inviteId };
    const { container, what } = entry(hand, dice, 'admit', body);
    const beside = dice.once(5) ? {} : { ek: dice.once(4) ? nodeRandom.bytes(ek.length) : ek };
    return command('roster', { entry: container, ...beside }, what);
  },

  /** Keys of its own, which nobody has invited, brought in as if the store had lost them. */
  async puppet(hand, dice) {
    const { roomId } = hand.roster;
    const pair = generateKeyPair();
    const id = await memberIdOf(nodeHash, pair.publicKey);
    const { prekey } = await makePrekey(crypto, { identity: pair, roomId, memberId: id, k: 1 });
    const inviteId = Buffer.from(nodeRandom.bytes(16)).toString('base64url');
    const body = { ...hand.onHead, key: pair.publicKey, prekey, inviteId } as never;
    const { container, what } = entry(hand, dice, 'admit', body);
    hand.puppets.push(pair);
    return restored(hand, 'roster', { payload: container }, what);
  },

  /** A rotation that comes as if the store had lost it: with nobody's wrap. */
  async lost(hand, dice) {
    const { command: made, what } = await anyRotation(hand, dice, hand.roster);
    await hand.made(made.clear, asRoomKey(nodeRandom.bytes(32)), []);
    return restored(hand, 'rotation', { clear: made.clear, payload: made.payload }, `rotation ${what}`);
  },

  async grant(hand, dice) {
    const needed = hand.peer.told('keyNeeded').filter(({ from }) => hand.roster.members.has(from));
    if (needed.length === 0 || !hand.owns) return null;
    const { from: to, request } = dice.of(needed);
    const { profiles, roomName } = hand.reply;
    const { value: news, where } = perhapsChanged(dice, keyGrantNews, { profiles, roomName }, hand.pool);
    const roomKey = dice.once(5) ? dice.of([...hand.keys.values()]) : hand.key;
    const epoch = dice.once(6) ? Math.max(1, hand.epoch - 1) : hand.epoch;
    const { identity, roster } = hand;
    const rotation = await hand.begin();
    const granting = { identity, roster, epoch, roomKey, to, request, rotation, news };
    // A request of another epoch has no answer, whoever makes it.
    const made = await makeKeyGrant(crypto, granting).catch((error: unknown) => {
      if (isRefusal(error)) return null;
      throw error;
    });
    if (made === null) return null;
    return command('keyGrant', { to: dice.once(6) ? somebody(hand, dice) : to, ...made }, named(where));
  },

  async prekey(hand, dice) {
    const { key, ek } = hybridPublicKey(generateHybridKeyPair(nodeRandom));
    const ekHash = await nodeHash.sha256(ek);
    const body = { roomId: hand.roster.roomId, memberId: hand.me, k: 1 + dice.below(9), key, ekHash };
    const { value, where } = perhapsChanged(dice, BODIES.prekey, body, hand.pool);
    const beside = dice.once(4) ? nodeRandom.bytes(ek.length) : ek;
    return command('prekey', { prekey: hand.sign('prekey', value), ek: beside }, named(where));
  },

  async need(hand, dice) {
    const { identity, me: memberId, roster, epoch } = hand;
    const rotation = dice.once(4) ? nodeRandom.bytes(32) : await hand.begin();
    const { container } = makeKeyRequest(crypto, {
      identity, roomId: roster.roomId, memberId, rotation, epoch: dice.once(4) ? epoch + 1 : epoch, failed: [],
    }); // prettier-ignore
    const request = dice.once(3) ? dice.of(hand.containers) : container;
    return command('needKey', { request }, 'of its own');
  },

  drop(hand, dice) {
    const inviteId = dice.of(hand.stolen.invites).inviteId;
    const reason = dice.of(['declined', 'badProof', 'expired', 'badConfirm', 'other', 'altered'] as const);
    const release = dice.once(2);
    return Promise.resolve(command('joinDrop', { inviteId, release, reason }, reason));
  },

  close(hand, dice) {
    // Nothing comes after it: one run in a few has it, and most of those late.
    if (!dice.once(4)) return Promise.resolve(null);
    const { container, what } = entry(hand, dice, 'close', hand.onHead);
    return Promise.resolve(command('roster', { entry: container }, what));
  },
};

function restored(
  hand: OwnerHand,
  kind: 'roster' | 'rotation',
  parts: { readonly clear?: Bytes; readonly payload: Bytes },
  what: string,
): Command {
  const position = { ...hand.position, s: hand.position.s + 1 };
  const entries = [entryAt(position, kind, hand.me, parts)];
  return command('restore', { roomId: hand.roster.roomId, entries }, what);
}

/** After an entry that may be refused: then as before. */
async function rosterAfter(hand: OwnerHand, container: Bytes) {
  try {
    return (await applyRoster(nodeHash, hand.roster, container)).roster;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return hand.roster;
  }
}

/** What is tried more often than the rest. */
const WEIGHTS: Readonly<Record<string, number>> = {
  message: 3, content: 3, signal: 2, settings: 3, rotate: 4, reply: 5, admit: 4, puppet: 2, grant: 3, offer: 2, transfer: 3,
}; // prettier-ignore
const WEIGHTED = Object.keys(ACTS).flatMap((name) => Array.from({ length: WEIGHTS[name] ?? 1 }, () => name));

/** What waits for an answer is answered more often than chance would have it: else few joins would come to an end. */
async function due(hand: OwnerHand): Promise<readonly string[]> {
  const joins = (await hand.asked()).some(({ join }) => !hand.roster.invites.includes(join.inviteId));
  const accepted = hand.owns && hand.peer.told('transferAccepted').length > 0;
  return [...(joins ? ['reply', 'reply', 'admit'] : []), ...(accepted ? ['transfer'] : [])];
}

/** Any command that can be made at this moment; what has no encoding is no command. */
export async function anyCommand(hand: OwnerHand, dice: Dice): Promise<(Command & { act: string }) | null> {
  const waiting = await due(hand);
  const act = waiting.length > 0 && dice.once(3) ? dice.of(waiting) : dice.of(WEIGHTED);
  try {
    const made = await ACTS[act]?.(hand, dice);
    return made === null || made === undefined || tooLarge(made) ? null : { ...made, act };
  } catch (error) {
    // Of its own hand: a body that no codec takes, a key that is no point of the curve. Or it owns the room no more.
    if (isRefusal(error) || error instanceof Refused) return null;
    throw error;
  }
}

/** Beyond what a frame may hold the link would be cut, which is not what is tried here. */
function tooLarge({ body }: Command): boolean {
  try {
    return encodeCbor(body as never).length > LIMITS.frameBytes / 2;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    throw error;
  }
}
