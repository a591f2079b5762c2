/** A roster as canonical CBOR, for vaults and the relay's store. */
import {
  decodeCbor, encodeCbor, epoch, hash32, integer, inviteId, memberId, outdatedSettings, parse, publicKey, random32, roomId, settings,
  type Bytes, type CborValue, type MemberId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError } from '../errors.js';
import type { FormerMember, Roster, RosterMember } from './roster.js';

/** Of the encoding. The first one belongs to rooms of version 1 of the protocol, which it does not name. */
const VERSION = 2;
const wrong = (): CryptoError => new CryptoError('MALFORMED', 'not a stored roster');

/** One roster has one encoding: members and former members stand in the order of the chain. */
export function encodeRoster(roster: Roster): Bytes {
  const members = [...roster.members.values()].map((member) => [
    member.memberId, member.key, member.admit, member.epoch,
  ]); // prettier-ignore
  const former = [...roster.former].map(([id, { key, how }]) => [id, key, how]);
  return encodeCbor([
    VERSION, roster.roomId, roster.nonce, roster.genesisKeyHash, { ...roster.settings }, roster.length, roster.head,
    roster.owner, members, former, roster.acceptances, roster.closed, roster.invites,
    roster.epoch, roster.version, roster.newer,
  ]); // prettier-ignore
}

/** What {@link encodeRoster} made; its signatures are not verified again. Throws MALFORMED. */
export function decodeRoster(data: Bytes): Roster {
  const fields = list(decodeCbor(data));
  const [encoding] = fields;
  const first = encoding === 1 && fields.length === 14;
  if (!first && (encoding !== VERSION || fields.length !== 16)) throw wrong();
  const member = first ? memberOfFirst : memberOfItem;
  const members = byId(list(fields[8]).map((item) => [member(item).memberId, member(item)]));
  const owner = parse(memberId, fields[7]);
  if (!members.has(owner) || typeof fields[11] !== 'boolean') throw wrong();
  return {
    roomId: parse(roomId, fields[1]),
    version: first ? 1 : parse(integer(2), fields[14]),
    newer: first ? false : flagOf(fields[15]),
    nonce: parse(random32, fields[2]),
    genesisKeyHash: parse(hash32, fields[3]),
    settings: parse(first ? outdatedSettings : settings, fields[4]),
    length: parse(integer(1), fields[5]),
    head: parse(hash32, fields[6]),
    owner,
    members,
    former: byId(list(fields[9]).map(formerOfItem)),
    acceptances: list(fields[10]).map(textOf),
    invites: list(fields[12]).map((item) => parse(inviteId, item)),
    closed: fields[11],
    epoch: parse(epoch, fields[13]),
  };
}

function list(value: CborValue | undefined, length?: number): readonly CborValue[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw wrong();
  return value as readonly CborValue[];
}

/** Nobody stands there twice: it would be another encoding of one roster. */
function byId<T>(entries: readonly (readonly [MemberId, T])[]): Map<MemberId, T> {
  const map = new Map(entries);
  if (map.size !== entries.length) throw wrong();
  return map;
}

function flagOf(value: CborValue | undefined): boolean {
  if (typeof value !== 'boolean') throw wrong();
  return value;
}

function textOf(value: CborValue): string {
  if (typeof value !== 'string') throw wrong();
  return value;
}

function memberOfItem(item: CborValue): RosterMember {
  const [id, key, admit, admitted] = list(item, 4);
  return {
    memberId: parse(memberId, id),
    key: parse(publicKey, key),
    admit: parse(hash32, admit),
    epoch: parse(epoch, admitted),
  };
}

/** The first encoding has the first prekey, bare and signed, which nobody wraps to any more. */
function memberOfFirst(item: CborValue): RosterMember {
  const [id, key, admit, , , admitted] = list(item, 6);
  return memberOfItem([id ?? null, key ?? null, admit ?? null, admitted ?? null]);
}

function formerOfItem(item: CborValue): [MemberId, FormerMember] {
  const [id, key, how] = list(item, 3);
  if (how !== 'removed' && how !== 'left') throw wrong();
  return [parse(memberId, id), { key: parse(publicKey, key), how }];
}
