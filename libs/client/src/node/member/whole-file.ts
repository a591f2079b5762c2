/** A new file of this member: there once it is whole, for its owner alone, and never over another one. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';

const OWN = 0o600;

/**
 * What `write` puts into the file, under `path` once all of it is on the disk. Rejects as `write` does, or with the
 * system's error (EEXIST: there is something at the path); then nothing is left of it.
 */
export async function writeWhole(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  // The name is taken at once, by an empty file: nobody else's comes between, and renaming would ask for none.
  await (await open(path, 'wx', OWN)).close();
  const part = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(part, 'wx', OWN);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    await rm(path, { force: true });
    throw error;
  }
}
