/**
 * Finds files of the web client's build, and the compressed forms that the build has put beside them
 * (`main.js.br`, `main.js.gz`). A compressed form counts only while it decompresses to the file itself: one that was
 * left behind by an earlier build, or altered, is ignored, and the file is served as it is.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { systemErrorCode } from '../config/errors.js';

/** In the order of preference: what is smaller comes first. */
const COMPRESSIONS = [
  { encoding: 'br', ending: '.br', decompress: promisify(brotliDecompress) },
  { encoding: 'gzip', ending: '.gz', decompress: promisify(gunzip) },
] as const;

/** Of the file itself, and of its compressed forms. */
const ENDINGS = ['', ...COMPRESSIONS.map(({ ending }) => ending)];

/** Whether a path names a compressed form: those are no files of their own. */
export const isCompressedForm = (path: string): boolean =>
  COMPRESSIONS.some(({ ending }) => path.endsWith(ending));

/** What may be sent for a file. */
export interface Form {
  /** as in Accept-Encoding and Content-Encoding */
  readonly encoding: 'br' | 'gzip' | 'identity';
  /** absolute */
  readonly path: string;
}

export interface BuildFile {
  /** SHA-256 of the file, uncompressed */
  readonly hash: Buffer;
  /** the file as it is */
  readonly plain: Form;
  /** the preferred one first */
  readonly compressed: readonly Form[];
}

interface Known {
  /** changes with any of the files on disk */
  readonly state: string;
  readonly file: Promise<BuildFile>;
}

export class BuildFiles {
  readonly #root: string;
  readonly #ignored: (path: string, code: string) => void;
  readonly #known = new Map<string, Known>();

  /** `ignored` hears of each compressed form that is none, with the system's code if it could not be read. */
  constructor(root: string, ignored: (path: string, code: string) => void) {
    this.#root = root;
    this.#ignored = ignored;
  }

  /** Each file is read at the first request for it, and again when it has changed. Null: there is no such file. */
  async find(path: string): Promise<BuildFile | null> {
    const absolute = join(this.#root, path);
    if (!absolute.startsWith(this.#root + sep)) return null;
    const stats = await Promise.all(ENDINGS.map((ending) => statOf(absolute + ending)));
    if (stats[0]?.isFile() !== true) return null;
    const state = stats
      .map((one) => `${String(one?.ino)} ${String(one?.mtimeMs)} ${String(one?.size)}`)
      .join();
    const known = this.#known.get(path);
    if (known?.state === state) return known.file;
    const file = this.#read(path, absolute);
    this.#known.set(path, { state, file });
    try {
      return await file;
    } catch (error) {
      this.#known.delete(path);
      throw error;
    }
  }

  async #read(path: string, absolute: string): Promise<BuildFile> {
    const data = await readFile(absolute);
    const compressed: Form[] = [];
    for (const { encoding, ending, decompress } of COMPRESSIONS) {
      try {
        const form = absolute + ending;
        const back = await decompress(await readFile(form), { maxOutputLength: Math.max(1, data.length) });
        if (back.equals(data)) compressed.push({ encoding, path: form });
        else this.#ignored(path + ending, 'other content');
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') this.#ignored(path + ending, systemErrorCode(error));
      }
    }
    const hash = createHash('sha256').update(data).digest();
    return { hash, plain: { encoding: 'identity', path: absolute }, compressed };
  }
}

/** Null: there is no such file, nor can there be one. */
async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemErrorCode(error))) return null;
    throw error;
  }
}
