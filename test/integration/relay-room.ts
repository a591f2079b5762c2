/** A room at the relay, made by bare peers: signed entries are real, what is only sealed is any bytes. */
import {
  encodeMessageClear, toBase64Url, type Bytes, type InviteId, type MemberId, type PublishedPrekey, type RoomId, type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import {
  createGenesis, hybridPublicKey, makePrekey, makeRotation, type NewRoom, type RoomKey, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { applyRoster, startRoster, type Roster, type HybridPrekey } from '@0fc/crypto/verify';
import type { KeyPair } from '@0fc/crypto/link';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import type { Socket } from 'socket.io-client';
import { Peer, type PeerSocket, type RelayAddress } from './relay-peer.js';

export const ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };
export const SETTINGS = {
  rotateEvery: 100,
  maxMembers: 16,
  history: 1_000,
  approval: false,
  joinDeadline: 86_400_000,
};

export const anyBytes = (length: number): Bytes => nodeRandom.bytes(length);
export const message = (epoch = 1, length = 64): { clear: Bytes; payload: Bytes } => ({
  clear: encodeMessageClear(epoch),
  payload: anyBytes(length),
});
export const newInviteId = (): InviteId => toBase64Url(anyBytes(16)) as InviteId;

export class TestRoom<S extends PeerSocket = Socket> {
  readonly relay: RelayAddress;
  readonly made: NewRoom;
  owner: Peer<S>;
  roster: Roster;
  epoch = 1;
  #roomKey: RoomKey;
  readonly #prekeys = new Map<MemberId, HybridPrekey>();

  private constructor(relay: RelayAddress, made: NewRoom, owner: Peer<S>, roster: Roster) {
    this.relay = relay;
    this.made = made;
    this.owner = owner;
    this.roster = roster;
    this.#roomKey = made.roomKey;
    this.#prekeys.set(roster.owner, { k: 1, ...hybridPublicKey(made.prekey) });
  }

  get roomId(): RoomId {
    return this.made.roomId;
  }

  /** A room whose owner is live. */
  static create(relay: RelayAddress, settings: Partial<typeof SETTINGS> = {}): Promise<TestRoom> {
    return TestRoom.over(relay, settings, (identity) => Peer.connect(relay, identity));
  }

  static async over<S extends PeerSocket>(
    relay: RelayAddress,
    settings: Partial<typeof SETTINGS>,
    connect: (identity: KeyPair) => Promise<Peer<S>>,
  ): Promise<TestRoom<S>> {
    const made = await createGenesis(ports, { settings: { ...SETTINGS, ...settings } });
    const owner = await connect(made.identity);
    await owner.request('create', { genesis: made.container });
    const room = new TestRoom(relay, made, owner, await startRoster(nodeHash, made.container));
    await room.open(owner);
    return room;
  }

  open(peer: Peer<PeerSocket>, after: { g: number; s: number } | null = { g: 1, s: 0 }) {
    return peer.request('open', { roomId: this.roomId, after, head: null, epoch: 0 });
  }

  async signed(kind: 'remove' | 'settings' | 'close' | 'leave' | 'transfer', fields: object): Promise<Bytes> {
    const { roomId, epoch } = this;
    const body = { roomId, epoch, head: this.roster.head, owner: this.owner.memberId, ...fields };
    return signBody(this.owner.identity, kind, body as never);
  }

  async apply(entry: Bytes): Promise<void> {
    this.roster = (await applyRoster(nodeHash, this.roster, entry)).roster;
  }

  /** The whole join of one peer; live afterwards. */
  async join(peer: Peer<PeerSocket>): Promise<void> {
    const inviteId = newInviteId();
    const { owner, roomId, epoch } = this;
    await owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    await peer.request('claim', { roomId, inviteId });
    await peer.request('joinRequest', { inviteId, request: anyBytes(200) });
    await owner.request('joinReply', { inviteId, epoch, payload: anyBytes(200) });
    await peer.request('joinConfirm', { inviteId, epoch, payload: anyBytes(100) });
    const { prekey, ek } = await this.prekey(peer, 1);
    const entry = await this.admit(peer, inviteId, prekey);
    await owner.request('roster', { entry, ek });
    await this.apply(entry);
    await this.open(peer);
  }

  /** A prekey of a member's, which the room's rotations wrap to from then on. */
  async prekey(peer: Peer<PeerSocket>, k: number): Promise<PublishedPrekey> {
    const { identity, memberId } = peer;
    const made = await makePrekey(ports, { identity, roomId: this.roomId, memberId, k });
    const { keyPair, ...published } = made;
    this.#prekeys.set(memberId, { k, ...hybridPublicKey(keyPair) });
    return published;
  }

  /** `prekey`: the signed first one of the joiner; one of its own by default. */
  async admit(peer: Peer<PeerSocket>, inviteId: InviteId, prekey?: Bytes): Promise<Bytes> {
    return signBody(this.owner.identity, 'admit', {
      roomId: this.roomId,
      head: this.roster.head,
      owner: this.owner.memberId,
      key: peer.identity.publicKey,
      prekey: prekey ?? (await this.prekey(peer, 1)).prekey,
      epoch: this.epoch,
      inviteId,
    });
  }

  /** A rotation on a roster; the room's own by default. */
  async rotation(roster: Roster = this.roster): Promise<{ command: RotationCommand; done: () => void }> {
    const made = await makeRotation(ports, {
      identity: this.owner.identity,
      roster,
      epoch: this.epoch,
      roomKey: this.#roomKey,
      base: null,
      prekeys: this.#prekeys,
      least: new Map(),
    });
    return {
      command: made.command,
      done: () => {
        this.epoch = made.newEpoch;
        this.#roomKey = made.newKey;
      },
    };
  }

  /** Rotates, and takes the new key over. */
  async rotate(): Promise<RotationCommand> {
    const { command, done } = await this.rotation();
    await this.owner.request('rotate', command);
    done();
    return command;
  }

  /** Appends a signed roster entry of the owner's, with its rotation where it needs one. */
  async change(
    kind: 'remove' | 'settings' | 'leave' | 'transfer',
    fields: object,
  ): Promise<{ entry: Bytes; rotation: RotationCommand | null }> {
    const entry = await this.signed(kind, fields);
    const { roster } = await applyRoster(nodeHash, this.roster, entry);
    const made = kind === 'remove' || kind === 'leave' ? await this.rotation(roster) : null;
    await this.owner.request('roster', { entry, ...(made === null ? {} : { rotation: made.command }) });
    this.roster = roster;
    made?.done();
    return { entry, rotation: made?.command ?? null };
  }

  /** A member's signed request to leave. */
  leaveRequest(peer: Peer<PeerSocket>): Bytes {
    const member = this.roster.members.get(peer.memberId);
    if (member === undefined) throw new Error('not a member');
    return signBody(peer.identity, 'leaveRequest', {
      roomId: this.roomId,
      member: peer.memberId,
      admit: member.admit,
    });
  }
}
