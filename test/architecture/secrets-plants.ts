/**
 * Where secrets go in, each written once with a value of every kind. What a door takes compiles; everything else must
 * not. The sources stand in libs/client/src while the compiler is asked about them, and on no disk.
 */

/** Every kind that a value may have: the secrets, bytes that are public, and bytes of which nothing is known. */
export const KINDS = [
  'RoomKey', 'JoinKey', 'InviteToken', 'VaultKey', 'PrivateKey', 'KemSeed', 'HybridKey', 'SlotSecret', 'FeedKey', 'Bytes', 'Uint8Array',
] as const; // prettier-ignore
export type Kind = (typeof KINDS)[number];

interface Door {
  readonly takes: readonly Kind[];
  /** an expression with `given` in it, which is of the kind that is tried */
  readonly use: string;
}

const PUBLIC: readonly Kind[] = ['Bytes', 'Uint8Array'];
const SYMMETRIC: readonly Kind[] = [
  'RoomKey',
  'JoinKey',
  'InviteToken',
  'VaultKey',
  'HybridKey',
  'SlotSecret',
  'FeedKey',
];

const calls = (name: string, field: string, kind: Kind, at = 1): Readonly<Record<string, Door>> => ({
  [`${name}: ${field}`]: {
    takes: [kind],
    use: `(...p: Parameters<typeof keys.${name}>) => keys.${name}(${Array.from({ length: at }, (_, n) => `p[${String(n)}], `).join('')}{ ...p[${String(at)}], ${field}: given })`,
  },
});
const holds = (record: string, kind: Kind, field: string): Readonly<Record<string, Door>> => ({
  [`${record}: ${field}`]: { takes: [kind], use: `(r: ${record}): ${record} => ({ ...r, ${field}: given })` },
});

