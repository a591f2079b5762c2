/** Loads Themis in Node, where the package's own `initialize` fails: it fetches a file path. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { compileFunction } from 'node:vm';
import { giveScratch, type ThemisModule } from '../scratch.js';
import { pooledCrypto, type RandomSource } from './pool.js';

export interface LoadOptions {
  /**
   * Serve Themis's randomness from a pool that the platform's generator fills (default
   * true). Themis reads one byte a call, so this makes sealing about three times cheaper;
   * the price is up to 4 KiB of future randomness in this process's memory.
   */
  readonly pooledRandom?: boolean;
}

type Instantiate = (overrides: { wasmBinary: Uint8Array }) => Promise<ThemisModule>;

let loading: Promise<void> | null = null;

/** Makes Themis ready for every door of this library. Idempotent: the first call's options count. */
export function loadThemis(options: LoadOptions = {}): Promise<void> {
  loading ??= load(options.pooledRandom ?? true).catch((error: unknown) => {
    // A failure (a lost connection) is not for ever: the next call tries again.
    loading = null;
    throw error;
  });
  return loading;
}

async function load(pooled: boolean): Promise<void> {
  const require = createRequire(import.meta.url);
  const script = require.resolve('wasm-themis/dist/libthemis.js');
  const wasm = require.resolve('wasm-themis/dist/libthemis.wasm');
  const module = await instantiator(script, require, pooled)({ wasmBinary: readFileSync(wasm) });
  giveScratch(module);
  // What the package's own functions look their module up in.
  const context = require('wasm-themis/dist/context.js') as { default: { libthemis?: ThemisModule } };
  context.default.libthemis = module;
  // Its own copies through a list of numbers, which costs more than sealing what it copies.
  const memory = require('wasm-themis/dist/utils.js') as {
    heapPutArray: (bytes: Uint8Array, at: number) => void;
  };
  memory.heapPutArray = (bytes, at) => {
    module.HEAPU8.set(bytes, at);
  };
}

/**
 * Evaluates the package's script with two names of our own instead of patching globals:
 *
 * - `process`, whose `on` does nothing, because the script would install handlers that
 *   rethrow every uncaught error and unhandled rejection of the whole process;
 * - `crypto`, which may serve from a pool.
 */
function instantiator(script: string, require: NodeJS.Require, pooled: boolean): Instantiate {
  const quiet = Object.create(process, { on: { value: () => quiet } }) as NodeJS.Process;
  const random: RandomSource = pooled ? pooledCrypto() : globalThis.crypto;
  const module = { exports: {} as unknown };
  const names = ['module', 'exports', 'require', '__filename', '__dirname', 'process', 'crypto'];
  const evaluate = compileFunction(readFileSync(script, 'utf8'), names, { filename: script }) as (
    ...values: unknown[]
  ) => void;
  evaluate(module, module.exports, require, script, dirname(script), quiet, random);
  return module.exports as Instantiate;
}
