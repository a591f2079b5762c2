/** Vaults to export, and files as an export makes them, or as somebody changes them. */
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import {
  asInviteToken, asJoinKey, createGenesis, generateKeyPair, newVaultKey, sealExport, sealRecord, type VaultKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { concat, decodeCbor, encodeCbor, toBase64Url, utf8, type Bytes, type InviteId } from '@0fc/protocol';
import { memberIdOf, startRoster, type Roster } from '@0fc/crypto/verify';
import { earlierExportKey } from '../../../../test/support/earlier-vault.js';
import type { Records } from '../vault/migrations/version-1.spec-support.js';
import type { StoragePort } from '../contract/ports.js';
import { memoryStorage, waitingItem } from '../room/log/log.spec-support.js';
import { extendChain, putInvite, putOutbox } from '../room/state/draft.js';
import { INITIAL_CORE } from './create-room.js';
import { keyOf, STORES, type OutboxItem, type OwnerInvite, type RoomCore } from '../vault/records.js';
import { RoomState } from '../room/state/state.js';
import { RECORDS_VERSION } from '../vault/migrations/run.js';
import { exportVault } from './vault-export.js';
import type { Vault, VaultPlatform } from '../vault/vault.js';
import { quickPassphrases } from '../vault/quick-passphrases.spec-support.js';

export const FILE = 'the passphrase of the file';
export const OLD = 'the passphrase of the old vault';
export const NEW = 'the passphrase of the new vault';
export const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
export const random = (n: number): Bytes => crypto.random.bytes(n);

export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'fulfilled';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

export const device = (storage = memoryStorage()): VaultPlatform => ({
  crypto,
  passphrases: quickPassphrases,
  storage,
});

/** All that lies in a storage, sealed as it is. */
export const everything = (storage: StoragePort): Promise<unknown> =>
  Promise.all(['vault', ...Object.values(STORES)].map((store) => storage.list(store)));

export interface ExportedRoom {
  readonly core: RoomCore;
  readonly roster: Roster;
}

/** A room that its owner has just made. */
export async function roomOf(): Promise<ExportedRoom> {
  const settings = {
    rotateEvery: 100,
    maxMembers: 10,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const made = await createGenesis(crypto, { settings });
  const begun = await startRoster(nodeHash, made.container);
  const position = { g: 1, s: 0 };
  const t = random(32);
  const fields: RoomCore = {
    ...INITIAL_CORE,
    version: 2, roomId: made.roomId, me: await memberIdOf(nodeHash, made.identity.publicKey), stage: 'member',
    identity: made.identity, epoch: 1,
    keys: [
      { epoch: 1, key: made.roomKey, keyHash: begun.genesisKeyHash, rotation: null, floor: position, t, counters: [], since: 1 },
    ],
    position, t, nextIndex: 1, readIndex: 1, instance: random(16), nextN: 1, prekeys: [{ k: 1, pair: made.prekey }],
    usedK: 0, epochMessages: 0, paused: false, rotationWanted: false,
    mustRotate: false, pending: null, tasks: { removals: [], settings: null, close: false }, ownershipTransfer: null,
    leaving: [], declined: null, leaveRequest: null, logEpoch: 1,
    logLength: 1, chainShown: 1, losses: [], lost: null, skipped: false,
    publishedK: 1, publishedThen: 1, needKey: null, granted: [], wrappedTo: [], imported: false, verified: [], lastReadMarker: null, relayKeyShown: false,
    people: [], roomName: null, lastTime: 1,
  }; // prettier-ignore
  return { core: fields, roster: begun };
}

export const inviteIn = (stage: OwnerInvite['stage']): OwnerInvite => ({
  inviteId: toBase64Url(random(16)) as InviteId,
  made: 1,
  expires: 2,
  pair: stage === 'open' || stage === 'asked' ? generateKeyPair() : null,
  token: asInviteToken(random(32)),
  stage,
  joiner:
    stage === 'open'
      ? null
      : {
          key: generateKeyPair().publicKey,
          name: 'Noé',
          joinKey: asJoinKey(random(32)),
          prekey: random(100),
          ek: random(1_184),
          request: random(100),
        },
  approved: false,
  replies: [],
  repliedAt: null,
  dropReason: stage === 'dropping' ? 'declined' : null,
});

export const waitingIn = ({ core }: ExportedRoom, n: number): OutboxItem =>
  waitingItem({
    n,
    instance: core.instance,
    mid: random(16),
    made: 5,
    content: { type: 'text', text: `text ${String(n)}` },
    sealed: { epoch: 1, clear: random(3), payload: random(600) },
  });

/** Stores a room, with what waits in it and its invites. */
export async function fillWith(
  vault: Vault,
  { core, roster }: ExportedRoom,
  outbox: readonly OutboxItem[],
  invites: readonly OwnerInvite[],
): Promise<void> {
  await RoomState.create(vault, nodeHash, { core, roster }, (draft) => {
    draft.apply(
      extendChain(random(300), roster.head, roster),
      ...outbox.map(putOutbox),
      ...invites.map(putInvite),
    );
  });
  await vault.write([
    { store: STORES.app, key: 'instance', value: core.instance },
    { store: STORES.log, key: keyOf(core.roomId, 0), value: random(300) },
  ]);
}

const MAGIC = '0fc-export';

/** All pieces of an export, as one file. */
export async function exportFile(vault: Vault, platform: VaultPlatform, passphrase: string): Promise<Bytes> {
  const pieces: Bytes[] = [];
  await exportVault(vault, platform, passphrase, (piece) => {
    pieces.push(piece);
    return Promise.resolve(true);
  });
  return concat(...pieces);
}

const frame = (content: Bytes): Bytes => {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length);
  return concat(length, content);
};

/** Where each frame of a file begins and ends: the head, the blocks, the check. */
export function framesOf(file: Bytes): readonly (readonly [from: number, to: number])[] {
  const frames: [number, number][] = [];
  const view = new DataView(file.buffer, file.byteOffset);
  for (let at = MAGIC.length; at < file.length;) {
    const to = at + 4 + view.getUint32(at);
    frames.push([at, to]);
    at = to;
  }
  return frames;
}

export interface FileParts {
  readonly sealedKey: Bytes;
  readonly blocks: readonly Bytes[];
}

export function partsOf(file: Bytes): FileParts {
  const [head = file, ...rest] = framesOf(file).map(([from, to]) => file.slice(from + 4, to));
  const [, sealedKey] = decodeCbor(head) as [number, Bytes];
  return { sealedKey, blocks: rest.slice(0, -1) };
}

const checkOf = async (version: number, { sealedKey, blocks }: FileParts): Promise<Bytes> => {
  const digests = await Promise.all(blocks.map((sealed) => crypto.hash.sha256(sealed)));
  return (await crypto.hash.sha256(encodeCbor([MAGIC, version, sealedKey, digests]))).slice(0, 8);
};

/** A file with a check of its own, as whoever changes one would make it. */
export async function fileOf(parts: FileParts, version = RECORDS_VERSION): Promise<Bytes> {
  const head = encodeCbor([version, parts.sealedKey]);
  return concat(utf8(MAGIC), ...[head, ...parts.blocks, await checkOf(version, parts)].map(frame));
}

/** The key of a file's blocks under its passphrase, as the client of a version wrote it into the head. */
export async function sealedKeyOf(key: VaultKey, version = RECORDS_VERSION): Promise<Bytes> {
  if (version < 4) return earlierExportKey(FILE, key);
  const { salt, cost, sealed } = await sealExport(quickPassphrases, FILE, key);
  return encodeCbor({ salt, cost: { ...cost }, sealed });
}

/** A file with these records in one block, as the client of their version wrote it. */
export async function fileWith(records: Records, version: number): Promise<Bytes> {
  const key = newVaultKey(crypto.random);
  const block = Object.entries(records).flatMap(([store, list]) =>
    list.map((record) => ({ store, ...record })),
  );
  const inOneItem = version < 3;
  const sealed = sealRecord(key, MAGIC, inOneItem ? '0/1' : '0/last', encodeCbor(block));
  const parts = { sealedKey: await sealedKeyOf(key, version), blocks: [sealed] };
  return inOneItem
    ? encodeCbor([MAGIC, version, parts.sealedKey, parts.blocks, await checkOf(version, parts)])
    : fileOf(parts, version);
}
