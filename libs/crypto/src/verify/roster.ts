/**
 * The roster: who is in a room, derived from its chain of signed entries by one pure
 * function on both sides (docs/protocol.md section 4, G11).
 */
import {
  decodeBody, equalBytes, toBase64Url, type Body, type Bytes, type InviteId, type MemberId, type RoomId,
  type RoomSettings,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError } from '../errors.js';
import type { Hash } from '../ports.js';
import { containerBody, verifyContainer } from './container.js';
import { memberIdOf, parsePublicKey } from './identity.js';
import { checkPrekey } from './prekey.js';

export interface RosterMember {
  readonly memberId: MemberId;
  /** canonical public key */
  readonly key: Bytes;
  /** body hash of the admit entry (of genesis for the founder): what a leave request names */
  readonly admit: Bytes;
  /** epoch of the admission */
  readonly epoch: number;
}

export interface FormerMember {
  readonly key: Bytes;
  readonly how: 'removed' | 'left';
}

/** Plain data: structured-clonable, and CBOR by encodeRoster. Never mutated. */
export interface Roster {
  readonly roomId: RoomId;
  /** of the protocol: what is signed and sealed in this room follows it. Of genesis, or of the last upgrade */
  readonly version: number;
  /** an entry has fields, or a version, that this code does not know: it reads on, and signs and seals nothing */
  readonly newer: boolean;
  /** of genesis; part of every key hash */
  readonly nonce: Bytes;
  /** commitment to the key of epoch 1 */
  readonly genesisKeyHash: Bytes;
  readonly settings: RoomSettings;
  /** entries so far, genesis included */
  readonly length: number;
  /** body hash of the last entry */
  readonly head: Bytes;
  /** the least epoch that the next entry may name: the last one's; after a departure, whose rotation comes first, one more */
  readonly epoch: number;
  readonly owner: MemberId;
  readonly members: ReadonlyMap<MemberId, RosterMember>;
  readonly former: ReadonlyMap<MemberId, FormerMember>;
  /** nonces of the acceptances used so far, base64url: each makes one transfer only */
  readonly acceptances: readonly string[];
  /** invites that admitted somebody: a token admits exactly one key pair (G2), whatever the relay keeps */
  readonly invites: readonly InviteId[];
  readonly closed: boolean;
}

export type RosterChange = {
  /** the caller compares it with the current epoch; the roster knows no more than that epochs never fall */
  readonly epoch: number;
} & (
  | {
      readonly kind: 'admit';
      readonly member: MemberId;
      readonly key: Bytes;
      /** its first prekey as it signed it, verified; the encapsulation key travels beside the entry */
      readonly prekey: Bytes;
      readonly inviteId: InviteId;
    }
  | { readonly kind: 'remove' | 'leave'; readonly member: MemberId }
  | { readonly kind: 'transfer'; readonly from: MemberId; readonly to: MemberId }
  | { readonly kind: 'settings'; readonly settings: RoomSettings }
  | { readonly kind: 'close' }
  | { readonly kind: 'upgrade'; readonly version: number }
);

const bad = (detail: string): CryptoError => new CryptoError('BAD_ENTRY', detail);

/** A member of the roster. Throws BAD_ENTRY for anybody else. */
export function memberOf(roster: Roster, memberId: MemberId): RosterMember {
  const member = roster.members.get(memberId);
  if (member === undefined) throw bad('not a member');
  return member;
}

/** The founder's roster. Throws BAD_KEY, BAD_SIGNATURE, MALFORMED. */
export async function startRoster(hash: Hash, genesisContainer: Bytes): Promise<Roster> {
  const signed = containerBody(genesisContainer);
  const { body } = decodeBody(signed, 'genesis');
  const key = parsePublicKey(body.ownerKey);
  verifyContainer(key, genesisContainer);
  const head = await hash.sha256(signed);
  const owner = await memberIdOf(hash, key);
  const founder: RosterMember = {
    memberId: owner,
    key,
    admit: head,
    epoch: 1,
  };
  return {
    roomId: toBase64Url(head.subarray(0, 16)) as RoomId,
    version: body.version,
    newer: false,
    nonce: body.nonce,
    genesisKeyHash: body.keyHash,
    settings: body.settings,
    length: 1,
    head,
    epoch: 1,
    owner,
    members: new Map([[owner, founder]]),
    former: new Map(),
    acceptances: [],
    invites: [],
    closed: false,
  };
}

/**
 * The roster after one more entry.
 *
 * Throws BAD_SIGNATURE (not by the owner of that moment), STALE_HEAD, STALE_EPOCH (below the chain's), ROOM_CLOSED,
 * ROOM_FULL, WAS_MEMBER, ALREADY_MEMBER, BAD_ENTRY for everything else that it may not
 * say, MALFORMED, UNKNOWN_KIND or UNSUPPORTED_VERSION.
 */
