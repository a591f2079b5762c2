/** Started by tools/member.mjs. */
import { runMemberProcess } from './process.js';

await runMemberProcess();
