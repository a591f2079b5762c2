/**
 * What a thief has who has taken it out of a member's own vault, and what a member's keys can
 * make that its client would not: messages, rotations and roster entries of any shape.
 */
import {
  encodeMessageClear, type AnyContent, type Body, type Bytes, type Entry, type MemberId, type Position,
  type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import {
  exposeSecret, type KeyPair, makeKeyRequest, makeRotation, type RoomKey, sealMessage, sealSignal, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { bodyHash, decodeRoster, type Roster, transcriptHash } from '@0fc/crypto/verify';
import { loadCore } from '../../../libs/client/src/room/state/load.js';
import {
  decodeRecord, joinRecord, ownerInvite, prefixOf, STORES, type EpochKey, type JoinRecord, type OwnerInvite,
  type RoomCore,
} from '../../../libs/client/src/vault/records.js'; // prettier-ignore
import type { Member } from '../../support/member.js';
import { inVaultOf } from '../../support/vault-of.js';
import { newestOf, type Published } from './published.js';

/** All that a member's vault holds of a room, in clear. */
export class Stolen {
  /** a thief may have less than all of it */
  core: RoomCore;
  readonly roster: Roster;
  readonly invites: readonly OwnerInvite[];
  readonly chain: readonly Bytes[];

  private constructor(
    core: RoomCore,
    roster: Roster,
    invites: readonly OwnerInvite[],
    chain: readonly Bytes[],
  ) {
    this.core = core;
    this.roster = roster;
    this.invites = invites;
    this.chain = chain;
  }

  static async from(member: Member, roomId: string): Promise<Stolen> {
    return inVaultOf(member, async (vault) => {
      const found = await loadCore(vault, roomId);
      if (found === null) throw new Error('nothing to steal');
      const invites = await vault.listFrom(STORES.invites, prefixOf(roomId));
      const chain = await vault.listFrom(STORES.chain, prefixOf(roomId));
      return new Stolen(
        found.core,
        decodeRoster(found.roster),
        invites.map(({ value }) => decodeRecord(ownerInvite, value)),
        chain.map(({ value }) => value),
      );
    });
  }

  get identity(): KeyPair {
    return this.core.identity;
  }

  get me(): MemberId {
    return this.core.me;
  }

  get current(): EpochKey & { readonly key: RoomKey } {
    return this.key(this.core.epoch);
  }

  key(epoch: number): EpochKey & { readonly key: RoomKey } {
    const known = this.#epoch(epoch);
    const { key } = known;
    if (key === null) throw new Error(`no key of epoch ${String(epoch)}`);
    return { ...known, key };
  }

  /** Who has asked for a key knows its epoch without it. */
  #epoch(epoch: number): EpochKey {
    const known = this.core.keys.find((key) => key.epoch === epoch);
    if (known === undefined) throw new Error(`nothing of epoch ${String(epoch)}`);
    return known;
  }

  /** A message that this member never wrote, sealed and signed with its own keys. */
  message(
    content: AnyContent,
    fields: Partial<Body<'message'>> = {},
    by: { readonly identity?: KeyPair; readonly roomKey?: RoomKey } = {},
  ): { readonly clear: Bytes; readonly payload: Bytes; readonly body: Body<'message'> } {
    const { roomId, epoch, me: sender, instance, nextN: n, position, t } = this.core;
    const body: Body<'message'> = {
      roomId, epoch, sender, instance, n, mid: nodeRandom.bytes(16), seen: { position, t: transcriptHash(t) }, sentAt: Date.now(), content, ...fields,
    }; // prettier-ignore
    const { identity = this.identity, roomKey = this.key(body.epoch).key } = by;
    const { payload } = sealMessage({ identity, roomKey, body });
    return { clear: encodeMessageClear(body.epoch), payload, body };
  }

  /** Body hash of what began its epoch: a rotation, or genesis. */
  begin(): Promise<Bytes> {
    return bodyHash(nodeHash, this.#epoch(this.core.epoch).rotation ?? this.chain[0]!);
  }

  /** A signed request for the key of its epoch, by itself or by the hand of another. */
  async asksForKey({ identity, me }: Pick<Stolen, 'identity' | 'me'> = this): Promise<Bytes> {
    const { roomId, epoch } = this.core;
    const place = { epoch, rotation: await this.begin(), failed: [] };
    return makeKeyRequest({ random: nodeRandom }, { identity, roomId, memberId: me, ...place }).container;
  }

  /** T where its epoch began, as a reply of an owner has it. */
  get floorT(): Bytes | null {
    const { t } = this.#epoch(this.core.epoch);
    return t === null ? null : transcriptHash(t);
  }

  text(
    text: string,
    fields: Partial<Body<'message'>> = {},
  ): { readonly clear: Bytes; readonly payload: Bytes } {
    const { clear, payload } = this.message({ type: 'text', text }, fields);
    return { clear, payload };
  }

  presence(fields: Partial<Body<'signal'>> = {}): Bytes {
    const { roomId, epoch, me: sender, instance, position, t } = this.core;
    const content = {
      type: 'presence',
      seen: { position, t: transcriptHash(t) },
      head: this.roster.head,
    } as const;
    const now = Date.now();
    const body = { roomId, epoch, sender, instance, counter: now + 1_000, sentAt: now, content, ...fields };
    return sealSignal({ identity: this.identity, roomKey: this.key(body.epoch).key, body });
  }

  /** A roster entry under this member's signature, whoever owns the room. */
  entry<K extends 'admit' | 'remove' | 'leave' | 'transfer' | 'settings' | 'close'>(
    kind: K,
    fields: Omit<Body<K>, 'roomId' | 'epoch' | 'head' | 'owner'> & {
      readonly epoch?: number;
      readonly head?: Bytes;
      readonly owner?: MemberId;
    },
  ): Bytes {
    const { roomId, head, owner } = this.roster;
    const { epoch } = this.core;
    return signBody(this.identity, kind, { roomId, epoch, head, owner, ...fields });
  }

  /**
   * A rotation on a roster by this member's hand: one that it owns by what the roster says. `offered`: prekeys of everybody; `key`: to this one; `leftOut`:
   * who gets none, as whose prekey is not there.
   */
  async rotation(
    offered: readonly Published[],
    roster: Roster = this.roster,
    {
      key = null,
      leftOut = new Set(),
      cold = false,
    }: {
      readonly key?: RoomKey | null;
      readonly leftOut?: ReadonlySet<MemberId>;
      readonly cold?: boolean;
    } = {},
  ): Promise<{ command: RotationCommand; newKey: RoomKey; newEpoch: number }> {
    const known = await newestOf(offered, roster);
    const prekeys = new Map([...known].filter(([memberId]) => !leftOut.has(memberId)));
    // Of what is drawn for a rotation the key is the first.
    let first = key;
    const bytes = (length: number): Bytes => {
      const drawn = first === null ? nodeRandom.bytes(length) : exposeSecret(first);
      first = null;
      return drawn;
    };
    const { command, newKey, newEpoch } = await makeRotation(
      { hash: nodeHash, random: { bytes }, clock: systemClock },
      {
        identity: this.identity,
        roster,
        epoch: this.core.epoch,
        roomKey: cold ? null : this.current.key,
        base: this.floorT,
        prekeys,
        least: new Map(),
      },
    );
    return { command, newKey, newEpoch };
  }
}

/** The record of a join that is under way, out of a joiner's own vault; null: it has none. */
export async function joinOf(member: Member, roomId: string): Promise<JoinRecord | null> {
  return inVaultOf(member, async (vault) => {
    const record = await vault.get(STORES.joins, roomId);
    return record === null ? null : decodeRecord(joinRecord, record);
  });
}

const none = new Uint8Array();

/** An entry as a relay might serve it. */
export const entryAt = (
  position: Position,
  kind: Entry['kind'],
  sender: string,
  parts: { readonly clear?: Bytes; readonly payload: Bytes; readonly wrap?: Bytes },
): Entry => ({
  position,
  kind,
  sender: sender as MemberId,
  time: Date.now(),
  clear: parts.clear ?? none,
  payload: parts.payload,
  ...(parts.wrap === undefined ? {} : { wrap: parts.wrap }),
});
