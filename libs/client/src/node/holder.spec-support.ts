/** A process that takes the lock of a folder and keeps it until it is killed. */
import { FolderLock } from './lock.js';

const [folder = ''] = process.argv.slice(2);
const lock = new FolderLock(folder);
process.stdout.write(`${String(await lock.acquire())}\n`);
// A lock that nothing refers to is collected, and given up.
setInterval(() => lock, 60_000);
