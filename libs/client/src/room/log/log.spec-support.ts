/** A room's log made by hand with real keys: what a relay would serve, honest or not. */
import {
  encodeMessageClear,
  toBase64Url,
  type AnyContent,
  type Body,
  type Bytes,
  type Entry,
  type EntryKind,
  type GenerationStart,
  type RosterKind,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import {
  applyRoster,
  CryptoError,
  memberIdOf,
  startRoster,
  transcriptGeneration,
  transcriptNext,
  transcriptOver,
  transcriptStart,
  verifyRotation,
  type Roster,
  transcriptHash,
  type HybridPrekey,
} from '@0fc/crypto/verify';
import {
  createGenesis, generateKeyPair, type HybridKeyPair, hybridPublicKey, type KeyPair, makePrekey, makeRotation,
  type RoomKey, sealMessage, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import type { StoragePort, RecordPlace, StorageChange } from '../../contract/ports.js';
import { MemoryKeyFile } from '../../node/key-file.js';
import { Vault } from '../../vault/vault.js';

import { acceptGap, applyEntry, type Applied } from './entry.js';
import { INITIAL_CORE } from '../../account/create-room.js';
import { applyGeneration } from './generations.js';
import { relayedOf } from './items.js';
import type { RoomChange } from '../state/changes.js';
import { append, extendChain, type RoomSnapshot } from '../state/draft.js';
import type { LogRecord, OutboxItem, RoomCore, StoredMessage } from '../../vault/records.js';
import { RoomState } from '../state/state.js';
import { quickPassphrases } from '../../vault/quick-passphrases.spec-support.js';

export const crypto = { hash: nodeHash, random: nodeRandom, clock: { now: () => 5_000 } };

/** A storage that is a map: what these tests look at is the room, not the disk. */
export function memoryStorage(): StoragePort {
  const records = new Map<string, Bytes>();
  const list = (prefix: string) =>
    Promise.resolve(
      [...records].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  const behind = (a: RecordPlace, b: RecordPlace): boolean =>
    a.store === b.store ? a.key > b.key : a.store > b.store;
  return {
    keyFile: new MemoryKeyFile(),
    overwrites: () => Promise.resolve(true),
    read: (store, key) => Promise.resolve(records.get(`${store} ${key}`) ?? null),
    readEach: (places) =>
      Promise.resolve(places.map(({ store, key }) => records.get(`${store} ${key}`) ?? null)),
    listAfter: (place, most) =>
      Promise.resolve(
        [...records]
          .map(([name, value]) => ({
            store: name.slice(0, name.indexOf(' ')),
            key: name.slice(name.indexOf(' ') + 1),
            value,
          }))
          .filter((record) => place === null || behind(record, place))
          .sort((a, b) => (behind(a, b) ? 1 : -1))
          .slice(0, most),
      ),
    list: async (store) =>
      (await list(`${store} `)).map(([key, value]) => ({ key: key.slice(store.length + 1), value })),
    listFrom: async (store, prefix) =>
      (await list(`${store} ${prefix}`)).map(([key, value]) => ({ key: key.slice(store.length + 1), value })),
    listBetween: async (store, from, to, most) =>
      (await list(`${store} `))
        .map(([key, value]) => ({ key: key.slice(store.length + 1), value }))
        .filter(({ key }) => key >= from && key < to)
        .slice(0, most),
    count: async (store) => (await list(`${store} `)).length,
    write: (changes: readonly StorageChange[]) => {
      for (const { store, key, value } of changes) {
        if (value === null) records.delete(`${store} ${key}`);
        else records.set(`${store} ${key}`, value);
      }
      return Promise.resolve();
    },
    erase: () => {
      records.clear();
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

export interface Person {
  readonly identity: KeyPair;
  readonly id: MemberId;
  readonly prekey: HybridKeyPair;
  readonly instance: Bytes;
  n: number;
}

interface Past {
  readonly t: Bytes;
  readonly roster: Roster;
  readonly epoch: number;
  readonly key: RoomKey;
  readonly base: Bytes;
}

export class RoomLog {
  roster: Roster;
  epoch = 1;
  key: RoomKey;
  position: Position = { g: 1, s: 0 };
  t: Bytes;
  /** T where the epoch began: what an owner signs into its next rotation */
  base: Bytes;
  owner: Person;
  readonly genesis: Bytes;
  readonly firstKey: RoomKey;
  readonly firstT: Bytes;
  /** transcript, roster, epoch and key by position: to go back to when the store loses its tail */
  /** signed roster entries after genesis, in order */
  readonly containers: Bytes[] = [];
  readonly #past = new Map<string, Past>();
  /** when the next rotations are signed, in Unix ms of their owner's clock */
  signedAt = crypto.clock.now();

  readonly #published = new Map<MemberId, HybridPrekey>();

  private constructor(owner: Person, roster: Roster, key: RoomKey, genesis: Bytes, t: Bytes) {
    this.owner = owner;
    this.roster = roster;
    this.key = key;
    this.firstKey = key;
    this.genesis = genesis;
    this.t = t;
    this.#published.set(owner.id, { k: 1, ...hybridPublicKey(owner.prekey) });
    this.base = transcriptHash(t);
    this.firstT = t;
  }

  static async begin(): Promise<RoomLog> {
    const made = await createGenesis(crypto, {
      settings: {
        rotateEvery: 100,
        maxMembers: 10,
        history: 1_000,
        approval: false,
        joinDeadline: 86_400_000,
      },
    });
    const roster = await startRoster(nodeHash, made.container);
    const id = await memberIdOf(nodeHash, made.identity.publicKey);
    const owner = { identity: made.identity, id, prekey: made.prekey, instance: nodeRandom.bytes(16), n: 0 };
    return new RoomLog(
      owner,
      roster,
      made.roomKey,
      made.container,
      await transcriptStart(nodeHash, made.container),
    );
  }

  /** An entry at the next position; the log moves on. `proved`: a rotation that its readers believe. */
  async add(
    kind: EntryKind,
    sender: MemberId,
    payload: Bytes,
    clear: Bytes = new Uint8Array(),
    wrap?: Bytes,
    proved = false,
  ): Promise<Entry> {
    const position = { g: this.position.g, s: this.position.s + 1 };
    const entry: Entry = {
      position,
      kind,
      sender,
      time: 1_000 + position.s,
      clear,
      payload,
      ...(wrap === undefined ? {} : { wrap }),
    };
    this.t = await (proved ? transcriptOver : transcriptNext)(nodeHash, this.t, entry);
    if (proved) this.base = transcriptHash(this.t);
    this.position = position;
    if (kind === 'roster') this.containers.push(payload);
    this.#remember();
    return entry;
  }

  #remember(): void {
    const { t, roster, epoch, key, base } = this;
    this.#past.set(`${String(this.position.g)}/${String(this.position.s)}`, { t, roster, epoch, key, base });
  }

  /** The store loses everything after a position. Returns what the relay announces of it. */
  async lose(from: Position, generation: number): Promise<GenerationStart> {
    const past = this.#past.get(`${String(from.g)}/${String(from.s)}`);
    if (past === undefined) throw new Error('nothing stood there');
    ({ roster: this.roster, epoch: this.epoch, key: this.key, base: this.base } = past);
    this.t = await transcriptGeneration(nodeHash, past.t, generation);
    this.position = { g: generation, s: from.s };
    this.#remember();
    return { generation, from };
  }

  /** The room goes to another member, who has accepted it in this epoch. */
  async transferOwnership(to: Person): Promise<Entry> {
    const { roomId } = this.roster;
    const fields = { roomId, epoch: this.epoch, old: this.owner.id, new: to.id, nonce: nodeRandom.bytes(16) };
    const acceptance = signBody(to.identity, 'transferAcceptance', fields);
    const entry = await this.change('transfer', { to: to.id, acceptance });
    this.owner = to;
    return entry;
  }

  /** A signed roster entry on the current head, applied here. */
  async change<K extends RosterKind>(
    kind: K,
    fields: Omit<Body<K>, 'roomId' | 'epoch' | 'head' | 'owner'>,
  ): Promise<Entry> {
    const { roomId, head } = this.roster;
    const { epoch } = this;
    const body = { roomId, epoch, head, owner: this.owner.id, ...fields } as unknown as Body<K>;
    const container = signBody(this.owner.identity, kind, body);
    ({ roster: this.roster } = await applyRoster(nodeHash, this.roster, container));
    return this.add('roster', this.owner.id, container);
  }

  /** Whether an honest relay takes back an entry that its store has lost: on the head and in the epoch that it names. */
  async takesBack({ kind, clear, payload }: Entry): Promise<boolean> {
    try {
      if (kind === 'rotation') await verifyRotation(nodeHash, this.roster, this.epoch, clear, payload);
      else if ((await applyRoster(nodeHash, this.roster, payload)).change.epoch !== this.epoch) return false;
      return true;
    } catch (error) {
      if (error instanceof CryptoError && error.code !== 'INTERNAL') return false;
      throw error;
    }
  }

  /** An entry that is there already, at the next position: what a restore brings back. */
  async again(entry: Entry): Promise<Entry> {
    if (entry.kind === 'roster')
      ({ roster: this.roster } = await applyRoster(nodeHash, this.roster, entry.payload));
    if (entry.kind === 'rotation') this.epoch += 1;
    return this.add(
      entry.kind,
      entry.sender,
      entry.payload,
      entry.clear,
      undefined,
      entry.kind === 'rotation',
    );
  }

  async admit(): Promise<{ readonly person: Person; readonly entry: Entry }> {
    const identity = generateKeyPair();
    const id = await memberIdOf(nodeHash, identity.publicKey);
    const prekey = await makePrekey(crypto, { identity, roomId: this.roster.roomId, memberId: id, k: 1 });
    const container = signBody(this.owner.identity, 'admit', {
      roomId: this.roster.roomId,
      head: this.roster.head,
      owner: this.owner.id,
      key: identity.publicKey,
      prekey: prekey.prekey,
      epoch: this.epoch,
      inviteId: toBase64Url(nodeRandom.bytes(16)) as Body<'admit'>['inviteId'],
    });
    ({ roster: this.roster } = await applyRoster(nodeHash, this.roster, container));
    const person = { identity, id, prekey: prekey.keyPair, instance: nodeRandom.bytes(16), n: 0 };
    this.#published.set(id, { k: 1, ...hybridPublicKey(person.prekey) });
    return { person, entry: await this.add('roster', this.owner.id, container) };
  }

  /** The body of a person's next message, as an honest client seals it now. */
  body(person: Person, content: AnyContent, change: Partial<Body<'message'>> = {}): Body<'message'> {
    return {
      roomId: this.roster.roomId,
      epoch: this.epoch,
      sender: person.id,
      instance: person.instance,
      n: ++person.n,
      mid: nodeRandom.bytes(16),
      seen: { position: this.position, t: transcriptHash(this.t) },
      sentAt: 5_000,
      content,
      ...change,
    };
  }

  seal(
    person: Person,
    body: Body<'message'>,
    roomKey = this.key,
  ): { readonly clear: Bytes; readonly payload: Bytes } {
    return sealMessage({ identity: person.identity, roomKey, body });
  }

  async say(person: Person, text: string, change: Partial<Body<'message'>> = {}): Promise<Entry> {
    const sealed = this.seal(person, this.body(person, { type: 'text', text }, change));
    return this.add('message', person.id, sealed.payload, sealed.clear);
  }

  clear(epoch = this.epoch): Bytes {
    return encodeMessageClear(epoch);
  }

  /** of the last rotation: what each reader is served of it */
  wraps: Readonly<Record<MemberId, Bytes>> = {};

  /** A rotation by the owner, as one reader is served it. */
  async rotate(
    reader: MemberId,
    prekeys: ReadonlyMap<MemberId, HybridPrekey> = this.prekeys(),
  ): Promise<Entry> {
    const made = await makeRotation(
      { ...crypto, clock: { now: () => this.signedAt } },
      {
        identity: this.owner.identity,
        roster: this.roster,
        epoch: this.epoch,
        roomKey: this.key,
        base: this.base,
        prekeys,
        least: new Map(),
      },
    );
    this.epoch = made.newEpoch;
    this.key = made.newKey;
    const { clear, payload, wraps } = made.command;
    this.wraps = wraps;
    return this.add('rotation', this.owner.id, payload, clear, wraps[reader], true);
  }

  /** The first prekey of everybody on the roster. */
  prekeys(): Map<MemberId, HybridPrekey> {
    return new Map([...this.#published].filter(([memberId]) => this.roster.members.has(memberId)));
  }

  /** A reader that has applied the genesis alone. `window`: records that it holds in memory. */
  async reader(person: Person, vault?: Vault, window?: number): Promise<RoomState> {
    vault ??= await openVault();
    const roster = await startRoster(nodeHash, this.genesis);
    const position = { g: 1, s: 0 };
    const core: RoomCore = {
      ...INITIAL_CORE,
      version: 2,
      roomId: roster.roomId,
      me: person.id,
      stage: 'member',
      identity: person.identity,
      epoch: 1,
      keys: [
        {
          epoch: 1,
          key: this.firstKey,
          keyHash: roster.genesisKeyHash,
          rotation: null,
          floor: position,
          t: this.firstT,
          counters: [],
          since: 1,
        },
      ],
      position,
      t: this.firstT,
      nextIndex: 0,
      readIndex: 0,
      instance: person.instance,
      nextN: 1,
      prekeys: [{ k: 1, pair: person.prekey }],
      usedK: 0,
      epochMessages: 0,
      paused: false,
      rotationWanted: false,
      mustRotate: false,
      pending: null,
      tasks: { removals: [], settings: null, close: false },
      ownershipTransfer: null,
      declined: null,
      leaving: [],
      leaveRequest: null,
      logEpoch: 1,
      logLength: 1,
      chainShown: 1,
      losses: [],
      lost: null,
      skipped: false,
      publishedK: 1,
      publishedThen: 1,
      needKey: null,
      granted: [],
      wrappedTo: [],
      imported: false,
      verified: [],
      lastReadMarker: null,
      relayKeyShown: false,
      people: [],
      roomName: null,
      lastTime: 1,
    };
    const clear = new Uint8Array();
    const relayed = relayedOf({ kind: 'roster', sender: this.owner.id, clear, payload: this.genesis });
    return RoomState.create(
      vault,
      nodeHash,
      { core, roster },
      (draft) => {
        draft.apply(
          extendChain(this.genesis, roster.head, roster),
          append({ position, t: this.firstT, relayed }, 1, []),
        );
      },
      window,
    );
  }
}

/** Carries changes out, and stores them. */
export const change = (state: RoomState, ...changes: readonly RoomChange[]): Promise<void> =>
  state.write((draft) => {
    draft.apply(...changes);
  });

/** Reads an entry as the reader of a log does. */
export const readEntry = (state: RoomState, entry: Entry): Promise<Applied['outcome']> =>
  state.write(async (draft) => {
    const { outcome, changes } = await applyEntry(nodeHash, draft, entry);
    draft.apply(...changes);
    return outcome;
  });

export const readGap = (state: RoomState, entry: Entry): Promise<void> =>
  state.write((draft) => {
    draft.apply(...acceptGap(draft, entry));
  });

export const readGeneration = (state: RoomState, start: GenerationStart, now: number): Promise<void> =>
  state.write((draft) => applyGeneration(nodeHash, draft, start, now));

/** A message that waits in the outbox and was never sealed, unless `fields` say otherwise. */
export const waitingItem = (fields: Partial<OutboxItem> & Pick<OutboxItem, 'n' | 'instance' | 'mid' | 'content'>): OutboxItem => ({
  made: 1, sealed: null, acknowledged: false, only: null, writtenAt: 1, confirmed: true, ...fields,
}); // prettier-ignore

/** All records of the local log, oldest first. */
export const recordsOf = ({ log }: RoomState): readonly LogRecord[] => [...log.oldestFirst(log.first)];

/** Messages of the log, oldest first. */
export const messagesOf = (state: RoomSnapshot): readonly StoredMessage[] =>
  [...state.log.oldestFirst(state.log.first)].flatMap(({ items }) =>
    items.filter((item) => item.type === 'message'),
  );

let opened: Promise<Vault> | null = null;
/** One vault for all readers of a run. */
function openVault(): Promise<Vault> {
  opened ??= newVault();
  return opened;
}

export const newVault = (storage = memoryStorage()): Promise<Vault> =>
  Vault.create({ crypto, passphrases: quickPassphrases, storage }, 'a long enough passphrase');

/** Codes of the alarms that a reader has shown, in order. */
export const alarmsOf = (state: RoomState): readonly string[] =>
  recordsOf(state).flatMap((record) =>
    record.items.flatMap((item) => (item.type === 'alarm' ? [item.code] : [])),
  );

/** Events that a reader has shown, in order. */
export const eventsOf = (state: RoomState): readonly string[] =>
  recordsOf(state).flatMap((record) =>
    record.items.flatMap((item) => (item.type === 'system' ? [item.event] : [])),
  );

export const textsOf = (state: RoomState): readonly unknown[] =>
  messagesOf(state).flatMap((message) => (message.content.type === 'text' ? [message.content.text] : []));

/** A log with one member beside its owner, as that one has taken it in. */
export async function readLog(vault?: Vault): Promise<{
  readonly log: RoomLog;
  readonly guest: Person;
  readonly reader: RoomState;
}> {
  const log = await RoomLog.begin();
  const { person: guest, entry } = await log.admit();
  const reader = await log.reader(guest, vault);
  await readEntry(reader, entry);
  return { log, guest, reader };
}
