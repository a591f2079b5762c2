/** Loads Themis in a worker of the browser. */
import { initialize } from 'wasm-themis';
import { giveScratch, type ThemisModule } from '../scratch.js';

let loading: Promise<void> | null = null;

/**
 * Makes Themis ready for every door of this library. Idempotent.
 *
 * @param wasmUrl absolute URL of `libthemis.wasm`; it must be of this origin
 */
export function loadThemis(wasmUrl: string): Promise<void> {
  loading ??= load(wasmUrl).catch((error: unknown) => {
    // A failure (a lost connection) is not for ever: the next call tries again.
    loading = null;
    throw error;
  });
  return loading;
}

async function load(wasmUrl: string): Promise<void> {
  giveScratch((await initialize(wasmUrl)) as ThemisModule);
}
