/** Which words lie in what a member keeps: in its records, in what its own keys open of them, in its files, in an export. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeCbor, ProtocolError, type Bytes } from '@0fc/protocol';
import { asVaultKey, openExport } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { openBlock, readExport } from '../../../libs/client/src/account/export-file.js';
import { STORES } from '../../../libs/client/src/vault/records.js';
import { quickPassphrases } from '../../../libs/client/src/vault/quick-passphrases.spec-support.js';
import type { Vault } from '../../../libs/client/src/vault/vault.js';
import { exported } from '../../support/exported.js';
import type { Member } from '../../support/member.js';
import { inVaultOf } from '../../support/vault-of.js';
import type { Seen } from '../relay/lying-relay.js';
import { keysOf, openedBy, roomOf } from './record-reader.js';
import { Stolen } from './stolen.js';

const FILE = 'a long enough passphrase of the file';

const among = (places: readonly Bytes[], words: readonly string[]): readonly string[] =>
  words.filter((one) => places.some((place) => Buffer.from(place).includes(one)));

/** All records of an open vault, in clear. */
export async function recordsOf(vault: Vault): Promise<readonly Bytes[]> {
  const lists = await Promise.all(Object.values(STORES).map((store) => vault.list(store)));
  return lists.flat().map(({ value }) => value);
}

/** Whatever a record holds that is CBOR; a draft or an instance is none. */
function partsOf(record: Bytes): unknown {
  try {
    return decodeCbor(record);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return record;
  }
}

/** Of these words, those that lie in the vault of a member, which may be open, or in the bytes of its folder. */
export async function keptIn(
  member: Member,
  roomId: string,
  words: readonly string[],
): Promise<readonly string[]> {
  const records = await inVaultOf(member, recordsOf);
  if (records.length === 0) throw new Error('a vault without records');
  const places = [...records];
  for (const file of await readdir(member.folder)) places.push(await readFile(join(member.folder, file)));
  const stolen = await Stolen.from(member, roomId);
  const seen = records.map((record) => ({ way: 'fromClient', message: partsOf(record) }) as unknown as Seen);
  const opened = openedBy({ keys: keysOf(stolen) }, seen, roomOf(stolen));
  return words.filter((one) => among(places, [one]).length > 0 || opened.has(one));
}

/** Of these words, those that lie in an export that a member makes now. */
export async function keptInExport(member: Member, words: readonly string[]): Promise<readonly string[]> {
  const file = await readExport(nodeHash, await exported(member.api, FILE));
  if (file.sealedKey instanceof Uint8Array) throw new Error('an export of an earlier version');
  const key = asVaultKey(await openExport(quickPassphrases, FILE, file.sealedKey));
  const records = file.blocks.flatMap((block) => openBlock(key, block)).flatMap(({ value }) => value ?? []);
  if (records.length === 0) throw new Error('an export without records');
  return among(records, words);
}
