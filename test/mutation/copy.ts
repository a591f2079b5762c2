/**
 * A copy of the repository, in which faults are planted: never in the checkout itself.
 *
 * Packages are linked to those of the checkout, but `@0fc/*` to the copy's own libraries, or the tests would
 * run on sources without the fault. Copies stay under .cache: the next run brings them up to date by what
 * differs, so that Jest's cache of transformed sources holds.
 */
import {
  existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs'; // prettier-ignore
import { basename, dirname, join, relative } from 'node:path';
import { changed, type Change } from './mutant.js';

const FOLDERS = ['apps/relay', 'apps/web', 'libs', 'test', 'types'];
const ROOT_FILES = /\.(json|mjs)$/;
const MADE = new Set(['node_modules', 'dist', '.angular', '.cache', 'coverage']);
/** Folders with packages of their own, in versions that others do not take. */
const WITH_PACKAGES = ['apps/web'];

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return MADE.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function sourcesOf(root: string): readonly string[] {
  const below = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    filesBelow(join(root, folder)),
  );
  const atRoot = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && ROOT_FILES.test(entry.name),
  );
  return [...below.map((path) => relative(root, path)), ...atRoot.map(({ name }) => name)];
}

export class Copy {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A copy of `root` as it is at this moment, what is not committed included. */
  static of(root: string, folder: string): Copy {
    mkdirSync(folder, { recursive: true });
    const copy = new Copy(folder);
    const wanted = new Set(sourcesOf(root));
    for (const path of sourcesOf(folder)) if (!wanted.has(path)) rmSync(join(folder, path));
    for (const path of wanted) copy.#bring(join(root, path), join(folder, path));
    copy.#link(root);
    return copy;
  }

  /** Puts a fault in; returns what takes it out again. */
  plant(changes: readonly Change[]): () => void {
    const before = new Map<string, string>();
    for (const change of changes) {
      const path = join(this.folder, change.file);
      const text = readFileSync(path, 'utf8');
      if (!before.has(path)) before.set(path, text);
      writeFileSync(path, changed(text, change));
    }
    return () => {
      for (const [path, text] of before) writeFileSync(path, text);
    };
  }

  #bring(from: string, to: string): void {
    const bytes = readFileSync(from);
    if (existsSync(to) && readFileSync(to).equals(bytes)) return;
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, bytes);
  }

  #link(root: string): void {
    const packages = join(this.folder, 'node_modules');
    rmSync(packages, { recursive: true, force: true });
    mkdirSync(join(packages, '@0fc'), { recursive: true });
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name === '@0fc' || name === '.cache') continue;
      symlinkSync(join(root, 'node_modules', name), join(packages, name));
    }
    for (const path of WITH_PACKAGES.filter((name) => existsSync(join(root, name, 'node_modules')))) {
      const link = join(this.folder, path, 'node_modules');
      rmSync(link, { recursive: true, force: true });
      symlinkSync(join(root, path, 'node_modules'), link);
    }
    const own = ['libs/protocol', 'libs/crypto', 'libs/client', 'apps/relay'];
    for (const path of own) {
      symlinkSync(join(this.folder, path), join(packages, '@0fc', basename(path)));
    }
  }
}
