/** The member without a screen as tests drive it: its vault opens at once, and what it tries again it tries soon. */
import { runMemberProcess } from '../../libs/client/src/node/member/process.js';
import { openHurried } from './platform.js';

await runMemberProcess(openHurried);
