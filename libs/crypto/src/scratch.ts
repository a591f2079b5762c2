/** The part of an instantiated Themis module that the loaders touch. */
export interface ThemisModule {
  _malloc(bytes: number): number;
  /** its whole memory; another array once that has grown */
  readonly HEAPU8: Uint8Array;
  allocate(slab: unknown, allocator: number): number;
}

/**
 * Gives the package's length outputs memory of their own.
 *
 * wasm-themis 0.15.0 reserves them with `allocate(new ArrayBuffer(n), ALLOC_STACK)`; that
 * function asks an ArrayBuffer for `.length`, gets undefined, and reserves nothing: every
 * call writes its lengths over the first eight bytes of the heap, the header of a live
 * block. No call nests inside another, so one fixed place serves them all.
 */
export function giveScratch(module: ThemisModule): void {
  const scratch = module._malloc(16);
  module.allocate = () => scratch;
}