/** By a name of each. */
export const DOORS: Readonly<Record<string, Door>> = {
  ...calls('sealMessage', 'roomKey', 'RoomKey', 0),
  ...calls('openMessage', 'roomKey', 'RoomKey', 0),
  ...calls('sealSignal', 'roomKey', 'RoomKey', 0),
  ...calls('openSignal', 'roomKey', 'RoomKey', 0),
  ...calls('wrapPrekey', 'oldKey', 'RoomKey', 0),
  ...calls('makeRotation', 'roomKey', 'RoomKey'),
  ...calls('openRotation', 'oldKey', 'RoomKey'),
  ...calls('makeKeyGrant', 'roomKey', 'RoomKey'),
  ...calls('makeJoinConfirm', 'roomKey', 'RoomKey'),
  ...calls('openJoinConfirm', 'roomKey', 'RoomKey'),
  ...calls('makeJoinReply', 'joinKey', 'JoinKey'),
  ...calls('openJoinReply', 'joinKey', 'JoinKey'),
  ...calls('makeJoinReply', 'token', 'InviteToken'),
  ...calls('openJoinReply', 'token', 'InviteToken'),
  ...calls('openJoinRequest', 'token', 'InviteToken'),
  ...holds("Parameters<typeof keys.makeJoinReply>[1]['reply']", 'RoomKey', 'key'),
  ...holds("Parameters<typeof keys.makeJoinRequest>[1]['link']", 'InviteToken', 'token'),
  'the id of an invite': { takes: ['InviteToken'], use: '(hash: Hash) => keys.inviteIdOf(hash, given)' },
  'the commitment to a room key': {
    takes: ['RoomKey'],
    use: '(hash: Hash) => keys.keyHash(hash, open, 1, given)',
  },
  'the seal of a record': { takes: ['VaultKey'], use: `() => keys.sealRecord(given, 'store', 'key', open)` },
  'the opening of a record': {
    takes: ['VaultKey'],
    use: `() => keys.openRecord(given, 'store', 'key', open)`,
  },
  'the seal of a vault key': {
    takes: ['VaultKey'],
    use: `(random: Random, by: Passphrases) => keys.sealVaultKey(random, by, 'passphrase', given)`,
  },
  'a cell': { takes: SYMMETRIC, use: '() => sealCell(given, open, open)' },
  'the opening of a cell': {
    takes: SYMMETRIC,
    use: `() => openCell(given, open, open, { code: 'BAD_KEY' })`,
  },
  'an encrypted message': { takes: ['PrivateKey'], use: '() => encryptTo(given, open, open)' },
  'a key pair': { takes: ['PrivateKey'], use: '(): KeyPair => ({ publicKey: open, privateKey: given })' },
  'the public half of a key pair': {
    takes: PUBLIC,
    use: '(pair: KeyPair): KeyPair => ({ ...pair, publicKey: given })',
  },
  'the pinned key of a relay': {
    takes: PUBLIC,
    use: '(identity: KeyPair) => ClientLink.open({ identity, relayKey: given })',
  },
  'what is sealed': { takes: PUBLIC, use: `(key: RoomKey) => sealCell(key, given, open)` },
  'what travels as text': { takes: PUBLIC, use: '() => toBase64Url(given)' },
  'what is shown as digits': { takes: PUBLIC, use: '() => toHex(given)' },
  'what is compared in the open': { takes: PUBLIC, use: '() => equalBytes(given, open)' },
  'what is hashed as it is': { takes: PUBLIC, use: '(hash: Hash) => hash.sha256(given)' },
  'what is put together': { takes: PUBLIC, use: '() => concat(open, given)' },
  'a payload on its way': { takes: PUBLIC, use: '(e: Entry): Entry => ({ ...e, payload: given })' },
  ...calls('sealWrap', 'oldKey', 'RoomKey'),
  ...calls('sealWrap', 'newKey', 'RoomKey'),
  ...calls('openWrap', 'oldKey', 'RoomKey', 0),
  ...holds('keys.HybridKeyPair', 'KemSeed', 'seed'),
  ...holds('keys.HybridKeyPair', 'PrivateKey', 'privateKey'),
  'a KEM ciphertext': { takes: ['KemSeed'], use: '() => decapsulate(given, open)' },
  'the public key of a seed': { takes: ['KemSeed'], use: '() => encapsulationKeyOf(given)' },
  'a key to encapsulate to': { takes: PUBLIC, use: '(random: Random) => encapsulate(random, given)' },
  ...holds('EpochKey', 'RoomKey', 'key'),
  ...holds("NonNullable<PendingCommand['candidate']>", 'RoomKey', 'key'),
  ...holds('OwnerInvite', 'InviteToken', 'token'),
  ...holds("NonNullable<OwnerInvite['joiner']>", 'JoinKey', 'joinKey'),
  ...holds('JoinRecord', 'InviteToken', 'token'),
  ...holds('JoinRecord', 'JoinKey', 'joinKey'),
  ...holds("RoomCore['identity']", 'PrivateKey', 'privateKey'),
};

export const HEADER = `
import * as keys from '@0fc/crypto/keys';
import type { InviteToken, JoinKey, KemSeed, KeyPair, PrivateKey, RoomKey, VaultKey } from '@0fc/crypto/keys';
import type { FeedKey, HybridKey, SlotSecret } from '../../crypto/src/secrets.js';
import { ClientLink } from '@0fc/crypto/link';
import { concat, equalBytes, toBase64Url, toHex, type Bytes, type Entry } from '@0fc/protocol';
import type { Hash, Passphrases, Random } from '@0fc/crypto/keys';
import { openCell, sealCell } from '../../crypto/src/cell.js';
import { encryptTo } from '../../crypto/src/keys/envelope.js';
import { decapsulate, encapsulate, encapsulationKeyOf } from '../../crypto/src/keys/kem.js';
import type { EpochKey, JoinRecord, OwnerInvite, PendingCommand, RoomCore } from './vault/records.js';
declare const open: Bytes;
`;

/** Each makes a secret of bytes past the guards. */
export const CASTS: Readonly<Record<string, string>> = {
  'a cast': `export const f = (b: Uint8Array) => b as RoomKey;`,
  'an old cast': `export const f = (b: Uint8Array) => <VaultKey>b;`,
  'a cast by way of what is unknown': `export const f = (b: Bytes) => b as unknown as InviteToken;`,
  'a cast of what it may be': `export const f = (b: Uint8Array | null) => b as JoinKey | null;`,
  'a cast of what holds one': `export const f = (b: Bytes) => ({ publicKey: b, privateKey: b }) as object as KeyPair;`,
};
