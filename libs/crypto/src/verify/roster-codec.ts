/** A roster as canonical CBOR, for vaults and the relay's store. */
import {
  decodeCbor, encodeCbor, epoch, hash32, integer, inviteId, memberId, parse, publicKey, random32, roomId, settings,
  type Bytes, type CborValue, type MemberId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError } from '../errors.js';
import type { FormerMember, Roster, RosterMember } from './roster.js';

const VERSION = 1;
const wrong = (): CryptoError => new CryptoError('MALFORMED', 'not a stored roster');

/** One roster has one encoding: members and former members stand in the order of the chain. */
export function encodeRoster(roster: Roster): Bytes {
  const members = [...roster.members.values()].map((member) => [
    member.memberId, member.key, member.admit, member.prekey.key, member.prekeyContainer, member.epoch,
  ]); // prettier-ignore
  const former = [...roster.former].map(([id, { key, how }]) => [id, key, how]);
  return encodeCbor([
    VERSION, roster.roomId, roster.nonce, roster.genesisKeyHash, { ...roster.settings }, roster.length, roster.head,
    roster.owner, members, former, roster.acceptances, roster.closed, roster.invites,
    roster.epoch,
  ]); // prettier-ignore
}

/** What {@link encodeRoster} made; its signatures are not verified again. Throws MALFORMED. */
export function decodeRoster(data: Bytes): Roster {
  const fields = list(decodeCbor(data), 14);
  if (fields[0] !== VERSION) throw wrong();
  const members = byId(list(fields[8]).map((item) => [memberOfItem(item).memberId, memberOfItem(item)]));
  const owner = parse(memberId, fields[7]);
  if (!members.has(owner) || typeof fields[11] !== 'boolean') throw wrong();
  return {
    roomId: parse(roomId, fields[1]),
    nonce: parse(random32, fields[2]),
    genesisKeyHash: parse(hash32, fields[3]),
    settings: parse(settings, fields[4]),
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

function textOf(value: CborValue): string {
  if (typeof value !== 'string') throw wrong();
  return value;
}

function memberOfItem(item: CborValue): RosterMember {
  const [id, key, admit, prekey, container, admitted] = list(item, 6);
  if (container !== null && !(container instanceof Uint8Array)) throw wrong();
  return {
    memberId: parse(memberId, id),
    key: parse(publicKey, key),
    admit: parse(hash32, admit),
    prekey: { k: 1, key: parse(publicKey, prekey) },
    prekeyContainer: container,
    epoch: parse(epoch, admitted),
  };
}

function formerOfItem(item: CborValue): [MemberId, FormerMember] {
  const [id, key, how] = list(item, 3);
  if (how !== 'removed' && how !== 'left') throw wrong();
  return [parse(memberId, id), { key: parse(publicKey, key), how }];
}
