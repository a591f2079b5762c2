/** A log as a client takes it in: page by page, with the transcript of its own (docs/protocol.md sections 6 and 8). */
import {
  comparePositions, equalBytes, type Bytes, type Entry, type GenerationStart, type Position,
} from '@0fc/protocol'; // prettier-ignore
import { transcriptGeneration, transcriptOver, transcriptStart } from '@0fc/crypto/verify';
import { nodeHash } from '@0fc/crypto/node';
import type { Peer } from './relay-peer.js';
import type { TestRoom } from './relay-room.js';

export class Reader {
  position: Position;
  t: Bytes;
  readonly entries: Entry[] = [];
  readonly generations: GenerationStart[] = [];
  /** ranges of sequence numbers that were trimmed before they were read */
  readonly missed: [number, number][] = [];
  /** ranges of them that were read and that the relay then lost */
  readonly lost: [number, number][] = [];
  readonly #known = new Map<string, Bytes>();

  constructor(position: Position, t: Bytes) {
    this.position = position;
    this.t = t;
    this.#keep();
  }

  static async atGenesis(room: TestRoom): Promise<Reader> {
    return new Reader({ g: 1, s: 0 }, await transcriptStart(nodeHash, room.made.container));
  }

  #keep(): void {
    this.#known.set(`${String(this.position.g)}/${String(this.position.s)}`, this.t);
  }

  /** What this reader computed for a position. */
  at({ g, s }: Position): Bytes | undefined {
    return this.#known.get(`${String(g)}/${String(s)}`);
  }

  /** Reads until the feed follows. */
  async read(room: TestRoom, peer: Peer): Promise<void> {
    for (let live = false; !live;) {
      const reply = await room.open(peer, this.position);
      for (const start of reply.generations) await this.#generation(start);
      if (comparePositions(reply.trimmed, this.position) > 0) {
        this.missed.push([this.position.s + 1, reply.trimmed.s]);
        this.position = reply.trimmed;
        if (reply.trimmedT === undefined) throw new Error('an edge without its transcript');
        this.t = reply.trimmedT;
        this.#keep();
      }
      for (const entry of reply.entries) await this.take(entry);
      ({ live } = reply);
    }
  }

  async take(entry: Entry): Promise<void> {
    const { g, s } = entry.position;
    if (g !== this.position.g || s !== this.position.s + 1)
      throw new Error(`a gap before ${String(g)}/${String(s)}`);
    this.t = await transcriptOver(nodeHash, this.t, entry);
    this.position = entry.position;
    this.entries.push(entry);
    this.#keep();
  }

  async #generation({ generation, from }: GenerationStart): Promise<void> {
    let before = this.t;
    if (comparePositions(from, this.position) < 0) {
      const known = this.at(from);
      if (known === undefined) throw new Error('a loss back to where this reader never was');
      before = known;
      this.lost.push([from.s + 1, this.position.s]);
    } else if (!equalBytes(this.at(from) ?? before, before)) throw new Error('another history');
    this.t = await transcriptGeneration(nodeHash, before, generation);
    this.position = { g: generation, s: from.s };
    this.generations.push({ generation, from });
    this.#keep();
  }
}

/** The signed entries among some, as a client brings them back: positions are the relay's to give. */
export const proofs = (entries: readonly Entry[]): Entry[] =>
  entries
    .filter(({ kind }) => kind === 'roster' || kind === 'rotation')
    .map(({ wrap: _, ...entry }) => ({ ...entry, position: { g: 1, s: 0 }, time: 0 }));
