/**
 * Puts Themis's WebAssembly where Angular's builder may copy it from: the builder takes assets
 * from inside its workspace only, and the package lies in the repository's node_modules.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const folder = join(import.meta.dirname, '..', '.cache', 'themis');
const source = join(dirname(createRequire(import.meta.url).resolve('wasm-themis')), 'libthemis.wasm');

mkdirSync(folder, { recursive: true });
copyFileSync(source, join(folder, 'libthemis.wasm'));
