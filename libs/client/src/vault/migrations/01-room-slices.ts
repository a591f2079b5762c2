/**
 * From version 1 to 2: the one record of a room becomes slices, so that a write carries what changed; what is
 * kept of each sender becomes a record of its own; what waits in the outbox says whether it was acknowledged, and
 * to how long a roster it was written.
 */
import { decodeCbor, encodeCbor, ERROR_CODES, type Bytes, type CborValue } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import type { StorageChange } from '../../contract/ports.js';
import type { Migration } from './migration.js';

type Fields = Readonly<Record<string, CborValue>>;

const SLICES: Readonly<Record<string, readonly string[]>> = {
  place: [
    'stage', 'epoch', 'position', 't', 'nextIndex', 'epochMessages', 'logEpoch', 'logLength', 'chainShown', 'skipped', 'paused',
    'lastTime',
  ],
  keys: ['keys'],
  names: ['people', 'roomName'],
  own: [
    'nextN', 'prekeys', 'usedK', 'publishedK', 'publishedThen', 'needKey', 'imported', 'leaveRequest', 'handOver', 'declined',
  ],
  reading: ['readIndex', 'told', 'verified', 'relayKeyShown'],
  owner: ['rotationWanted', 'mustRotate', 'pending', 'tasks', 'leaving', 'wrappedTo'],
  loss: ['losses', 'lost'],
}; // prettier-ignore

export const roomSlices: Migration = {
  from: 1,
  async migrate(records) {
    const rooms = await records.list('rooms');
    const chain = await records.list('chain');
    const outbox = await records.list('outbox');
    return [
      ...rooms.flatMap(({ key, value }) => roomOf(key, recordOf('rooms', value))),
      ...outbox.map(({ key, value }) => {
        const room = key.slice(0, key.indexOf('/') + 1);
        const entries = chain.filter((entry) => entry.key.startsWith(room)).length;
        return { store: 'outbox', key, value: encodeCbor(waiting(recordOf('outbox', value), entries)) };
      }),
    ];
  },
};

function roomOf(roomId: string, core: Fields): readonly StorageChange[] {
  const put = (store: string, key: string, value: CborValue): StorageChange => ({
    store,
    key,
    value: encodeCbor(value),
  });
  const picked = (names: readonly string[]): Fields =>
    Object.fromEntries(names.map((name) => [name, field(core, name)]));
  const { roster } = core;
  if (!(roster instanceof Uint8Array)) throw damaged();
  return [
    put('rooms', roomId, { version: 2, ...picked(['roomId', 'me', 'identity', 'instance']) }),
    ...Object.entries(SLICES).map(([name, fields]) => put('slices', `${roomId}/${name}`, picked(fields))),
    // The roster is encoded already.
    { store: 'slices', key: `${roomId}/roster`, value: roster },
    ...sendersOf(core).map(([sender, record]) => put('senders', `${roomId}/${sender}`, record)),
  ];
}

/** What was sealed may have been acknowledged: nobody noted it, and it is not sealed again for another epoch. */
const waiting = (item: Fields, entries: number): Fields => ({
  ...item,
  acknowledged: field(item, 'sealed') !== null,
  only: null,
  writtenAt: entries,
  confirmed: false,
});

function sendersOf(core: Fields): readonly (readonly [string, Fields])[] {
  const counters = listOf(core, 'counters');
  const retired = listOf(core, 'retired');
  const seen = listOf(core, 'seen');
  const forked = field(core, 'forked');
  if (!Array.isArray(forked)) throw damaged();
  const of = (list: readonly Fields[], name: string, sender: CborValue): readonly Fields[] =>
    list.filter((item) => item[name] === sender);
  const counter = ({ instance = null, n = null }: Fields): Fields => ({ instance, n });
  const senders = new Set([
    ...[...counters, ...retired].map(({ sender }) => sender),
    ...seen.map(({ memberId }) => memberId),
    ...(forked as readonly CborValue[]),
  ]);
  return [...senders].map((sender) => {
    if (typeof sender !== 'string') throw damaged();
    const [last] = of(counters, 'sender', sender);
    const [read] = of(seen, 'memberId', sender);
    return [
      sender,
      {
        counter: last === undefined ? null : counter(last),
        retired: of(retired, 'sender', sender).map(counter),
        seen: read?.position ?? null,
        forked: forked.includes(sender),
        missing: [],
      },
    ];
  });
}

function recordOf(store: string, data: Bytes): Fields {
  try {
    return fieldsOf(decodeCbor(data));
  } catch (error) {
    throw new ClientError(ERROR_CODES.VAULT_DAMAGED, { store }, { cause: error });
  }
}

function field(fields: Fields, name: string): CborValue {
  const value = fields[name];
  if (value === undefined) throw damaged();
  return value;
}

function listOf(core: Fields, name: string): readonly Fields[] {
  const list = field(core, name);
  if (!Array.isArray(list)) throw damaged();
  return (list as readonly CborValue[]).map(fieldsOf);
}

function fieldsOf(value: CborValue): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw damaged();
  return value as Fields;
}

const damaged = (): ClientError => new ClientError(ERROR_CODES.VAULT_DAMAGED, { store: 'rooms' });
