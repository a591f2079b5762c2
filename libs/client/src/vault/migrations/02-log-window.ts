/**
 * From version 2 to 3: data that was found by reading the whole log gets small records of its own, so that a client
 * keeps only the end of the log in memory: the index of each message and of its effects, counts over the log, the
 * position of the last message of each sender, times of generations and of changes of the settings.
 */
import {
  encodeCbor,
  type Bytes,
  type CborValue,
  type MemberId,
  type RoomId,
  type Target,
} from '@0fc/protocol';
import { asPrivateKey } from '@0fc/crypto/keys';
import type { Hash } from '@0fc/crypto/verify';
import type { StorageChange, StorageRecord } from '../../contract/ports.js';
import { knownContent, isLine } from '../content.js';
import { IndexKeys } from '../index-keys.js';
import { bytesOf, damaged, decoded, fieldOf, fieldsOf, type Fields } from './fields.js';
import type { Migration, RecordSource } from './migration.js';

const STARTS_KEPT = 256;
const TURNS_KEPT = 64;
const HOUR_MS = 3_600_000;
export const logWindow: Migration = {
  from: 2,
  async migrate(records, hash) {
    const once = new Map<string, Promise<readonly StorageRecord[]>>();
    const all: RecordSource = {
      list(store) {
        const known = once.get(store) ?? records.list(store);
        once.set(store, known);
        return known;
      },
    };
    const made: (readonly StorageChange[])[] = [];
    for (const { key, value } of await all.list('rooms')) made.push(await roomOf(hash, all, key, value));
    return made.flat();
  },
};

async function roomOf(
  hash: Hash,
  records: RecordSource,
  roomId: string,
  head: Bytes,
): Promise<readonly StorageChange[]> {
  const of = async (store: string): Promise<readonly (readonly [string, Fields])[]> =>
    (await records.list(store))
      .filter(({ key }) => key.startsWith(`${roomId}/`))
      .map(({ key, value }) => [key.slice(roomId.length + 1), fieldsOf(decoded(store, value), store)]);
  const slices = new Map((await records.list('slices')).map(({ key, value }) => [key, value] as const));
  const slice = (name: string): Fields => {
    const value = slices.get(`${roomId}/${name}`);
    if (value === undefined) throw damaged('slices');
    return fieldsOf(decoded('slices', value), 'slices');
  };
  const core = fieldsOf(decoded('rooms', head), 'rooms');
  const identity = fieldsOf(fieldOf(core, 'identity', 'log'), 'rooms');
  const keys = await IndexKeys.of(hash, {
    roomId: roomId as RoomId,
    identity: {
      publicKey: bytesOf(identity, 'publicKey', 'log'),
      privateKey: asPrivateKey(bytesOf(identity, 'privateKey', 'log')),
    },
  });
  const reading = slice('reading');
  const seen = new Reading(core.me ?? null, Number(reading.readIndex));
  for (const [, record] of await of('log')) seen.addRecord(record);
  const put = (store: string, name: string, value: CborValue): StorageChange => ({
    store,
    key: `${roomId}/${name}`,
    value: encodeCbor(value),
  });
  const indexed = seen.index.map(async ({ target, at, effect }): Promise<StorageChange> =>
    effect
      ? { store: 'effects', key: await keys.effect(target, at.index), value: encodeCbor(at.index) }
      : { store: 'messages', key: await keys.message(target), value: encodeCbor({ ...at }) },
  );
  return [
    put('slices', 'place', { ...slice('place'), ...seen.counts(), shownIndex: seen.shownIndex, lineIndex: seen.lineIndex }),
    put('slices', 'reading', { ...reading, othersRead: seen.othersRead }),
    put('slices', 'owner', { ...slice('owner'), settingsPlaced: seen.settingsPlaced }),
    put('slices', 'loss', { ...slice('loss'), starts: seen.starts.slice(-STARTS_KEPT), turns: seen.turns.slice(-TURNS_KEPT) }),
    ...(await of('senders')).map(([sender, record]) =>
      put('senders', sender, { ...record, ...seen.placeOf(sender, record) }),
    ),
    ...(await Promise.all(indexed)),
  ]; // prettier-ignore
}

interface Indexed {
  readonly target: Target;
  readonly at: { readonly index: number; readonly mid: Bytes };
  readonly effect: boolean;
}

/** The log of a room, read once. */
class Reading {
  shownIndex: number | null = null;
  lineIndex: number | null = null;
  othersRead = 0;
  starts: { readonly position: { readonly g: number; readonly s: number }; readonly time: number }[] = [];
  readonly turns: number[] = [];
  settingsPlaced: number[] = [];
  readonly index: Indexed[] = [];
  readonly #me: CborValue;
  readonly #readIndex: number;
  #place: { readonly g: number; readonly s: number } | null = null;
  readonly #counts = { alarms: 0, others: 0, sealed: 0, missed: 0 };
  /** by sender: entries that were missed by its last message */
  readonly #missedAt = new Map<CborValue, number>();
  /** by sender and instance: the last counter that was read; by sender: what was changed before it was there */
  readonly #last = new Map<string, number>();
  readonly #changedAhead = new Map<string, number>();
  /** by sender: when its last entry that proved itself was placed */
  readonly #lastEntry = new Map<CborValue, CborValue>();
  /** by sender and counter: the last position that it was read at */
  readonly #places = new Map<string, CborValue>();

