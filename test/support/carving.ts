/** What is on the disk of a browser's profile: its files, whatever form they have, and what an act has let go of among them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_PAGES } from '../../libs/client/src/contract/ports.js';
import type { StoredDatabase } from './databases.js';
import type { SealedRecord, Taken } from './thief.js';

export interface ProfileFile {
  /** within the profile */
  readonly path: string;
  readonly bytes: Buffer;
}

/** What a running browser has not written yet, or has taken away meanwhile, is the same as none. */
async function ifThere<T>(reading: Promise<T>, none: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    throw error;
  }
}

/** Of a file that is not there: none. */
export const bytesOf = (path: string): Promise<Buffer> => ifThere<Buffer>(readFile(path), Buffer.alloc(0));

/** Files of a folder, at any depth, that have what is asked for. */
export async function filesThat(
  folder: string,
  have: (bytes: Buffer) => boolean,
): Promise<readonly ProfileFile[]> {
  const found: ProfileFile[] = [];
  for (const entry of await ifThere(readdir(folder, { withFileTypes: true }), [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = await filesThat(path, have);
      found.push(...below.map(({ path: rest, bytes }) => ({ path: join(entry.name, rest), bytes })));
    } else {
      const bytes = entry.isFile() ? await bytesOf(path) : Buffer.alloc(0);
      if (have(bytes)) found.push({ path: entry.name, bytes });
    }
  }
  return found;
}

const MARK = Buffer.from('0fc-keys');
/** Whether a file is a key table, whatever its browser calls it. */
export const isKeyFile = (bytes: Buffer): boolean => bytes.subarray(0, MARK.length).equals(MARK);

const allOf = (databases: readonly StoredDatabase[]): readonly SealedRecord[] =>
  databases.flatMap(({ stores }) =>
    stores.flatMap(({ records }) =>
      records.map(([key, value]) => {
        const [store = '', place = ''] = key;
        return { store, key: place, value: new Uint8Array(Buffer.from(value, 'base64')) };
      }),
    ),
  );

/** Sealed records of a page's databases, as test/support/databases.ts reads them. */
export const recordsOf = (databases: readonly StoredDatabase[]): readonly SealedRecord[] =>
  allOf(databases).filter(({ store }) => store !== KEY_PAGES);

/** The key table of a browser that keeps it in the database, where it cannot overwrite; empty where there is none. */
export const pagedKeyFileOf = (databases: readonly StoredDatabase[]): Uint8Array<ArrayBuffer> => {
  const pages = allOf(databases).filter(({ store }) => store === KEY_PAGES);
  return new Uint8Array(Buffer.concat(pages.map(({ value }) => value)));
};

/** Its own random bytes, behind the head of a cell: by them it is found in any file. */
export const bodyOf = ({ value }: SealedRecord): Buffer => Buffer.from(value.subarray(21, 53));

/** The first byte of a record under an entry of the key table, whose number follows. */
const SEALED = 1;

/** Of those that are under an entry of the key table. */
export const bodiesOf = (records: readonly SealedRecord[]): readonly Buffer[] =>
  records.filter(({ value }) => value[0] === SEALED).map(bodyOf);

/** What was there before and is not now: bodies of records, and entries of the key table that were under them and have changed. */
export function letGo(
  before: Taken,
  now: Taken,
): { readonly entries: readonly Buffer[]; readonly bodies: readonly Buffer[] } {
  const text = ({ value }: SealedRecord): string => Buffer.from(value).toString('base64');
  const live = new Set(now.records.map(text));
  const gone = before.records.filter((record) => record.value[0] === SEALED && !live.has(text(record)));
  const entries = gone.flatMap(({ value }) => {
    const at = 32 * Buffer.from(value).readUInt32LE(1);
    const [was, is] = [before.keyFile, now.keyFile].map((file) => Buffer.from(file.subarray(at, at + 32)));
    return was!.equals(is!) ? [] : [was!];
  });
  return { entries, bodies: bodiesOf(gone) };
}
