/**
 * A device in memory that ends at a chosen step, as by kill -9 or by a loss of power, and all that its database has ever
 * held: what a thief carves out of its files.
 */
import type { Bytes } from '@0fc/protocol';
import type { Dice } from '../../../../test/support/random.js';
import { ClientError } from '../contract/errors.js';
import type { KeyFile, StorageChange, StoragePort } from '../contract/ports.js';
import { memoryStorage } from '../room/log/log.spec-support.js';
import { storageOver } from './storage-over.spec-support.js';

export type End = 'kill' | 'power' | 'full';

interface Pending {
  readonly at: number;
  readonly bytes: Bytes;
}

export class Device {
  readonly storage: StoragePort;
  /** every record that was ever handed to the database, in the order of the writes, failed ones included */
  readonly carved: StorageChange[] = [];
  /** steps that were taken: writes of the database; writes and flushes of the key file */
  steps = 0;
  readonly #dice: Dice;
  readonly #records = memoryStorage();
  /** what the key file holds on the disk */
  #disk = new Uint8Array();
  /** what the system has been given and may not have written */
  #pending: Pending[] = [];
  #endsAt = Infinity;
  #end: End = 'kill';
  #ended = false;

  constructor(dice: Dice) {
    this.#dice = dice;
    const keyFile: KeyFile = {
      open: async () => this.keys(),
      write: (at, bytes) =>
        this.#step(
          () => this.#pending.push({ at, bytes: Uint8Array.from(bytes) }),
          // Torn.
          () => this.#pending.push({ at, bytes: bytes.slice(0, this.#dice.below(bytes.length + 1)) }),
        ),
      flush: () => this.#step(() => this.#settle(() => true)),
      close: async () => undefined,
    };
    this.storage = storageOver(this.#records, {
      keyFile,
      write: (changes) => {
        this.carved.push(...changes.filter(({ value }) => value !== null));
        const write = (): Promise<void> => this.#records.write(changes);
        // All or nothing, and who asked may not hear of it.
        return this.#step(write, () => (this.#dice.once(2) ? write() : undefined));
      },
      close: async () => undefined,
    });
  }

  /** The n-th step from now on is the last one. */
  endAt(step: number, end: End): void {
    this.#endsAt = this.steps + step;
    this.#end = end;
  }

  /** Started again: after a loss of power some of what had not been flushed is there, and some is not. */
  restart(): void {
    if (this.#ended && this.#end === 'power') this.#settle(() => this.#dice.once(2));
    this.#ended = false;
    this.#endsAt = Infinity;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the step that it was to end at has come. */
  get reached(): boolean {
    return this.steps >= this.#endsAt;
  }

  /** The key file as its reader sees it. */
  keys(): Uint8Array<ArrayBuffer> {
    const length = this.#pending.reduce(
      (most, { at, bytes }) => Math.max(most, at + bytes.length),
      this.#disk.length,
    );
    const whole = new Uint8Array(length);
    whole.set(this.#disk);
    for (const { at, bytes } of this.#pending) whole.set(bytes, at);
    return whole;
  }

  #settle(keeps: () => boolean): void {
    this.#pending = this.#pending.filter(keeps);
    this.#disk = this.keys();
    this.#pending = [];
  }

  async #step(work: () => unknown, half: () => unknown = () => undefined): Promise<void> {
    if (this.#ended) throw new ClientError('VAULT_UNAVAILABLE');
    this.steps += 1;
    if (this.steps !== this.#endsAt) {
      await work();
      return;
    }
    await half();
    // A full disk refuses one step, and takes the next.
    this.#ended = this.#end !== 'full';
    throw new ClientError(this.#end === 'full' ? 'VAULT_FULL' : 'VAULT_UNAVAILABLE');
  }
}
