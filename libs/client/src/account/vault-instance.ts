/**
 * What an import changes in the records of an export (docs/protocol.md section 9): a new
 * instance, nothing of the old one's that could be used twice, and no open invite.
 */
import type { Hash, Ports, Random } from '@0fc/crypto/keys';
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
import { dropping } from '../room/owner/invite-stages.js';
import { knownContent } from '../vault/content.js';
import { isOnItsWay } from '../room/log/lost.js';
import { IndexKeys } from '../vault/index-keys.js';
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
export async function asNewInstance(
  { random, hash, clock }: Ports,
  records: readonly ClearRecord[],
): Promise<readonly ClearRecord[]> {
  if (records.some(({ store }) => !KNOWN.has(store))) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION);
  const instance = random.bytes(INSTANCE_BYTES);
  const made = { instance, now: clock.now() };
  const cores = records.filter(({ store }) => store === STORES.rooms);
  const changing: ReadonlySet<string> = new Set([STORES.rooms, STORES.outbox, STORES.invites]);
  const rooms = (await Promise.all(cores.map((head) => roomOf(hash, head, records, made)))).flat();
  const replaced = new Set(rooms.map(({ store, key }) => `${store} ${key}`));
  const kept = records.filter(
    ({ store, key }) =>
      !changing.has(store) &&
      !replaced.has(`${store} ${key}`) &&
      !(store === STORES.app && key === 'instance'),
  );
  return [{ store: STORES.app, key: 'instance', value: instance }, ...kept, ...rooms];
}

async function roomOf(
  hash: Hash,
  record: ClearRecord,
  records: readonly ClearRecord[],
  { instance, now }: { readonly instance: Bytes; readonly now: number },
): Promise<readonly ClearRecord[]> {
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
  const keys = await IndexKeys.of(hash, head);
  const read = new Set(of(STORES.messages).map(({ key }) => key));
  // What was read in the log and waits again was lost by the relay: under a new counter it would be a second message.
  const unread = await Promise.all(
    of(STORES.outbox).map(async ({ value }) => {
      const item = decodeRecord(outboxItem, value);
      const { instance: made, n } = item;
      return read.has(await keys.message({ sender: head.me, instance: made, n })) ? [] : [item];
    }),
  );
  // The same mid: if the exported device had sent it after all, both are known for one message.
  const waiting = unread.flat().sort((a, b) => a.n - b.n);
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
    // What is on its way is sealed here as if it had just been written; the rest keeps its epoch (section 6.9).
    only: isOnItsWay(item, now) ? null : (item.only ?? item.sealed?.epoch ?? null),
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
      return dropping(invite, 'other');
    case 'dropping':
      return invite;
  }
}
