/** A room's record as version 1 had it: one for all of it, field by field. The room is of version 1 of the protocol. */
import { decodeCbor, encodeCbor, type Bytes, type CborValue } from '@0fc/protocol';
import { createGenesis } from '@0fc/crypto/keys';
import { encodeRoster, memberIdOf, startRoster } from '@0fc/crypto/verify';
import { crypto } from '../../room/log/log.spec-support.js';
import type { StorageRecord } from '../../contract/ports.js';
import type { RecordSource } from './migration.js';

export type Fields = Readonly<Record<string, CborValue>>;

export interface OldRoom {
  readonly roomId: string;
  readonly genesis: Bytes;
  readonly fields: Fields;
  /** what waits, by its counter: sealed, and not */
  readonly outbox: readonly (readonly [number, Fields])[];
  /** three members of whom something is kept: by all lists, by one each */
  readonly senders: readonly [string, string, string];
}

const random = (n: number): Bytes => crypto.random.bytes(n);
const id = (n: number): string => String(n).repeat(21) + 'A';

/** A roster of the protocol's version 1: it named no version, and had everybody's first prekey. */
function ofVersion1(roster: Bytes): Bytes {
  const [, ...fields] = decodeCbor(roster) as readonly CborValue[];
  const members = fields[7] as readonly (readonly CborValue[])[];
  fields[7] = members.map(([id, key, admit, epoch]) => [id, key, admit, key, null, epoch] as CborValue[]);
  return encodeCbor([1, ...fields.slice(0, -2)]);
}

export async function oldRoom(): Promise<OldRoom> {
  const settings = {
    rotateEvery: 100,
    maxMembers: 10,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const made = await createGenesis(crypto, { settings });
  const roster = await startRoster(crypto.hash, made.container);
  const { publicKey, privateKey } = made.identity;
  const me = await memberIdOf(crypto.hash, publicKey);
  const senders = [me, id(2), id(3)] as const;
  const [all, read, retired] = senders;
  const fields: Fields = {
    version: 1, roomId: made.roomId, me, stage: 'member', identity: { publicKey, privateKey }, roster: ofVersion1(encodeRoster(roster)),
    epoch: 1,
    keys: [
      {
        epoch: 1, key: made.roomKey, keyHash: roster.genesisKeyHash, rotation: null, floor: { g: 1, s: 0 }, t: random(32),
        counters: [{ sender: all, instance: random(16), n: 4 }], since: 5,
      },
    ],
    position: { g: 1, s: 3 }, t: random(32), nextIndex: 4, readIndex: 2, instance: random(16), nextN: 7,
    prekeys: [{ k: 1, pair: { publicKey: made.prekey.publicKey, privateKey: made.prekey.privateKey } }], usedK: 1,
    counters: [{ sender: all, instance: random(16), n: 6 }, { sender: retired, instance: random(16), n: 2 }],
    retired: [
      { sender: all, instance: random(16), n: 3 }, { sender: all, instance: random(16), n: 9 },
      { sender: retired, instance: random(16), n: 1 },
    ],
    seen: [{ memberId: all, position: { g: 1, s: 2 } }, { memberId: read, position: { g: 1, s: 1 } }],
    epochMessages: 3, paused: true, rotationWanted: true, mustRotate: false, pending: null,
    tasks: { removals: [id(2)], settings: null, close: false }, handOver: null, leaving: [], declined: random(16),
    leaveRequest: null, logEpoch: 1, logLength: 1, chainShown: 1, losses: [{ generation: 9, from: { g: 1, s: 1 } }],
    lost: { index: 1, from: 2, to: 3, restored: 1 }, skipped: false, publishedK: 1, publishedThen: 1, needKey: null,
    wrappedTo: [{ memberId: all, k: 1, again: false }], imported: false, verified: [id(2)], told: { g: 1, s: 2 },
    relayKeyShown: true, people: [{ memberId: all, name: 'Amina', proof: null }], roomName: { name: 'Ours', proof: null },
    forked: [all, read], lastTime: 8,
  }; // prettier-ignore
  const waiting = { instance: random(16), made: 5, content: { type: 'text', text: 'on its way' } };
  const outbox = [
    [3, { ...waiting, n: 3, mid: random(16), sealed: { epoch: 1, clear: random(3), payload: random(600) } }],
    [4, { ...waiting, n: 4, mid: random(16), sealed: null }],
  ] as const;
  return { roomId: made.roomId, genesis: made.container, fields, senders, outbox };
}

/** Records by store. */
export type Records = Readonly<Record<string, readonly StorageRecord[]>>;

export const recordsOf = ({ roomId, fields, genesis, outbox }: OldRoom): Records => ({
  rooms: [{ key: roomId, value: encodeCbor(fields) }],
  chain: [{ key: keyOf(roomId, 0), value: genesis }],
  outbox: outbox.map(([n, item]) => ({ key: keyOf(roomId, n), value: encodeCbor(item) })),
});

const keyOf = (roomId: string, n: number): string => `${roomId}/${String(n).padStart(16, '0')}`;

export const sourceOf = (records: Records): RecordSource => ({
  list: (store) => Promise.resolve(records[store] ?? []),
});
