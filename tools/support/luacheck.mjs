/** The linter of the store's Lua scripts: the machine's, or Debian's. */
import { canInstall, installFromDebian } from './debian.mjs';
import { onPath } from './path.mjs';
import { Remedy } from './report.mjs';

/** @returns {Promise<string>} the path of luacheck */
export async function ensureLuacheck() {
  const found = onPath('luacheck');
  if (found !== undefined) return found;
  if (canInstall()) {
    await installFromDebian('luacheck for the Lua scripts', 'lua-check');
    const installed = onPath('luacheck');
    if (installed !== undefined) return installed;
  }
  throw new Remedy(
    'The Lua scripts are checked with luacheck.',
    'Install it (Debian: apt-get install lua-check; elsewhere: luarocks install luacheck).',
  );
}
