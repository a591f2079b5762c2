/** npm run jest -- ...: Jest with the flag that its ES modules need, and any of its own options. */
import { jest } from './support/jest.mjs';
import { runTool } from './support/report.mjs';
import { ensureInstalled } from './support/workspace.mjs';

await runTool(async () => jest(await ensureInstalled(), process.argv.slice(2), { stdio: 'inherit' }));
