/** A process that takes the lock of a folder and keeps it until it is killed. */
import { FolderLock } from './lock.js';

const [folder = ''] = process.argv.slice(2);
process.stdout.write(`${String(await new FolderLock(folder).acquire())}\n`);
setInterval(() => undefined, 60_000);
