/**
 * A member's vault, read beside its client: what somebody has who copies the device at a moment, and what somebody has who
 * keeps everything that ever lay in it, as whoever is removed later may.
 */
import type { Bytes, InviteId, MemberId, RoomId } from '@0fc/protocol';
import {
  equalSecrets,
  type HybridKeyPair,
  type InviteToken,
  type JoinKey,
  type KeyPair,
} from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { memberIdOf } from '@0fc/crypto/verify';
import { loadCore } from '../../../libs/client/src/room/state/load.js';
import {
  decodeRecord, joinRecord, ownerInvite, prefixOf, STORES, type JoinRecord, type OwnerInvite, type RoomCore,
} from '../../../libs/client/src/vault/records.js'; // prettier-ignore
import type { Member } from '../../support/member.js';
import { VaultReader } from '../../support/vault-of.js';
import type { Vault } from '../../../libs/client/src/vault/vault.js';
import type { EpochSecret } from './record-reader.js';

/** Of a join: what opens the replies to it. */
export interface JoinSecrets {
  readonly inviteId: InviteId;
  readonly joiner: MemberId;
  readonly ownerKey: Bytes;
  readonly token: InviteToken;
  readonly joinKey: JoinKey;
  readonly request: Bytes;
}

/** Of an invite, at its owner's: what opens the requests that come with it. */
interface InviteSecrets {
  readonly inviteId: InviteId;
  readonly token: InviteToken;
  readonly pair: KeyPair;
}

/** Everything that opens something. */
export interface Secrets {
  readonly roomId: RoomId;
  /** whose they are */
  readonly me: MemberId;
  /** that its client is in; 0: not in the room yet */
  readonly epoch: number;
  readonly keys: readonly EpochSecret[];
  /** whose private halves are held, with their numbers */
  readonly prekeys: readonly { readonly k: number; readonly pair: HybridKeyPair }[];
  readonly keyRequests: readonly {
    readonly epoch: number;
    readonly request: Bytes;
    readonly pair: HybridKeyPair;
  }[];
  readonly joins: readonly JoinSecrets[];
  readonly invites: readonly InviteSecrets[];
}

/** Both, each once. */
export function joined(first: Secrets, second: Secrets): Secrets {
  const { roomId, me } = first;
  const epoch = Math.max(first.epoch, second.epoch);
  const once = <T>(all: readonly T[], same: (a: T, b: T) => boolean): readonly T[] =>
    all.filter((one, at) => all.findIndex((other) => same(one, other)) === at);
  return {
    roomId,
    me,
    epoch,
    keys: once([...first.keys, ...second.keys], (a, b) => a.epoch === b.epoch && equalSecrets(a.key, b.key)),
    prekeys: once([...first.prekeys, ...second.prekeys], (a, b) => a.k === b.k && samePair(a.pair, b.pair)),
    keyRequests: once([...first.keyRequests, ...second.keyRequests], (a, b) => samePair(a.pair, b.pair)),
    joins: once([...first.joins, ...second.joins], (a, b) => equalSecrets(a.joinKey, b.joinKey)),
    invites: once([...first.invites, ...second.invites], (a, b) => equalSecrets(a.token, b.token)),
  };
}

const samePair = (a: KeyPair, b: KeyPair): boolean => Buffer.from(a.publicKey).equals(b.publicKey);

export class Device {
  readonly #vault: VaultReader;

  private constructor(vault: VaultReader) {
    this.#vault = vault;
  }

  static of(member: Member): Device {
    return new Device(VaultReader.of(member));
  }

  async close(): Promise<void> {
    await this.#vault.close();
  }

  /** All secrets of a room that lie in the vault now; null: it has none. */
  copy(roomId: RoomId): Promise<Secrets | null> {
    return this.#vault.look((vault) => copyOf(vault, roomId));
  }
}

async function copyOf(vault: Vault, roomId: RoomId): Promise<Secrets | null> {
  const found = await loadCore(vault, roomId);
  const stored = await vault.get(STORES.joins, roomId);
  const join = stored === null ? null : decodeRecord(joinRecord, stored);
  const joins = join === null ? [] : [await secretsOfJoin(join)];
  if (found === null) {
    if (join === null) return null;
    const { identity, prekey } = join;
    const me = await memberIdOf(nodeHash, identity.publicKey);
    const prekeys = [{ k: 1, pair: prekey }];
    return { roomId, me, epoch: 0, keys: [], prekeys, keyRequests: [], joins, invites: [] };
  }
  const invites = await vault.listFrom(STORES.invites, prefixOf(roomId));
  return ofMember(
    found.core,
    joins,
    invites.map(({ value }) => decodeRecord(ownerInvite, value)),
  );
}

async function secretsOfJoin({
  inviteId,
  identity,
  ownerKey,
  token,
  joinKey,
  request,
}: JoinRecord): Promise<JoinSecrets> {
  const joiner = await memberIdOf(nodeHash, identity.publicKey);
  return { inviteId, joiner, ownerKey, token, joinKey, request };
}

/** Also keys that are no member's yet: the next one of a rotation in flight. */
async function ofMember(
  core: RoomCore,
  ownJoins: readonly JoinSecrets[],
  invites: readonly OwnerInvite[],
): Promise<Secrets> {
  const { roomId, me, prekeys, needKey, pending, identity } = core;
  const joins = [...ownJoins];
  for (const { inviteId, token, joiner } of invites) {
    if (joiner === null || token === null) continue;
    const { joinKey, request, key } = joiner;
    if (joinKey === null) continue;
    const ownerKey = identity.publicKey;
    joins.push({ inviteId, joiner: await memberIdOf(nodeHash, key), ownerKey, token, joinKey, request });
  }
  const candidate = pending?.candidate ?? null;
  return {
    roomId,
    me,
    epoch: core.epoch,
    keys: [
      ...core.keys.flatMap(({ epoch, key }) => (key === null ? [] : [{ epoch, key }])),
      ...(candidate === null ? [] : [{ epoch: candidate.epoch, key: candidate.key }]),
    ],
    prekeys: prekeys.map(({ k, pair }) => ({ k, pair })),
    keyRequests:
      needKey === null ? [] : [{ epoch: needKey.epoch, request: needKey.request, pair: needKey.pair }],
    joins,
    invites: invites.flatMap(({ inviteId, token, pair }) =>
      token === null || pair === null ? [] : [{ inviteId, token, pair }],
    ),
  };
}
