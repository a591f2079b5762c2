/**
 * What a thief has who has taken it out of a member's own vault, and what a member's keys can
 * make that its client would not: messages, rotations and roster entries of any shape.
 */
import {
  encodeMessageClear, LIMITS, type AnyContent, type Body, type Bytes, type Entry, type MemberId, type Position,
  type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import {
  exposeSecret, type KeyPair, makeRotation, type RoomKey, sealMessage, sealSignal, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { decodeRoster, type Roster } from '@0fc/crypto/verify';
import { loadCore } from '../../../libs/client/src/room/state/load.js';
import {
  decodeRecord, joinRecord, ownerInvite, prefixOf, STORES, type EpochKey, type JoinRecord, type OwnerInvite,
  type RoomCore,
} from '../../../libs/client/src/vault/records.js'; // prettier-ignore
import { FileStorage } from '../../../libs/client/src/node/storage.js';
import { Vault } from '../../../libs/client/src/vault/vault.js';
import type { Member } from '../../support/member.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

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
    const storage = FileStorage.open(member.folder);
    try {
      const vault = await Vault.unlock({ storage, crypto }, member.passphrase);
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
    } finally {
      await storage.close();
    }
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
    const known = this.core.keys.find((key) => key.epoch === epoch);
    const key = known?.key ?? null;
    if (known === undefined || key === null) throw new Error(`no key of epoch ${String(epoch)}`);
    return { ...known, key };
  }

  /** A message that this member never wrote, sealed and signed with its own keys. */
  message(
    content: AnyContent,
    fields: Partial<Body<'message'>> = {},
    by: { readonly identity?: KeyPair; readonly roomKey?: RoomKey } = {},
  ): { readonly clear: Bytes; readonly payload: Bytes; readonly body: Body<'message'> } {
    const { roomId, epoch, me: sender, instance, nextN: n, position, t } = this.core;
    const body: Body<'message'> = {
      roomId, epoch, sender, instance, n, mid: nodeRandom.bytes(16), seen: { position, t }, sentAt: Date.now(), content, ...fields,
    }; // prettier-ignore
    const { identity = this.identity, roomKey = this.key(body.epoch).key } = by;
    const { payload } = sealMessage({ identity, roomKey, body });
    return { clear: encodeMessageClear(body.epoch), payload, body };
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
    const content = { type: 'presence', seen: { position, t }, head: this.roster.head } as const;
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
   * A rotation on a roster by this member's hand: one that it owns by what the roster says. `key`: to this one; `leftOut`:
   * who gets none, as whose prekey is unusable.
   */
  async rotation(
    roster: Roster = this.roster,
    {
      key = null,
      leftOut = new Set(),
    }: { readonly key?: RoomKey | null; readonly leftOut?: ReadonlySet<MemberId> } = {},
  ): Promise<{ command: RotationCommand; newKey: RoomKey; newEpoch: number }> {
    const unusable = new Uint8Array(LIMITS.publicKeyBytes);
    const prekeys = new Map(
      [...roster.members.values()].map(({ memberId, prekey }) => [
        memberId,
        leftOut.has(memberId) ? { ...prekey, key: unusable } : prekey,
      ]),
    );
    const random = key === null ? nodeRandom : { ...nodeRandom, bytes: () => exposeSecret(key) };
    const { command, newKey, newEpoch } = await makeRotation(
      { ...crypto, random },
      {
        identity: this.identity,
        roster,
        epoch: this.core.epoch,
        roomKey: this.current.key,
        prekeys,
      },
    );
    return { command, newKey, newEpoch };
  }
}

/** The record of a join that is under way, out of a joiner's own vault; null: it has none. */
export async function joinOf(member: Member, roomId: string): Promise<JoinRecord | null> {
  const storage = FileStorage.open(member.folder);
  try {
    const vault = await Vault.unlock({ storage, crypto }, member.passphrase);
    const record = await vault.get(STORES.joins, roomId);
    return record === null ? null : decodeRecord(joinRecord, record);
  } finally {
    await storage.close();
  }
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
