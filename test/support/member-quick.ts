/** The member without a screen as people use it, but that its vault opens at once: for tests of what else it does. */
import { runMemberProcess } from '../../libs/client/src/node/member/process.js';
import { openQuick } from './platform.js';

await runMemberProcess(openQuick);
