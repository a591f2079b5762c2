/** Connections, by their address and all of them. */
export interface ConnectionLimits {
  readonly perAddress: number;
  readonly all: number;
}

export class AddressCounter {
  readonly #limits: ConnectionLimits;
  readonly #counts = new Map<string, number>();
  #all = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Whether one more from there is too many. */
  isFull(address: string): boolean {
    return this.#all >= this.#limits.all || (this.#counts.get(address) ?? 0) >= this.#limits.perAddress;
  }

  opened(address: string): void {
    this.#all++;
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  closed(address: string): void {
    this.#all--;
    const left = (this.#counts.get(address) ?? 0) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }
}
