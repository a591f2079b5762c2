/** Somebody who has links and nothing else, and whose every key, proof and frame is made by hand. */
import {
  BODIES, concat, ctx, pad, type Body, type Bytes, type InviteId, type InviteLink,
  type RequestKind,
} from '@0fc/protocol'; // prettier-ignore
import {
  asInviteToken, asJoinKey, asRoomKey, generateKeyPair, type JoinKey, type KeyPair, makePrekey, openJoinReply,
  parseInvite, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { encryptTo } from '../../../libs/crypto/src/keys/envelope.js';
import { sealCell } from '../../../libs/crypto/src/cell.js';
import { isRefusal } from '../../../libs/crypto/src/errors.js';
import type { Dice } from '../../support/random.js';
import { until } from '../../support/wait.js';
import { Peer, Refused } from '../../integration/relay-peer.js';
import { anyBodies } from '../members/any-bodies.js';
import type { LyingRelay } from '../relay/lying-relay.js';
import { perhapsChanged, type Pool } from './changed.js';

type Link = InviteLink & { readonly inviteId: InviteId };

/** One key of a joiner's, and how far it has come with a link. */
interface Guise {
  readonly identity: KeyPair;
  readonly link: Link;
  peer: Peer;
  joinKey: JoinKey;
  /** the last one that it sent; null: none */
  request: Bytes | null;
  /** the relay takes it for the claimant of its link */
  claimed: boolean;
}

/** Most keys that it uses at a time: more of them only repeat what the first ones do. */
const GUISES = 5;
/** How often in a row a link is claimed for nothing, where its owner lets it. */
export const BURST = 40;

export class JoinerHand {
  readonly #relay: LyingRelay;
  readonly #links: readonly Link[];
  readonly #guises: Guise[] = [];
  /** invites for which a request was sent that proves itself: for them, and no others, a key may be given */
  readonly proven = new Set<InviteId>();
  /** how often in a row the owner has refused one link, and let it be claimed again */
  longestBurst = 0;

  private constructor(relay: LyingRelay, links: readonly Link[]) {
    this.#relay = relay;
    this.#links = links;
  }

  static async of(relay: LyingRelay, links: readonly string[]): Promise<JoinerHand> {
    return new JoinerHand(relay, await Promise.all(links.map((link) => parseInvite(nodeHash, link))));
  }

  leave(): void {
    for (const { peer } of this.#guises) peer.leave();
  }

  /** Any one act; in words what it was, and what it came to. */
  async act(dice: Dice): Promise<string> {
    const guise = await this.#guise(dice);
    const act = nextOf(guise, dice);
    try {
      return `${act}: ${await ACTS[act](this, guise, dice)}`;
    } catch (error) {
      // Of its own hand: a body that no codec takes, a key that is no point of the curve.
      if (isRefusal(error)) return `${act}: not made, ${error.code}`;
      throw error;
    }
  }

  /** One that is there, or a new one of any link. */
  async #guise(dice: Dice): Promise<Guise> {
    const known = this.#guises;
    if (known.length > 0 && (known.length >= GUISES || !dice.once(4))) {
      // Whoever has come further goes on more often.
      const claimed = known.filter((one) => one.claimed);
      const guise = claimed.length > 0 && !dice.once(3) ? dice.of(claimed) : dice.of(known);
      if (guise.peer.closed !== null) await this.again(guise);
      return guise;
    }
    const identity = generateKeyPair();
    const peer = await Peer.connect(this.#relay, identity);
    const link = dice.of(this.#links);
    const guise = {
      identity,
      link,
      peer,
      joinKey: asJoinKey(nodeRandom.bytes(32)),
      request: null,
      claimed: false,
    };
    known.push(guise);
    return guise;
  }

  async again(guise: Guise): Promise<void> {
    guise.peer.leave();
    guise.claimed = false;
    guise.peer = await Peer.connect(this.#relay, guise.identity);
  }

  drop(guise: Guise): void {
    guise.peer.leave();
    this.#guises.splice(this.#guises.indexOf(guise), 1);
  }

  get pool(): Pool {
    const links = this.#links.flatMap(({ inviteId, ownerKey, inviteKey, token, roomId }) => [
      inviteId, ownerKey, inviteKey, token, roomId,
    ]); // prettier-ignore
    const own = this.#guises.flatMap(({ identity, joinKey, request, peer }) => [
      identity.publicKey, joinKey, peer.memberId, ...(request === null ? [] : [request]),
    ]); // prettier-ignore
    return [...links, ...own, 0, 1, 2];
  }
}

