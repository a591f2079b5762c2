/**
 * From version 1 to 2: the one record of a room becomes slices, so that a write carries what changed; what is
 * kept of each sender becomes a record of its own; what waits in the outbox says whether it was acknowledged, and
 * to how long a roster it was written.
 */
import { encodeCbor, type CborValue } from '@0fc/protocol';
import type { StorageChange } from '../../contract/ports.js';
import { damaged, fieldOf, listOf, recordOf, type Fields } from './fields.js';
import type { Migration } from './migration.js';

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
    Object.fromEntries(names.map((name) => [name, fieldOf(core, name, 'rooms')]));
  const { roster } = core;
  if (!(roster instanceof Uint8Array)) throw damaged('rooms');
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
  acknowledged: fieldOf(item, 'sealed', 'rooms') !== null,
  only: null,
  writtenAt: entries,
  confirmed: false,
});

function sendersOf(core: Fields): readonly (readonly [string, Fields])[] {
  const counters = listOf(core, 'counters', 'rooms');
  const retired = listOf(core, 'retired', 'rooms');
  const seen = listOf(core, 'seen', 'rooms');
  const forked = fieldOf(core, 'forked', 'rooms');
  if (!Array.isArray(forked)) throw damaged('rooms');
  const of = (list: readonly Fields[], name: string, sender: CborValue): readonly Fields[] =>
    list.filter((item) => item[name] === sender);
  const counter = ({ instance = null, n = null }: Fields): Fields => ({ instance, n });
  const senders = new Set([
    ...[...counters, ...retired].map(({ sender }) => sender),
    ...seen.map(({ memberId }) => memberId),
    ...(forked as readonly CborValue[]),
  ]);
  return [...senders].map((sender) => {
    if (typeof sender !== 'string') throw damaged('rooms');
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
