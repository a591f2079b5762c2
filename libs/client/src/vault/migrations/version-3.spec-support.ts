/**
 * The records of a room as a client of version 3 kept them, in the middle of everything that a member and an owner do,
 * with a list of the secrets in them; and a join beside it.
 */
import { decodeCbor, encodeCbor, type Bytes, type CborValue } from '@0fc/protocol';
import { generateKeyPair, exposeSecret } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { crypto } from '../../room/log/log.spec-support.js';
import { roomSlices } from './01-room-slices.js';
import { logWindow } from './02-log-window.js';
import { overlaid } from './run.js';
import { oldRoom, recordsOf, sourceOf, type Fields, type Records } from './version-1.spec-support.js';

/** What may be under way in a room, each by itself. */
export const UNDER_WAY = [
  'prekeys', 'needKey', 'leaveRequest', 'handOver', 'pending', 'tasks', 'leaving', 'wrappedTo', 'rotation', 'invites', 'outbox', 'join',
] as const; // prettier-ignore
export type UnderWay = ReadonlySet<(typeof UNDER_WAY)[number]>;

export interface Version3 {
  readonly membership: string;
  readonly records: Records;
  /** the secret bytes that serve nothing in a room that is only read */
  readonly secrets: readonly Bytes[];
  /** the member's own private key, which its log is found by */
  readonly identity: Bytes;
}

const random = (n: number): Bytes => crypto.random.bytes(n);
const id = (n: number): string => String(n).repeat(21) + 'A';

/** `protocol`: version of the room's protocol. */
export async function version3(underWay: UnderWay, protocol: 1 | 2 = 1): Promise<Version3> {
  const secrets: Bytes[] = [];
  const secret = (bytes: Bytes): Bytes => {
    secrets.push(bytes);
    return bytes;
  };
  const pair = (): Fields => {
    const { publicKey, privateKey } = generateKeyPair();
    return { publicKey, privateKey: secret(exposeSecret(privateKey)) };
  };
  /** Of version 1 a prekey was of the curve alone. */
  const prekey = (): Fields => ({ ...pair(), ...(protocol === 1 ? {} : { seed: random(64) }) });
  const has = (name: (typeof UNDER_WAY)[number], value: CborValue, otherwise: CborValue): CborValue =>
    underWay.has(name) ? value : otherwise;

  const room = await oldRoom();
  const first = sourceOf(recordsOf(room));
  const second = overlaid(first, await roomSlices.migrate(first, nodeHash));
  const third = overlaid(second, await logWindow.migrate(second, nodeHash));
  const stores = ['rooms', 'slices', 'senders', 'chain', 'outbox', 'messages', 'effects'];
  const lists = await Promise.all(stores.map(async (store) => [store, await third.list(store)] as const));
  const records = Object.fromEntries(lists);

  const over: Readonly<Record<string, () => Fields>> = {
    keys: () => ({
      keys: (room.fields.keys as unknown as readonly Fields[]).map((key) => ({ ...key, key: secret(random(32)) })),
    }),
    own: () => ({
      prekeys: has('prekeys', [{ k: 3, pair: prekey() }, { k: 4, pair: prekey() }], []),
      needKey: has('needKey', { epoch: 1, request: random(200), pair: pair() }, null),
      leaveRequest: has('leaveRequest', random(200), null),
      handOver: has('handOver', { memberId: id(2), nonce: random(16), since: 5, offer: random(200), acceptance: null }, null),
    }),
    owner: () => ({
      rotationWanted: underWay.has('rotation'),
      mustRotate: underWay.has('rotation'),
      pending: has('pending', {
        kind: 'rotate', entry: null, rotation: { clear: random(9), payload: random(300), wraps: { [id(2)]: random(200) } },
        candidate: { epoch: 2, key: secret(random(32)), keyHash: random(32) }, inviteId: null, reply: null,
      }, null),
      tasks: has('tasks', { removals: [id(2)], settings: null, close: true }, { removals: [], settings: null, close: false }),
      leaving: has('leaving', [{ memberId: id(3), request: random(200) }], []),
      wrappedTo: has('wrappedTo', [{ memberId: id(2), k: 1, again: false }], []),
    }),
    roster: () => ({}),
  }; // prettier-ignore
  const slices = (records.slices ?? []).map(({ key, value }) => {
    const name = key.slice(key.indexOf('/') + 1);
    if (name === 'roster') return { key, value: protocol === 1 ? value : laterRoster(value) };
    return { key, value: encodeCbor({ ...(decodeCbor(value) as Fields), ...over[name]?.() }) };
  });
  const invite = (): Fields => ({
    inviteId: id(4), made: 1, expires: 2, pair: pair(), token: secret(random(32)), stage: 'asked',
    joiner: {
      key: generateKeyPair().publicKey, name: 'Noé', joinKey: secret(random(32)), prekey: random(100), request: random(100),
    },
    approved: false, replies: [], repliedAt: null, dropReason: null,
  }); // prettier-ignore
  const join = (): Fields => ({
    version: protocol, roomId: id(5), inviteId: id(6), ownerKey: generateKeyPair().publicKey, relay: random(32), expires: 9,
    name: 'Noé', token: secret(random(32)), identity: pair(), joinKey: secret(random(32)),
    prekey: { pair: pair(), container: random(200) }, request: random(300), reply: null, confirm: null,
    done: [{ step: 'claim', time: 3 }], failure: null,
  }); // prettier-ignore
  return {
    membership: room.roomId,
    records: {
      ...records,
      slices,
      outbox: underWay.has('outbox') ? (records.outbox ?? []) : [],
      invites: underWay.has('invites')
        ? [{ key: `${room.roomId}/${id(4)}`, value: encodeCbor(invite()) }]
        : [],
      joins: underWay.has('join') ? [{ key: id(5), value: encodeCbor(join()) }] : [],
    },
    secrets,
    identity: (room.fields.identity as unknown as { readonly privateKey: Bytes }).privateKey,
  };
}

/** A roster as the room of a later protocol has it, which names its version. */
function laterRoster(roster: Bytes): Bytes {
  const fields = decodeCbor(roster) as readonly CborValue[];
  return encodeCbor([2, ...fields.slice(1), 2, false]);
}