async function send(guise: Guise, kind: RequestKind, body: Record<string, unknown>): Promise<string> {
  const [answer] = guise.peer.raw({ kind, body });
  try {
    await answer;
    return 'done';
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // Its claim has been dropped meanwhile.
    if (error.code === 'FORBIDDEN' || error.code === 'INVITE_UNKNOWN') guise.claimed = false;
    return error.code;
  }
}

const named = (where: readonly string[]): string =>
  where.length === 0 ? 'as it should be' : `with ${where.join()}`;
const maybe = <T>(dice: Dice, value: T, pool: Pool): T => {
  if (!dice.once(6)) return value;
  const fitting = pool.filter((other) => typeof other === typeof value && !(other instanceof Uint8Array));
  return fitting.length === 0 ? value : (dice.of(fitting) as T);
};

type Act = (hand: JoinerHand, guise: Guise, dice: Dice) => Promise<string>;

const ACTS = {
  async claim(hand, guise, dice) {
    const { roomId, inviteId } = guise.link;
    const named = maybe(dice, inviteId, hand.pool);
    const end = await send(guise, 'claim', { roomId, inviteId: named });
    guise.claimed ||= end === 'done' && named === inviteId;
    // Somebody else has the link, and this key will not.
    if (end === 'INVITE_TAKEN' || end === 'INVITE_USED') hand.drop(guise);
    return end;
  },

  /** The proof: signed by this key, sealed with the link's token, encrypted to the invite's key; or not quite. */
  async request(hand, guise, dice) {
    const { identity, link, joinKey, peer } = guise;
    const { roomId, inviteId, ownerKey, inviteKey, token } = link;
    const { prekey, ek } = await makePrekey(
      { hash: nodeHash, random: nodeRandom },
      { identity, roomId, memberId: peer.memberId, k: 1 },
    );
    const ordinary: Body<'joinRequest'> = {
      roomId, inviteId, ownerKey, inviteKey, joinerKey: identity.publicKey, joinKey, prekey, ek, name: 'Mallory',
    }; // prettier-ignore
    const { value, where } = perhapsChanged(dice, BODIES.joinRequest, ordinary, hand.pool);
    const spoilt = dice.once(5) ? dice.of(['signature', 'token', 'invite key', 'bytes'] as const) : null;
    const signer = spoilt === 'signature' ? generateKeyPair() : identity;
    const secret = spoilt === 'token' ? asInviteToken(nodeRandom.bytes(32)) : token;
    const to = spoilt === 'invite key' ? ownerKey : inviteKey;
    const place = ctx('join-request', roomId, inviteId, identity.publicKey);
    const sealed = sealCell(secret, pad(signBody(signer, 'joinRequest', value)), place);
    const throwAway = generateKeyPair();
    const proof = concat(throwAway.publicKey, encryptTo(throwAway.privateKey, to, sealed));
    const request = spoilt === 'bytes' ? nodeRandom.bytes(1 + dice.below(400)) : proof;
    // Of a body that was changed nobody says here whether it proves itself still: its name may differ.
    if (spoilt === null) hand.proven.add(inviteId);
    const end = await send(guise, 'joinRequest', { inviteId: maybe(dice, inviteId, hand.pool), request });
    if (end === 'done') guise.request = request;
    return `${named(where)}, ${spoilt ?? 'whole'}: ${end}`;
  },

  async confirm(hand, guise, dice) {
    const { identity, link, joinKey, peer, request } = guise;
    const { roomId, inviteId, ownerKey, token } = link;
    const told = peer.told('joinState').findLast(({ reply }) => reply !== undefined)?.reply;
    let [epoch, roomKey, reply] = [1, asRoomKey(nodeRandom.bytes(32)), nodeRandom.bytes(32)];
    if (told !== undefined && request !== null) {
      const place = { joinKey, token, roomId, joiner: peer.memberId, ownerKey, request };
      const opened = await openJoinReply(nodeHash, { ...place, ...told });
      [epoch, roomKey, reply] = [told.epoch, opened.key, await nodeHash.sha256(told.payload)];
    }
    const body = {
      roomId, epoch, joiner: peer.memberId, request: await nodeHash.sha256(request ?? nodeRandom.bytes(9)), reply,
    }; // prettier-ignore
    const { value, where } = perhapsChanged(dice, BODIES.joinConfirm, body, hand.pool);
    const container = signBody(identity, 'joinConfirm', value);
    const payload = sealCell(roomKey, container, ctx('join-confirm', roomId, epoch, peer.memberId));
    const answered = told === undefined ? 'unanswered' : 'answered';
    return `${answered}, ${named(where)}: ${await send(guise, 'joinConfirm', { inviteId, epoch, payload })}`;
  },

  /** With the same key on a new connection. */
  async again(hand, guise) {
    await hand.again(guise);
    return Promise.resolve('done');
  },

  /** One link claimed and asked by with nonsense, over and over: for as long as its owner lets it be claimed again. */
  async burst(hand, guise) {
    const { peer, link } = guise;
    const { roomId, inviteId } = link;
    const dropped = (): number => peer.told('joinState').filter(({ stage }) => stage === 'dropped').length;
    for (let time = 0; time < BURST; time++) {
      const before = dropped();
      const end = await send(guise, 'claim', { roomId, inviteId });
      if (end !== 'done') return `${String(time)} times, then ${end}`;
      const asked = await send(guise, 'joinRequest', { inviteId, request: nodeRandom.bytes(200) });
      // A request of before is there already, and proves itself or is being refused.
      if (asked !== 'done') return `${String(time)} times, then ${asked}`;
      await until('the owner’s refusal', () => dropped() > before);
      hand.longestBurst = Math.max(hand.longestBurst, time + 1);
    }
    return `${String(BURST)} times`;
  },

  chain: (_, guise, dice) => send(guise, 'chain', { from: dice.of([0, 1, 9, 2 ** 53 - 1]) }),

  /** Whatever is not a joiner's to ask. */
  async other(_, guise, dice) {
    const { roomId } = guise.link;
    const all = anyBodies({ roomId, head: nodeRandom.bytes(32) });
    const [kind, body] = dice.of(all.filter(([one]) => !['create', 'claim'].includes(one)));
    return `${kind}: ${await send(guise, kind, body)}`;
  },
} satisfies Readonly<Record<string, Act>>;

/** What is tried more often than the rest. */
const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  claim: 2, request: 6, confirm: 4, again: 1, burst: 1, chain: 1, other: 1,
}; // prettier-ignore
const WEIGHTED = (Object.keys(ACTS) as (keyof typeof ACTS)[]).flatMap((name) =>
  Array.from({ length: WEIGHTS[name] }, () => name),
);

/** What comes next in the order that joins have, more often than not. */
function nextOf({ claimed, peer, request }: Guise, dice: Dice): keyof typeof ACTS {
  if (dice.once(3)) return dice.of(WEIGHTED);
  if (!claimed) return 'claim';
  const answered = peer.told('joinState').some(({ reply }) => reply !== undefined);
  return request !== null && answered ? 'confirm' : 'request';
}
