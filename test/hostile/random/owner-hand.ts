/** An owner whose keys are used by hand: what it knows of its room at each moment, as a client of it would. */
import {
  decodeBody, decodeMessageClear, toHex, type Body, type BodyKind, type Bytes, type CborValue, type Entry,
  type JoinReplyBody, type MemberId, type OwnerJoin, type Position, type RequestBody, type RequestKind, type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import {
  asRoomKey, type JoinKey, type KeyPair, makeJoinReply, makeRotation, openJoinRequest, openMessage,
  type RoomKey, sealMessage, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import {
  applyRoster,
  bodyHash,
  containerBody,
  transcriptOver,
  memberIdOf,
  verifyPrekey,
  type Roster,
  transcriptHash,
  type HybridPrekey,
} from '@0fc/crypto/verify';
import { isRefusal } from '../../../libs/crypto/src/errors.js';
import type { OwnerInvite } from '../../../libs/client/src/vault/records.js';
import type { Member } from '../../support/member.js';
import { Peer, Refused } from '../../integration/relay-peer.js';
import { Stolen } from '../members/stolen.js';
import type { LyingRelay } from '../relay/lying-relay.js';

export const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

/** What a joiner has asked with, opened. */
export interface Asked {
  readonly join: OwnerJoin;
  readonly joinKey: JoinKey;
  readonly prekey: Bytes;
  readonly ek: Bytes;
}

/** How a join reply describes the epoch that it gives the key of. */
type Floor = Pick<JoinReplyBody, 'floor' | 't' | 'rotation'> & { readonly counters: Counters };
type Counters = JoinReplyBody['counters'];

/** What a request ended in: 'done', or the code that it was refused with. */
export type Passed = (kind: RequestKind, body: Record<string, unknown>) => Promise<string>;

export class OwnerHand {
  readonly stolen: Stolen;
  readonly peer: Peer;
  /** after the log as far as it was read */
  roster: Roster;
  epoch: number;
  position: Position;
  t: Bytes;
  /** keys of epochs; of one whose rotation named a key that nobody has, any bytes */
  readonly keys = new Map<number, RoomKey>();
  floor: Floor;
  /** whom the current key has been given to as an honest owner would */
  holders: ReadonlySet<MemberId>;
  /** ids of everybody that this owner has removed */
  readonly removed = new Set<MemberId>();
  /** signed or sealed things of this room: they may stand where others should */
  readonly containers: Bytes[] = [];
  /** keys of its own that it tries to have as members */
  readonly puppets: KeyPair[] = [];
  #read = 0;
  readonly #counters = new Map<MemberId, Counters[number]>();
  readonly #made = new Map<string, { readonly key: RoomKey; readonly to: ReadonlySet<MemberId> }>();

  private constructor(stolen: Stolen, peer: Peer) {
    this.stolen = stolen;
    this.peer = peer;
    const { core, roster, current, chain } = stolen;
    this.roster = roster;
    this.epoch = core.epoch;
    this.position = current.floor;
    if (current.t === null) throw new Error('the beginning of the epoch is not known');
    this.t = current.t;
    for (const { epoch, key } of core.keys) if (key !== null) this.keys.set(epoch, key);
    const { floor, rotation, counters } = current;
    this.floor = {
      floor,
      t: transcriptHash(current.t),
      rotation,
      counters: [...counters].filter(({ n }) => n > 0),
    };
    this.holders = new Set(roster.members.keys());
    this.containers.push(...chain);
  }

  /** The member's client is left; its keys read the log from the beginning of the epoch on, and go live. */
  static async of(member: Member, roomId: string, relay: LyingRelay): Promise<OwnerHand> {
    await member.leave();
    const stolen = await Stolen.from(member, roomId);
    const peer = await Peer.connect(relay, stolen.identity);
    const hand = new OwnerHand(stolen, peer);
    const { roomId: room } = stolen.core;
    for (let live = false; !live;) {
      const at = { after: hand.position, head: hand.roster.head, epoch: hand.epoch };
      const reply = await peer.request('open', { roomId: room, ...at });
      for (const entry of reply.entries) await hand.#take(entry);
      ({ live } = reply);
    }
    return hand;
  }

  get identity(): KeyPair {
    return this.stolen.identity;
  }

  get me(): MemberId {
    return this.stolen.me;
  }

  get owns(): boolean {
    return this.roster.owner === this.me;
  }

  get key(): RoomKey {
    return this.keys.get(this.epoch) ?? asRoomKey(nodeRandom.bytes(32));
  }

  /** Body hash of what began the epoch: a rotation, or genesis. */
  begin(): Promise<Bytes> {
    return bodyHash(nodeHash, this.floor.rotation ?? this.containers[0]!);
  }

  /** Reads what the feed has brought since. */
  async follow(): Promise<void> {
    const entries = this.peer.entries;
    for (const entry of entries.slice(this.#read)) {
      this.#read += 1;
      if (entry.position.s > this.position.s) await this.#take(entry);
    }
  }

  async #take(entry: Entry): Promise<void> {
    this.t = await transcriptOver(nodeHash, this.t, entry);
    this.position = entry.position;
    // Its client had followed the roster already; the messages of the epoch are counted for join replies.
    const known = entry.position.s <= this.stolen.core.position.s;
    if (entry.kind === 'roster') await (known ? undefined : this.#takeRoster(entry));
    else if (entry.kind === 'rotation') await this.#takeRotation(entry);
    else if (entry.kind === 'message') this.#takeMessage(entry);
    else this.containers.push(entry.payload);
  }

  async #takeRoster({ payload }: Entry): Promise<void> {
    const before = this.roster;
    this.roster = (await applyRoster(nodeHash, before, payload)).roster;
    this.containers.push(payload);
    for (const id of before.members.keys()) if (!this.roster.members.has(id)) this.#forget(id);
  }

  #forget(id: MemberId): void {
    this.removed.add(id);
    this.holders = new Set([...this.holders].filter((holder) => holder !== id));
  }

  async #takeRotation({ clear, position }: Entry): Promise<void> {
    const { body } = decodeBody(containerBody(clear), 'rotation');
    this.epoch = body.newEpoch;
    this.containers.push(clear);
    const made = this.#made.get(toHex(await bodyHash(nodeHash, clear)));
    this.keys.set(this.epoch, made?.key ?? asRoomKey(nodeRandom.bytes(32)));
    this.holders = new Set([...this.holders].filter((holder) => made?.to.has(holder) === true));
    this.floor = {
      floor: position,
      t: transcriptHash(this.t),
      rotation: clear,
      counters: [...this.#counters.values()],
    };
  }

  #takeMessage({ sender, clear, payload }: Entry): void {
    const { roomId } = this.roster;
    const epoch = decodeMessageClear(clear);
    const roomKey = this.keys.get(epoch);
    const senderKey = this.roster.members.get(sender)?.key;
    if (roomKey === undefined || senderKey === undefined) return;
    try {
      const { body } = openMessage({ roomKey, roomId, epoch, sender, senderKey, payload });
      this.#counters.set(sender, { sender, instance: body.instance, n: body.n });
    } catch (error) {
      // Of its own hand, and not meant to be opened by anybody.
      if (!isRefusal(error)) throw error;
    }
  }

  /** A request over this owner's session; what an honest relay refuses has no effect. */
  readonly pass: Passed = async (kind, body) => {
    if (this.peer.closed !== null) return 'CLOSED';
    const [answer] = this.peer.raw({ kind, body });
    try {
      await answer;
      return 'done';
    } catch (error) {
      if (error instanceof Refused) return error.code;
      throw error;
    }
  };

  sign<K extends BodyKind>(kind: K, body: Body<K>): Bytes {
    const container = signBody(this.identity, kind, body);
    this.containers.push(container);
    return container;
  }

  /** Where every entry stands that is signed now. */
  get onHead(): Pick<Body<'close'>, 'roomId' | 'epoch' | 'head' | 'owner'> {
    const { roomId, head } = this.roster;
    return { roomId, epoch: this.epoch, head, owner: this.me };
  }

  /** A rotation as an honest owner makes it, on this roster. */
  async rotation(roster: Roster): Promise<{ command: RotationCommand; newKey: RoomKey }> {
    const prekeys = new Map<MemberId, HybridPrekey>();
    const offered = await this.peer.request('prekeys', {});
    for (const { memberId, prekey } of offered.prekeys) {
      if (prekey !== null && roster.members.has(memberId))
        prekeys.set(memberId, await verifyPrekey(nodeHash, roster, memberId, prekey));
    }
    const { identity, epoch, key: roomKey } = this;
    const made = await makeRotation(crypto, {
      identity,
      roster,
      epoch,
      roomKey,
      base: this.floor.t,
      prekeys,
      least: new Map(),
    });
    return { command: made.command, newKey: made.newKey };
  }

  /** Remembers what a rotation gives to whom, for when the log has it. */
  async made(clear: Bytes, key: RoomKey, to: Iterable<MemberId>): Promise<void> {
    this.#made.set(toHex(await bodyHash(nodeHash, clear)), { key, to: new Set(to) });
  }

  /** Verified joins that the relay has reported, the newest of each invite. */
  async asked(): Promise<readonly Asked[]> {
    const newest = new Map(this.peer.told('join').map((join) => [join.inviteId, join]));
    const opened: Asked[] = [];
    for (const join of newest.values()) {
      const invite = this.stolen.invites.find(({ inviteId }) => inviteId === join.inviteId);
      const asked = invite === undefined ? null : await this.#opened(invite, join);
      if (asked !== null) opened.push(asked);
    }
    return opened;
  }

  async #opened({ inviteId, token, pair }: OwnerInvite, join: OwnerJoin): Promise<Asked | null> {
    if (token === null || pair === null) return null;
    const { joinKey, prekey, ek } = await openJoinRequest(crypto, {
      roomId: this.roster.roomId, inviteId, ownerKey: this.identity.publicKey, token, inviteKeyPair: pair,
      joinerKey: join.joinerKey, payload: join.request,
    }); // prettier-ignore
    return { join, joinKey, prekey, ek };
  }

  /** The reply that an honest owner gives at this moment. */
  get reply(): JoinReplyBody {
    const { core } = this.stolen;
    return {
      epoch: this.epoch, key: this.key, head: this.roster.head, ...this.floor, counters: [...this.floor.counters],
      profiles: core.people.flatMap(({ memberId, proof }) =>
        proof === null || !this.roster.members.has(memberId) ? [] : [proof],
      ),
      roomName: core.roomName?.proof ?? null,
    }; // prettier-ignore
  }

  /** The reply to a join with so many signed names in it, taken from those that are known, over and over. */
  async replyTo(
    { join, joinKey }: Asked,
    profiles: number,
  ): Promise<{ readonly bytes: number; readonly body: RequestBody<'joinReply'> }> {
    const { inviteId } = join;
    const token = this.stolen.invites.find((invite) => invite.inviteId === inviteId)?.token ?? null;
    const known = this.reply.profiles;
    if (token === null || known.length === 0) throw new Error('nothing to reply with');
    const named = Array.from(
      { length: profiles },
      (_, at) => known[at % known.length] ?? nodeRandom.bytes(1),
    );
    const joiner = await memberIdOf(nodeHash, join.joinerKey);
    const place = {
      owner: this.identity,
      joinKey,
      token,
      roomId: this.roster.roomId,
      joiner,
      request: join.request,
    };
    const payload = await makeJoinReply(nodeHash, { ...place, reply: { ...this.reply, profiles: named } });
    return { bytes: payload.length, body: { inviteId, epoch: this.epoch, payload } };
  }

  admitOf({ join, prekey }: Asked): Bytes {
    const { joinerKey: key, inviteId } = join;
    return this.sign('admit', { ...this.onHead, key, prekey, inviteId });
  }

  /** A message of this owner's, whatever it holds. */
  message(body: Body<'message'>, roomKey: RoomKey): { readonly clear: Bytes; readonly payload: Bytes } {
    const { clear, payload, container } = sealMessage({ identity: this.identity, roomKey, body });
    this.containers.push(container);
    return { clear, payload };
  }

  /** What may stand in a field for something else of its sort. */
  get pool(): readonly CborValue[] {
    const { roster, keys, containers, position, floor } = this;
    const people = [...roster.members.values(), ...this.puppets.map(({ publicKey }) => ({ key: publicKey }))];
    return [
      ...roster.members.keys(), ...roster.former.keys(), roster.owner, roster.roomId, ...roster.invites,
      ...this.stolen.invites.map(({ inviteId }) => inviteId),
      ...people.map(({ key }) => key), roster.head, roster.genesisKeyHash, this.t, floor.t ?? this.t, ...keys.values(),
      ...containers, this.stolen.core.instance,
      position.s, position.s + 1, position.s + 9, floor.floor.s, this.epoch, this.epoch + 1, this.epoch - 1, 1, 0, 2,
    ]; // prettier-ignore
  }
}