  constructor(me: CborValue, readIndex: number) {
    this.#me = me;
    this.#readIndex = readIndex;
  }

  counts(): Fields {
    return { ...this.#counts };
  }

  addRecord(record: Fields): void {
    const index = Number(record.index);
    const at = record.at === null ? null : fieldsOf(fieldOf(record, 'at', 'log'), 'log');
    if (at !== null) this.#addPosition(index, at, Number(record.time));
    const items = fieldOf(record, 'items', 'log');
    if (!Array.isArray(items)) throw damaged('log');
    if (items.length > 0) this.shownIndex = index;
    const all = (items as readonly CborValue[]).map((value) => fieldsOf(value, 'log'));
    for (const item of all) this.#addItem(index, at, record, item);
    const relayed =
      at === null || at.relayed === null ? null : fieldsOf(fieldOf(at, 'relayed', 'log'), 'log');
    if (relayed !== null && all.some(({ type }) => type !== 'alarm')) {
      this.#lastEntry.set(fieldOf(relayed, 'sender', 'log'), fieldOf(record, 'time', 'log'));
    }
  }

  /** Descending positions mean that the relay's log had never held what was read before. */
  #addPosition(index: number, at: Fields, time: number): void {
    const position = fieldsOf(fieldOf(at, 'position', 'log'), 'log');
    const [g, s] = [Number(position.g), Number(position.s)];
    const before = this.#place;
    if (before !== null && (g < before.g || (g === before.g && s < before.s))) {
      this.turns.push(index);
      this.starts = this.starts.filter(({ position }) => position.g <= g);
    }
    this.#place = { g, s };
    if (at.relayed === null) this.starts.push({ position: { g, s }, time });
  }

  #addItem(index: number, at: Fields | null, record: Fields, item: Fields): void {
    const numbers = item.numbers === undefined ? {} : fieldsOf(item.numbers, 'log');
    const { from = 0, to = -1, restored = 0 } = numbers as Readonly<Record<string, number>>;
    switch (item.type as string) {
      case 'alarm':
        if (item.code !== 'ALARM_RELAY_LOST' || restored <= Math.max(0, to) - from) this.#counts.alarms += 1;
        return;
      case 'sealed':
        this.#counts.sealed += 1;
        return;
      case 'system':
        if (item.event === 'missed') this.#counts.missed += Math.max(0, to - from + 1);
        if (item.event === 'settings') this.#addSettings(Number(record.time));
        return;
      case 'repeat':
        if (at !== null) this.#places.set(nameOf(item), fieldOf(at, 'position', 'log'));
        return;
      case 'message':
        this.#addMessage(index, at, item);
        return;
    }
  }

  #addSettings(time: number): void {
    this.settingsPlaced = [...this.settingsPlaced.filter((placed) => placed > time - HOUR_MS), time];
  }

  #addMessage(index: number, at: Fields | null, item: Fields): void {
    const sender = fieldOf(item, 'sender', 'log');
    // What a member has sent is of any shape: what is no content of this version is shown as a line.
    const content = knownContent(item.content);
    const place = { index, mid: bytesOf(item, 'mid', 'log') };
    this.#missedAt.set(sender, this.#counts.missed);
    if (at !== null) this.#places.set(nameOf(item), fieldOf(at, 'position', 'log'));
    const own = targetOf(item);
    this.#last.set(instanceOf(own), Math.max(own.n, this.#last.get(instanceOf(own)) ?? 0));
    this.index.push({ target: own, at: place, effect: false });
    if (content?.type === 'edit' || content?.type === 'delete' || content?.type === 'reaction') {
      const target = content.to;
      this.index.push({ target, at: place, effect: true });
      const known = Math.max(
        this.#last.get(instanceOf(target)) ?? 0,
        this.#changedAhead.get(target.sender) ?? 0,
      );
      if (target.n > known) this.#changedAhead.set(target.sender, target.n);
    }
    if (!isLine(item.content)) return;
    this.lineIndex = index;
    if (sender === this.#me) return;
    this.#counts.others += 1;
    if (index < this.#readIndex) this.othersRead += 1;
  }

  placeOf(sender: string, record: Fields): Fields {
    const counter = record.counter === null ? null : fieldsOf(fieldOf(record, 'counter', 'log'), 'senders');
    const at = counter === null ? null : (this.#places.get(nameOf({ sender, ...counter })) ?? null);
    const changedAhead = this.#changedAhead.get(sender) ?? 0;
    const lastEntry = this.#lastEntry.get(sender) ?? null;
    return { at, missedAt: this.#missedAt.get(sender) ?? 0, changedAhead, lastEntry };
  }
}

const targetOf = (item: Fields): Target => ({
  sender: fieldOf(item, 'sender', 'log') as MemberId,
  instance: bytesOf(item, 'instance', 'log'),
  n: Number(item.n),
});

const instanceOf = ({ sender, instance }: Target): string => JSON.stringify([sender, [...instance]]);

const nameOf = (item: Fields): string =>
  JSON.stringify([item.sender, [...bytesOf(item, 'instance', 'log')], item.n]);
