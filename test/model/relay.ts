/** An honest relay that may stop and start over its store, or over an old copy of it, with all that it has seen in its life. */
import { rm } from 'node:fs/promises';
import type { Entry, GenerationStart, MemberId, Position, RequestBody, RoomId } from '@0fc/protocol';
import { LyingRelay, type Seen } from '../hostile/relay/lying-relay.js';
import { World } from '../hostile/relay/world.js';
import { Frames } from './frames.js';
import { KeptWraps } from './kept-wraps.js';

export class ModelRelay {
  #relay: LyingRelay;
  frames: Frames;
  readonly wraps = new KeptWraps();
  readonly #seen: Seen[] = [];
  readonly #failures: unknown[] = [];
  #passed = 0;
  /** a copy of the store, to go back to */
  #copy: string | null = null;
  /** whether it ever went back */
  lossy = false;

  private constructor(relay: LyingRelay) {
    this.#relay = relay;
    this.frames = this.#between(relay);
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

  /** Copies the store as it is now. */
  async keep(): Promise<void> {
    await this.#forgetCopy();
    this.#copy = this.#relay.world.snapshot();
  }

  async #forgetCopy(): Promise<void> {
    if (this.#copy !== null) await rm(this.#copy, { recursive: true, force: true });
    this.#copy = null;
  }

  /** Starts over the copy that it keeps: all since then is lost. The last sequence number of the room that it still has. */
  async goBack(roomId: string, memberId: MemberId): Promise<number> {
    if (this.#copy === null) throw new Error('no copy of the store');
    this.lossy = true;
    const copy = this.#copy;
    this.#copy = null;
    await this.#startOver(copy);
    const known = await this.#relay.world.store.readRoom(roomId as RoomId, memberId);
    if (!known.ok) throw new Error(`the copy has no room: ${known.code}`);
    return known.room.tip.s;
  }

  /** Ends as a process does that is killed, and starts over the same store: a new generation. */
  restart(): Promise<void> {
    return this.#startOver(null);
  }

  /** `copy`: of its store, instead of this one */
  async #startOver(copy: string | null): Promise<void> {
    const old = this.#relay;
    // From here on nobody hears anything of it, so that the copy of its store is all that it has told.
    old.honest();
    old.onToClient(() => []);
    old.onFromClient(() => 'drop');
    old.cut();
    const snapshot = copy ?? old.world.snapshot();
    this.#seen.push(...old.seen);
    this.#failures.push(...old.failures);
    this.#passed += this.frames.passed;
    const { key, url } = old;
    await old.stop();
    const world = World.open(snapshot);
    this.#relay = await LyingRelay.start({ port: Number(new URL(url).port), key, world });
    this.frames = this.#between(this.#relay);
  }

  /** What is held back is held as it will be served. */
  #between(relay: LyingRelay): Frames {
    this.wraps.over(relay);
    return new Frames(relay);
  }

  async stop(): Promise<void> {
    await this.#forgetCopy();
    await this.#relay.stop();
  }

  /** Whether the log as it is now goes on from this position, by the generations that were announced. */
  lineage(): (position: Position) => boolean {
    const starts = new Map<number, number>();
    for (const { way, message } of this.seen) {
      if (way !== 'toClient' || !('body' in message)) continue;
      const { body } = message;
      const told = 'e' in message && message.e === 'generation' ? [body] : (body.generations ?? []);
      for (const { generation, from } of told as readonly GenerationStart[]) starts.set(generation, from.s);
    }
    return ({ g, s }) => [...starts].every(([generation, from]) => generation <= g || s <= from);
  }

  /**
   * The log as it was served to anybody, in its order, without what a store that went back has lost. Throws where two
   * members were shown two entries under one position, where one is missing, and where one is lost of a store that never did.
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
    const lives = this.lineage();
    const entries = [...all.values()];
    const lost = entries.find(({ position }) => !lives(position));
    if (lost !== undefined && !this.lossy) throw new Error(`entry ${String(lost.position.s)} is lost`);
    const log = entries
      .filter(({ position }) => lives(position))
      .sort((a, b) => a.position.s - b.position.s || a.position.g - b.position.g);
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
