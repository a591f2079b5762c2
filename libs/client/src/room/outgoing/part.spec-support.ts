/** A room's ports in memory: a clock that the test moves, a relay that only listens. */
import type { ErrorCode, RequestKind } from '@0fc/protocol';
import type { ConnectionState, Failure } from '../../contract/api.js';
import type { Connection } from '../../link/connection.js';
import { ClientError } from '../../contract/errors.js';
import type { Platform } from '../../contract/ports.js';
import type { RoomHandle } from './part.js';
import { crypto, memoryStorage } from '../log/log.spec-support.js';
import type { RoomDraft } from '../state/draft.js';
import type { RoomState } from '../state/state.js';
import { quickPassphrases } from '../../vault/quick-passphrases.spec-support.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Unix ms; moves by {@link advance} alone, which runs what falls due on the way. */
export class FakeClock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  get pending(): number {
    return this.#timers.size;
  }
}

export function fakePlatform(clock: FakeClock): Platform {
  return {
    crypto: { ...crypto, clock },
    passphrases: quickPassphrases,
    timers: clock,
    storage: memoryStorage(),
    socket: { connect: () => ({ send: () => undefined, close: () => undefined }) },
    lock: { acquire: () => Promise.resolve(true), release: () => Promise.resolve() },
  };
}

export class FakeRoom implements RoomHandle {
  readonly state: RoomState;
  readonly platform: Platform;
  readonly relayKey = new Uint8Array(45);
  readonly connection: Connection;
  live = true;
  connectionState: ConnectionState = 'connected';
  restoring = false;
  /** why the relay refuses everything; null: it answers */
  refuses: ErrorCode | null = null;
  readonly sent: { readonly kind: RequestKind; readonly body: unknown }[] = [];
  readonly halted: Failure[] = [];
  catchUps = 0;
  signals = 0;
  changes = 0;

  constructor(state: RoomState, clock: FakeClock) {
    this.state = state;
    this.platform = fakePlatform(clock);
    const request = (kind: RequestKind, body: unknown): Promise<unknown> => {
      this.sent.push({ kind, body });
      return this.refuses === null ? Promise.resolve({}) : Promise.reject(new ClientError(this.refuses));
    };
    const connectionState = (): ConnectionState => this.connectionState;
    this.connection = {
      request,
      get state() {
        return connectionState();
      },
    } as unknown as Connection;
  }

  changed(): void {
    this.changes += 1;
  }

  async write<T>(work: (draft: RoomDraft) => Promise<T> | T): Promise<T> {
    const result = await this.state.write(work);
    this.changed();
    return result;
  }

  signal(): void {
    this.signals += 1;
  }

  attempt(): Promise<void> {
    return Promise.resolve();
  }

  catchUp(): void {
    this.catchUps += 1;
  }

  halt(failure: Failure): void {
    this.halted.push(failure);
  }

  /** Resolves once everything that was put in turn is done, what it was followed by included. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await this.state.serial.enqueue(() => undefined);
  }
}
