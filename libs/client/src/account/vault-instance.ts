/**
 * What an import changes in the records of an export (docs/protocol.md section 9): a new
 * instance, nothing of the old one's that could be used twice, and no open invite.
 */
import type { Random } from '@0fc/crypto/keys';
import {
  equalBytes,
  ERROR_CODES,
  parse,
  random16,
  type AnyContent,
  type Bytes,
  type Target,
} from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import {
  decodeRecord, encodeRecord, keyOf, membershipOf, outboxItem, ownerInvite, prefixOf, sliceKey, SLICES, STORES, type OwnerInvite,
} from '../vault/records.js'; // prettier-ignore
import { damageOf } from './room-acts.js';
import { knownContent } from '../vault/content.js';
import type { Vault } from '../vault/vault.js';

/** A record in clear, with its place. */
export interface ClearRecord {
  readonly store: string;
  readonly key: string;
  readonly value: Bytes;
}

const INSTANCE_BYTES = 16;
const KNOWN: ReadonlySet<string> = new Set(Object.values(STORES));

/**
 * The instance of this vault: random, new for each (section 6), so that counters of different vaults are distinct.
 * Rooms keep the instance they began with. If its record is damaged, new rooms get another one.
 */
export async function instanceOf(vault: Vault, random: Random): Promise<Bytes> {
  const read: Bytes[] = [];
  const damage = await damageOf(async () => {
    const known = await vault.get(STORES.app, 'instance');
    if (known !== null) read.push(parse(random16, known));
  });
  const [instance] = read;
  if (instance !== undefined) return instance;
  const made = random.bytes(INSTANCE_BYTES);
  if (damage === null) await vault.write([{ store: STORES.app, key: 'instance', value: made }]);
  return made;
}

/**
 * The records of a new instance of the same members. Throws UNSUPPORTED_VERSION for a store of
 * a later client, MALFORMED for a record that is none, EXPORT_DAMAGED for parts of no room.
 */
export function asNewInstance(random: Random, records: readonly ClearRecord[]): readonly ClearRecord[] {
  if (records.some(({ store }) => !KNOWN.has(store))) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION);
  const instance = random.bytes(INSTANCE_BYTES);
  const cores = records.filter(({ store }) => store === STORES.rooms);
  const changing: ReadonlySet<string> = new Set([STORES.rooms, STORES.outbox, STORES.invites]);
  const rooms = cores.flatMap((head) => roomOf(head, records, instance));
  const replaced = new Set(rooms.map(({ store, key }) => `${store} ${key}`));
  const kept = records.filter(
    ({ store, key }) =>
      !changing.has(store) &&
      !replaced.has(`${store} ${key}`) &&
      !(store === STORES.app && key === 'instance'),
  );
  return [{ store: STORES.app, key: 'instance', value: instance }, ...kept, ...rooms];
}

function roomOf(
  record: ClearRecord,
  records: readonly ClearRecord[],
  instance: Bytes,
): readonly ClearRecord[] {
  const head = decodeRecord(SLICES.head, record.value);
  const membership = membershipOf(head);
  const slice = (name: string): Bytes => {
    const found = records.find(
      ({ store, key }) => store === STORES.slices && key === sliceKey(membership, name),
    );
    if (found === undefined) throw new ClientError(ERROR_CODES.EXPORT_DAMAGED);
    return found.value;
  };
  const own = decodeRecord(SLICES.own, slice('own'));
  const { pending } = decodeRecord(SLICES.owner, slice('owner'));
  if (record.key !== membership) throw new ClientError(ERROR_CODES.EXPORT_DAMAGED);
  const of = (store: string): readonly ClearRecord[] =>
    records.filter((other) => other.store === store && other.key.startsWith(prefixOf(membership)));
  // The same mid: if the exported device had sent it after all, both are known for one message.
  const waiting = of(STORES.outbox)
    .map(({ value }) => decodeRecord(outboxItem, value))
    .sort((a, b) => a.n - b.n);
  const renamed = (target: Target): Target => {
    const at = waiting.findIndex(({ n }) => n === target.n);
    const moves = at >= 0 && target.sender === head.me && equalBytes(target.instance, head.instance);
    return moves ? { sender: head.me, instance, n: at + 1 } : target;
  };
  const outbox = waiting.map((item, at) => ({
    ...item,
    n: at + 1,
    instance,
    sealed: null,
    acknowledged: false,
    only: item.acknowledged ? (item.sealed?.epoch ?? item.only) : item.only,
    content: retargeted(item.content, renamed),
  }));
  const invites = of(STORES.invites).flatMap(({ key, value }) => {
    const invite = voided(decodeRecord(ownerInvite, value), pending?.inviteId ?? null);
    return invite === null ? [] : [{ store: STORES.invites, key, value: encodeRecord(ownerInvite, invite) }];
  });
  return [
    { store: STORES.rooms, key: membership, value: encodeRecord(SLICES.head, { ...head, instance }) },
    {
      store: STORES.slices,
      key: sliceKey(membership, 'own'),
      value: encodeRecord(SLICES.own, { ...own, nextN: outbox.length + 1, imported: true }),
    },
    ...outbox.map((item) => ({
      store: STORES.outbox,
      key: keyOf(membership, item.n),
      value: encodeRecord(outboxItem, item),
    })),
    ...invites,
  ];
}

/** An edit of what waits too is of the message under its new name. */
function retargeted(content: AnyContent, renamed: (target: Target) => Target): AnyContent {
  const known = knownContent(content);
  return known !== null && 'to' in known ? { ...known, to: renamed(known.to) } : content;
}

/** Null: deleted. A joiner with a join reply has the room key: the join is dropped, and a rotation follows. */
function voided(invite: OwnerInvite, admitting: string | null): OwnerInvite | null {
  // Signed and perhaps in the log already: repeated as it is, like every command in flight.
  if (invite.inviteId === admitting) return invite;
  switch (invite.stage) {
    case 'open':
    case 'asked':
      return null;
    case 'replied':
    case 'confirmed':
      return { ...invite, stage: 'dropping', dropReason: 'other' };
    case 'dropping':
      return invite;
  }
}
