/**
 * The member without a screen, made to die at a chosen write of its vault: itself, or another
 * process, by kill -9. What to do is read from a file when it appears, so that a member that
 * runs already can be told.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { FileStorage } from '../../libs/client/src/node/storage.js';

export interface Fate {
  /** which write from now on, the first being 1 */
  readonly write: number;
  /** before it is made, with all that the last one allowed to be sent on its way; or right after it */
  readonly when: 'before' | 'after';
  /** the process to kill; null: this one */
  readonly pid: number | null;
}

const file = process.env.FATE_FILE ?? '';
let fate: Fate | null = null;
let count = 0;

function reached(when: Fate['when']): void {
  if (fate?.when !== when || fate.write !== count) return;
  const pid = fate.pid ?? process.pid;
  fate = null;
  process.kill(pid, 'SIGKILL');
}

function look(): void {
  if (!existsSync(file)) return;
  fate = JSON.parse(readFileSync(file, 'utf8')) as Fate;
  rmSync(file);
  count = 0;
}

const write = Object.getOwnPropertyDescriptor(FileStorage.prototype, 'write')?.value as FileStorage['write'];
FileStorage.prototype.write = async function (this: FileStorage, changes): Promise<void> {
  look();
  count += 1;
  reached('before');
  await write.call(this, changes);
  reached('after');
};

await import('./member-shell.js');