export async function applyRoster(
  hash: Hash,
  roster: Roster,
  container: Bytes,
): Promise<{ readonly roster: Roster; readonly change: RosterChange }> {
  const signed = verifyContainer(memberOf(roster, roster.owner).key, container);
  const entry = decodeBody(signed, 'admit', 'remove', 'leave', 'transfer', 'settings', 'close', 'upgrade');
  if (roster.closed) throw new CryptoError('ROOM_CLOSED', 'entry after close');
  if (entry.body.roomId !== roster.roomId) throw bad('another room');
  if (entry.body.owner !== roster.owner) throw bad('another owner');
  if (!equalBytes(entry.body.head, roster.head)) throw new CryptoError('STALE_HEAD', 'another head');
  const { epoch } = entry.body;
  if (epoch < roster.epoch) throw new CryptoError('STALE_EPOCH', 'an epoch before the chain');

  const head = await hash.sha256(signed);
  const newer = roster.newer || Object.keys(entry.unknown).length > 0;
  const next: Roster = { ...roster, newer, head, epoch, length: roster.length + 1 };
  switch (entry.kind) {
    case 'admit':
      return admit(hash, next, entry.body);
    case 'remove':
      return {
        roster: without(next, entry.body.member, 'removed'),
        change: { kind: 'remove', epoch, member: entry.body.member },
      };
    case 'leave': {
      const { member, request } = entry.body;
      checkLeaveRequest(next, member, request);
      return { roster: without(next, member, 'left'), change: { kind: 'leave', epoch, member } };
    }
    case 'transfer':
      return transfer(next, entry.body);
    case 'settings':
      return {
        roster: { ...next, settings: entry.body.settings },
        change: { kind: 'settings', epoch, settings: entry.body.settings },
      };
    case 'close':
      return { roster: { ...next, closed: true }, change: { kind: 'close', epoch } };
    case 'upgrade': {
      const { version } = entry.body;
      if (version <= roster.version) throw bad('a version that is not a later one');
      return { roster: { ...next, version, newer: true }, change: { kind: 'upgrade', epoch, version } };
    }
  }
}

/** The roster at the end of a whole chain. Throws BAD_ENTRY for another room's, else as {@link applyRoster}. */
export async function readChain(hash: Hash, roomId: RoomId, containers: readonly Bytes[]): Promise<Roster> {
  const [genesis, ...entries] = containers;
  if (genesis === undefined) throw bad('an empty chain');
  let roster = await startRoster(hash, genesis);
  if (roster.roomId !== roomId) throw bad('the chain of another room');
  for (const container of entries) roster = (await applyRoster(hash, roster, container)).roster;
  return roster;
}

async function admit(hash: Hash, next: Roster, body: Body<'admit'>) {
  const key = parsePublicKey(body.key);
  const memberId = await memberIdOf(hash, key);
  if (next.members.has(memberId)) throw new CryptoError('ALREADY_MEMBER', 'admitted twice');
  // A key that was once on the roster never returns: its leave request would count again.
  if (next.former.has(memberId)) throw new CryptoError('WAS_MEMBER', 'admitted again');
  if (next.members.size >= next.settings.maxMembers) throw new CryptoError('ROOM_FULL', 'no place left');
  if (next.invites.includes(body.inviteId)) throw bad('invite used before');
  const prekey = checkPrekey({ roomId: next.roomId, memberId, key }, body.prekey);
  if (prekey.k !== 1) throw bad('first prekey is not number 1');
  const member: RosterMember = {
    memberId,
    key,
    admit: next.head,
    epoch: body.epoch,
  };
  const roster: Roster = {
    ...next,
    members: new Map([...next.members, [memberId, member]]),
    invites: [...next.invites, body.inviteId],
  };
  const change: RosterChange = {
    kind: 'admit',
    member: memberId,
    key,
    prekey: body.prekey,
    inviteId: body.inviteId,
    epoch: body.epoch,
  };
  return { roster, change };
}

function without(next: Roster, memberId: MemberId, how: FormerMember['how']): Roster {
  const { key } = memberOf(next, memberId);
  // An owner transfers or closes; a room without an owner could never rotate again.
  if (memberId === next.owner) throw bad('the owner cannot leave the roster');
  const members = new Map(next.members);
  members.delete(memberId);
  // Its rotation comes before anything else.
  return {
    ...next,
    epoch: next.epoch + 1,
    members,
    former: new Map([...next.former, [memberId, { key, how }]]),
  };
}

/** The signed request inside a leave entry, or on its own in the log. Throws BAD_SIGNATURE, BAD_ENTRY, MALFORMED. */
export function checkLeaveRequest(
  roster: Roster,
  memberId: MemberId,
  container: Bytes,
): Body<'leaveRequest'> {
  const member = memberOf(roster, memberId);
  const { body } = decodeBody(verifyContainer(member.key, container), 'leaveRequest');
  if (body.roomId !== roster.roomId || body.member !== memberId) throw bad('another request to leave');
  if (!equalBytes(body.admit, member.admit)) throw bad('another admission');
  return body;
}

function transfer(next: Roster, body: Body<'transfer'>) {
  const accepted = checkAcceptance(next, body.acceptance);
  if (accepted.new !== body.to) throw bad('acceptance by another member');
  // Once it has read a later epoch, its member may leave: nothing stands on its acceptance any more.
  if (accepted.epoch !== body.epoch) throw bad('acceptance of another epoch');
  const roster: Roster = {
    ...next,
    owner: body.to,
    acceptances: [...next.acceptances, toBase64Url(accepted.nonce)],
  };
  const change: RosterChange = { kind: 'transfer', epoch: body.epoch, from: next.owner, to: body.to };
  return { roster, change };
}

/** A member's signed acceptance of the room. Throws BAD_SIGNATURE, BAD_ENTRY, MALFORMED. */
export function checkAcceptance(roster: Roster, container: Bytes): Body<'transferAcceptance'> {
  const { body } = decodeBody(containerBody(container), 'transferAcceptance');
  if (body.roomId !== roster.roomId || body.old !== roster.owner) throw bad('acceptance of something else');
  if (body.new === roster.owner) throw bad('acceptance by the owner');
  verifyContainer(memberOf(roster, body.new).key, container);
  // Used once: the room may come back to the old owner, but never out again without a new consent.
  if (roster.acceptances.includes(toBase64Url(body.nonce))) throw bad('acceptance used before');
  return body;
}
