/**
 * From version 3 to 4: rooms of version 1 of the protocol are only read from now on (docs/decisions/0029). What was under
 * way in them ends, and secrets that serve nothing any more go: keys of the room, prekeys, invites, tokens. The identity
 * stays, since the indexes of the room's log are made of its private key (index-keys.ts), and the texts that waited, which
 * are shown as not sent. Two fields get the names that the rest of the client has for them; positions say whether the
 * transcript there is known, and senders in which epoch their fork was shown (docs/decisions/0030).
 */
import { encodeCbor, LIMITS, type CborValue } from '@0fc/protocol';
import type { StorageChange, StorageRecord } from '../../contract/ports.js';
import { bytesOf, decoded, fieldOf, fieldsOf, listOf, recordOf, type Fields } from './fields.js';
import type { Migration } from './migration.js';

/** By slice: old name, new name. */
const RENAMED: Readonly<Record<string, readonly [string, string]>> = {
  own: ['handOver', 'ownershipTransfer'],
  reading: ['told', 'lastReadMarker'],
};

/** By slice: what nobody goes on with. */
const ENDED: Readonly<Record<string, Fields>> = {
  own: { prekeys: [], needKey: null, leaveRequest: null, handOver: null },
  owner: {
    rotationWanted: false,
    mustRotate: false,
    pending: null,
    tasks: { removals: [], settings: null, close: false },
    leaving: [],
    wrappedTo: [],
  },
};

/** By slice: what is new, and its value at first. A request for the key names its epoch now: it is made again. */
const ADDED: Readonly<Record<string, Fields>> = {
  place: { provisional: 0 },
  own: { granted: [], needKey: null },
};

/** The encoding of a roster of version 1; later ones name the version of their room. */
const FIRST_ROSTER = 1;

export const outdatedRooms: Migration = {
  from: 3,
  async migrate(records) {
    const slices = await records.list('slices');
    const later = new Set(slices.filter(isLaterRoster).map(({ key }) => roomOf(key)));
    // Whatever of a room cannot be read: what is left of it keeps no secret either.
    const isEnded = ({ key }: StorageRecord): boolean => !later.has(roomOf(key));
    const ended = async (store: string): Promise<readonly StorageRecord[]> =>
      (await records.list(store)).filter(isEnded);
    return [
      ...slices.flatMap((slice) => changedSlice(slice, isEnded(slice))),
      ...(await ended('invites')).map(({ key }) => ({ store: 'invites', key, value: null })),
      ...(await ended('outbox')).map((item) => changed('outbox', item, { ...recordOf('outbox', item.value), ...UNSENT })),
      ...(await records.list('senders')).map(withForkEpoch),
      ...(await records.list('joins')).flatMap(endedJoin),
    ];
  },
}; // prettier-ignore

const UNSENT: Fields = { sealed: null, acknowledged: false, only: null };

const roomOf = (key: string): string => key.slice(0, key.indexOf('/'));
const nameOf = (key: string): string => key.slice(key.indexOf('/') + 1);

const changed = (store: string, { key }: StorageRecord, fields: Fields): StorageChange => ({
  store,
  key,
  value: encodeCbor(fields),
});

function isLaterRoster({ key, value }: StorageRecord): boolean {
  if (nameOf(key) !== 'roster') return false;
  const roster = decoded('slices', value);
  return Array.isArray(roster) && roster[0] !== FIRST_ROSTER;
}

function changedSlice(slice: StorageRecord, ended: boolean): readonly StorageChange[] {
  const name = nameOf(slice.key);
  const renamed = RENAMED[name];
  const added = ADDED[name];
  const isKeys = name === 'keys';
  if (renamed === undefined && added === undefined && !(ended && (isKeys || ENDED[name] !== undefined)))
    return [];
  const fields = recordOf('slices', slice.value);
  const over = !ended
    ? {}
    : isKeys
      ? { keys: listOf(fields, 'keys', 'slices').map(withoutKey) }
      : ENDED[name];
  const now = { ...fields, ...over, ...added };
  return [changed('slices', slice, renamed === undefined ? now : withName(now, renamed))];
}

/** In which epoch a fork was shown is not known. */
function withForkEpoch(sender: StorageRecord): StorageChange {
  const others = Object.entries(recordOf('senders', sender.value)).filter(([name]) => name !== 'forked');
  return changed('senders', sender, { ...Object.fromEntries(others), forkedIn: 0 });
}

const withoutKey = (epochKey: Fields): Fields => ({ ...epochKey, key: null });

function withName(fields: Fields, [from, to]: readonly [string, string]): Fields {
  const others = Object.entries(fields).filter(([name]) => name !== from);
  return Object.fromEntries([...others, [to, fieldOf(fields, from, 'slices')]]);
}

/** Of an invite of version 1, which leads nowhere any more: it is shown as failed, with secrets of zeros. */
function endedJoin(join: StorageRecord): readonly StorageChange[] {
  const fields = recordOf('joins', join.value);
  if (fields.version !== 1) return [];
  const inside = (of: Fields, name: string): Fields => fieldsOf(fieldOf(of, name, 'joins'), 'joins');
  const pair = inside(inside(fields, 'prekey'), 'pair');
  return [
    changed('joins', join, {
      ...fields,
      token: zeros(fields, 'token'),
      joinKey: zeros(fields, 'joinKey'),
      identity: {
        ...inside(fields, 'identity'),
        privateKey: zeros(inside(fields, 'identity'), 'privateKey'),
      },
      prekey: { ...pair, privateKey: zeros(pair, 'privateKey'), seed: new Uint8Array(LIMITS.kemSeedBytes) },
    }),
  ];
}

const zeros = (fields: Fields, name: string): CborValue =>
  new Uint8Array(bytesOf(fields, name, 'joins').length);
