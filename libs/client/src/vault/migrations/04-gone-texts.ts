/**
 * From version 4 to 5: of a deleted line nothing stays but that it was there, and of an edited one the words of its last
 * edit (docs/decisions/0037). Until then both were only shown so. What was edited and deleted before is brought to that form:
 * in the log, and in what waits to be sent.
 */
import { encodeCbor, type Bytes, type CborValue } from '@0fc/protocol';
import type { StorageChange, StorageRecord } from '../../contract/ports.js';
import { damaged, fieldsOf, listOf, recordOf, type Fields } from './fields.js';
import type { Migration } from './migration.js';

const LINES: ReadonlySet<CborValue> = new Set(['text', 'reply']);
const NO_LINES: ReadonlySet<CborValue> = new Set([
  'reaction', 'edit', 'delete', 'profile', 'roomName', 'readMarker', 'void', 'again',
]); // prettier-ignore
const EFFECTS: ReadonlySet<CborValue> = new Set(['reaction', 'edit', 'delete']);
const VOID: Fields = { type: 'void' };

export const goneTexts: Migration = {
  from: 4,
  async migrate(records) {
    const members = new Map(
      (await records.list('rooms')).map(({ key, value }) => [key, recordOf('rooms', value).me ?? null]),
    );
    const log = byRoom(await records.list('log'));
    const outbox = byRoom(await records.list('outbox'));
    // Also of a room whose head cannot be read: of what waits there nobody knows whose it is.
    return [...new Set([...log.keys(), ...outbox.keys()])].flatMap((room) => {
      const me = members.get(room) ?? null;
      return new GoneTexts(me, log.get(room) ?? [], me === null ? [] : (outbox.get(room) ?? [])).changes();
    });
  },
};

/** Keys are the room's, a slash, and the record's own. */
function byRoom(records: readonly StorageRecord[]): ReadonlyMap<string, readonly StorageRecord[]> {
  const rooms = new Map<string, StorageRecord[]>();
  for (const record of records) {
    const room = record.key.slice(0, record.key.indexOf('/'));
    const known = rooms.get(room);
    if (known === undefined) rooms.set(room, [record]);
    else known.push(record);
  }
  return rooms;
}

/** What became of the message under a name. */
interface Fate {
  deleted: boolean;
  /** the last edit of its own sender that the log holds: its words, and its own name */
  words: string | null;
  by: string;
  /** of that edit: within an instance its counter decides, between two the order of the log */
  instance: string;
  n: number;
}

interface Message {
  readonly name: string;
  readonly instance: string;
  readonly n: number;
  readonly sender: CborValue;
  readonly content: Fields;
}

/** The log and the outbox of a room. */
class GoneTexts {
  readonly #log: readonly StorageRecord[];
  readonly #outbox: readonly (StorageRecord & { readonly fields: Fields })[];
  readonly #me: CborValue;
  readonly #fates = new Map<string, Fate>();
  /** names of the edits that the log holds */
  readonly #edits = new Set<string>();

  constructor(me: CborValue, log: readonly StorageRecord[], outbox: readonly StorageRecord[]) {
    this.#me = me;
    this.#log = log;
    this.#outbox = outbox.map((record) => ({ ...record, fields: recordOf('outbox', record.value) }));
    for (const { value } of log) for (const message of messagesOf(recordOf('log', value))) this.#add(message);
    // A deletion that waits counts here already, an edit once the log holds it.
    for (const { fields } of this.#outbox) {
      const waiting = messageOf({ ...fields, sender: me }, 'outbox');
      if (waiting?.content.type === 'delete') this.#add(waiting);
    }
  }

