/** An honest relay that may stop and start over its store, with all that it has seen in its life. */
import type { Entry, MemberId, RequestBody } from '@0fc/protocol';
import { LyingRelay, type Seen } from '../hostile/relay/lying-relay.js';
import { World } from '../hostile/relay/world.js';
import { Frames } from './frames.js';

export class ModelRelay {
  #relay: LyingRelay;
  frames: Frames;
  readonly #seen: Seen[] = [];
  readonly #failures: unknown[] = [];
  #passed = 0;

  private constructor(relay: LyingRelay) {
    this.#relay = relay;
    this.frames = new Frames(relay);
  }

  static async start(): Promise<ModelRelay> {
    return new ModelRelay(await LyingRelay.start());
  }

  get url(): string {
    return this.#relay.url;
  }

  /** messages that have gone through so far */
  get passed(): number {
    return this.#passed + this.frames.passed;
  }

  get failures(): readonly unknown[] {
    return [...this.#failures, ...this.#relay.failures];
  }

  /** Everything that it could read, in order. */
  get seen(): readonly Seen[] {
    return [...this.#seen, ...this.#relay.seen];
  }

  /** Ends as a process does that is killed, and starts over the same store: a new generation. */
  async restart(): Promise<void> {
    const old = this.#relay;
    // From here on nobody hears anything of it, so that the copy of its store is all that it has told.
    old.honest();
    old.onToClient(() => []);
    old.onFromClient(() => 'drop');
    old.cut();
    const snapshot = old.world.snapshot();
    this.#seen.push(...old.seen);
    this.#failures.push(...old.failures);
    this.#passed += this.frames.passed;
    const { key, url } = old;
    await old.stop();
    const world = World.open(snapshot);
    this.#relay = await LyingRelay.start({ port: Number(new URL(url).port), key, world });
    this.frames = new Frames(this.#relay);
  }

  stop(): Promise<void> {
    return this.#relay.stop();
  }

  /**
   * The log as it was served to anybody, in its order. Throws where two members were shown two
   * entries under one position, or one is missing.
   */
  log(): readonly Entry[] {
    const all = new Map<string, Entry>();
    for (const { way, memberId: sender, message } of this.seen) {
      // Its maker has the genesis, and is not served it.
      if (way === 'fromClient' && 'q' in message && message.kind === 'create') {
        const { genesis: payload } = message.body as RequestBody<'create'>;
        const position = { g: 1, s: 0 };
        all.set('1/0', { position, kind: 'roster', sender, time: 0, clear: new Uint8Array(), payload });
      }
      if (way !== 'toClient' || !('body' in message)) continue;
      const { entries } = message.body;
      if (!Array.isArray(entries)) continue;
      for (const entry of entries as readonly (Entry | Uint8Array)[]) {
        // A page of the chain has bare containers.
        if (entry instanceof Uint8Array) continue;
        const place = `${String(entry.position.g)}/${String(entry.position.s)}`;
        const known = all.get(place);
        if (known !== undefined && !Buffer.from(known.payload).equals(entry.payload)) {
          throw new Error(`two entries at ${place}`);
        }
        all.set(place, entry);
      }
    }
    const log = [...all.values()].sort((a, b) => a.position.s - b.position.s || a.position.g - b.position.g);
    for (const [s, { position }] of log.entries()) {
      if (position.s !== s) throw new Error(`entry ${String(position.s)} where ${String(s)} was to be`);
    }
    return log;
  }

  /** Messages that members have asked it to append, taken or not, oldest first. */
  appended(): readonly {
    readonly sender: MemberId;
    readonly clear: Uint8Array;
    readonly payload: Uint8Array;
  }[] {
    return this.seen.flatMap(({ way, memberId: sender, message }) => {
      if (way !== 'fromClient' || !('q' in message) || message.kind !== 'append') return [];
      const { messages } = message.body as {
        messages: readonly { clear: Uint8Array; payload: Uint8Array }[];
      };
      return messages.map(({ clear, payload }) => ({ sender, clear, payload }));
    });
  }
}
