/** Values that nobody changes in place. */

/** A map layered over another one, which stays unchanged: sets and deletions are in the upper one alone. */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  readonly #upper = new Map<K, V>();
  readonly #gone = new Set<K>();
  #size: number;

  constructor(base: ReadonlyMap<K, V>) {
    this.#base = base;
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  has(key: K): boolean {
    return this.#upper.has(key) || (!this.#gone.has(key) && this.#base.has(key));
  }

  get(key: K): V | undefined {
    if (this.#upper.has(key)) return this.#upper.get(key);
    return this.#gone.has(key) ? undefined : this.#base.get(key);
  }

  set(key: K, value: V): this {
    if (!this.has(key)) this.#size += 1;
    this.#gone.delete(key);
    this.#upper.set(key, value);
    return this;
  }

  delete(key: K): boolean {
    if (!this.has(key)) return false;
    this.#size -= 1;
    this.#upper.delete(key);
    this.#gone.add(key);
    return true;
  }

  /** In the order of the base, new entries last. */
  *entries(): MapIterator<[K, V]> {
    for (const [key, value] of this.#base) {
      if (this.#upper.has(key)) yield [key, this.#upper.get(key) as V];
      else if (!this.#gone.has(key)) yield [key, value];
    }
    for (const [key, value] of this.#upper) if (!this.#base.has(key)) yield [key, value];
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value))
    return value;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
  return value;
}