  /** G3: of its own sender alone. In the order of the log. */
  #add({ name, instance, n, sender, content }: Message): void {
    if (content.type !== 'edit' && content.type !== 'delete') return;
    const to = targetOf(content);
    if (to?.sender !== sender) return;
    const fate = this.#fates.get(to.name) ?? { deleted: false, words: null, by: '', instance: '', n: 0 };
    this.#fates.set(to.name, fate);
    if (content.type === 'delete') fate.deleted = true;
    else if (typeof content.text === 'string') {
      this.#edits.add(name);
      if (fate.instance === instance && n < fate.n) return;
      Object.assign(fate, { words: content.text, by: name, instance, n });
    }
  }

  changes(): readonly StorageChange[] {
    if (this.#fates.size === 0) return [];
    return [
      ...this.#log.flatMap((record) => this.#record(record)),
      ...this.#outbox.flatMap((item) => this.#waiting(item)),
    ];
  }

  #record({ key, value }: StorageRecord): readonly StorageChange[] {
    const record = recordOf('log', value);
    const items = listOf(record, 'items', 'log');
    const now = items.map((item) => this.#item(item));
    if (now.every((item, at) => item === items[at])) return [];
    return [{ store: 'log', key, value: encodeCbor({ ...record, items: now }) }];
  }

  #item(item: Fields): Fields {
    const message = item.type === 'message' ? messageOf(item, 'log') : null;
    if (message === null) return item;
    if (this.#isObsolete(message)) return { ...item, content: VOID };
    const fate = this.#fates.get(message.name);
    if (fate === undefined || !isLine(message.content)) return item;
    if (fate.deleted) return { ...item, content: VOID, deleted: true };
    return fate.words === null ? item : { ...item, content: reworded(message.content, fate.words) };
  }

  /** An edit that is not the last one, and what changes a line that is deleted. */
  #isObsolete({ name, sender, content }: Message): boolean {
    if (content.type !== 'edit' && content.type !== 'reaction') return false;
    const to = targetOf(content);
    const fate = to === null ? undefined : this.#fates.get(to.name);
    if (fate === undefined) return false;
    return fate.deleted || (content.type === 'edit' && to?.sender === sender && fate.by !== name);
  }

  #waiting({ key, fields }: StorageRecord & { readonly fields: Fields }): readonly StorageChange[] {
    const message = messageOf({ ...fields, sender: this.#me }, 'outbox');
    if (message === null) return [];
    const { content } = message;
    const fate = this.#fates.get(message.name);
    const to = targetOf(content);
    const about = to === null ? undefined : this.#fates.get(to.name);
    const changesDeleted =
      about?.deleted === true && (content.type === 'edit' || content.type === 'reaction');
    // It was read, and lost by the relay: another one was read behind it.
    const isObsolete = this.#edits.has(message.name) && this.#isObsolete(message);
    if (changesDeleted || isObsolete || (fate?.deleted === true && isLine(content))) {
      // Its counter goes all the same.
      const { again: _past, ...item } = fields;
      const over = { content: VOID, sealed: null, acknowledged: false, only: null, confirmed: true };
      return [{ store: 'outbox', key, value: encodeCbor({ ...item, ...over }) }];
    }
    if (fate === undefined || fate.words === null || !isLine(content)) return [];
    const sealed = fields.sealed === null ? null : fieldsOf(fields.sealed ?? null, 'outbox');
    const over = {
      content: reworded(content, fate.words),
      sealed: null,
      only: fields.only ?? sealed?.epoch ?? null,
    };
    return [{ store: 'outbox', key, value: encodeCbor({ ...fields, ...over }) }];
  }
}

/** What is no content of that version is shown as a line too, of which it takes a newer client to say more. */
const isLine = (content: Fields): boolean => {
  const { type = null } = content;
  return !NO_LINES.has(type) || (EFFECTS.has(type) && targetOf(content) === null);
};

/** What that version did not know stays, beside its last edit. */
const reworded = (content: Fields, text: string): Fields =>
  LINES.has(content.type ?? null) ? { ...content, text, edited: true } : content;

const messagesOf = (record: Fields): readonly Message[] =>
  listOf(record, 'items', 'log').flatMap((item) => {
    const message = item.type === 'message' ? messageOf(item, 'log') : null;
    return message === null ? [] : [message];
  });

function messageOf(item: Fields, store: string): Message | null {
  const name = nameOf(item);
  if (name === null) throw damaged(store);
  const { instance, n } = item as { readonly instance: Bytes; readonly n: number };
  const content = fieldsOf(item.content ?? null, store);
  return { name, instance: instance.join(), n, sender: item.sender ?? null, content };
}

/** Contents of members may be of any shape: null for what names no message. */
function targetOf({ to = null }: Fields): { readonly name: string; readonly sender: CborValue } | null {
  if (typeof to !== 'object' || to === null || Array.isArray(to) || to instanceof Uint8Array) return null;
  const fields = to as Fields;
  const name = nameOf(fields);
  return name === null ? null : { name, sender: fields.sender ?? null };
}

function nameOf({ sender, instance, n }: Fields): string | null {
  if (typeof sender !== 'string' || !(instance instanceof Uint8Array) || typeof n !== 'number') return null;
  return JSON.stringify([sender, [...(instance as Bytes)], n]);
}
