/** A real relay under fire, and two members of a room on it who have nothing to do with that. */
import { existsSync, readFileSync } from 'node:fs';
import { toHex } from '@0fc/protocol';
import { message, TestRoom } from '../../integration/relay-room.js';
import { Peer, type RelayAddress } from '../../integration/relay-peer.js';
import { RelayProcess } from '../../support/relay-process.js';
import { until } from '../../support/wait.js';
import { expectThat } from '../target.js';

/** Limits so far away that what is met is the code behind them. */
const GENEROUS = {
  REQUESTS_PER_SECOND: '100000',
  REQUESTS_BURST: '1000000',
  APPEND_PER_SECOND: '100000',
  APPEND_BURST: '1000000',
  RESTORES_PER_SECOND: '100000',
  RESTORES_BURST: '1000000',
  ROOMS_PER_ADDRESS_PER_DAY: '1000000',
  MAX_CONNECTIONS_PER_ADDRESS: '100000',
  HANDSHAKE_QUEUE: '100000',
  SERVE_WEB: 'false',
  LOG_LEVEL: 'error',
  // A leak of its heap ends the relay, and that is seen.
  NODE_OPTIONS: '--max-old-space-size=256',
} as const;

/** Bytes of the whole process, WebAssembly included, that it may grow by. */
const MOST_GROWTH = 300 * 1_048_576;

export class Neighbours {
  readonly process: RelayProcess;
  readonly relay: RelayAddress;
  readonly room: TestRoom;
  readonly #guest: Peer;
  readonly #banner: number;
  #said = 0;
  #rss: number | null = null;

  private constructor(process: RelayProcess, relay: RelayAddress, room: TestRoom, guest: Peer) {
    this.process = process;
    this.relay = relay;
    this.room = room;
    this.#guest = guest;
    this.#banner = process.log.length;
  }

  static async start(): Promise<Neighbours> {
    const process = await RelayProcess.start(GENEROUS);
    const config = (await (await fetch(`${process.url}/config.json`)).json()) as { relayPublicKey: string };
    const publicKey = Uint8Array.from(Buffer.from(config.relayPublicKey, 'base64url'));
    const relay = { url: process.url, publicKey };
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    return new Neighbours(process, relay, room, guest);
  }

  /** One says something, the other reads it, next in order; nobody was cut, and the relay has not complained. */
  async talk(): Promise<void> {
    const { owner } = this.room;
    const guest = this.#guest;
    expectThat(this.process.running, `the relay has ended: ${this.process.log.slice(-2_000)}`);
    const said = message(1);
    const before = guest.entries.length;
    await owner.request('append', { messages: [said] });
    this.#said += 1;
    await until('the neighbour to read', () => guest.entries.length > before, 20_000);
    const read = guest.entries.at(-1);
    const good =
      guest.entries.length === before + 1 && toHex(read?.payload ?? said.clear) === toHex(said.payload);
    expectThat(good, 'the neighbour reads something else');
    expectThat(guest.closed === null && owner.closed === null, 'a neighbour was cut');
    expectThat(guest.entries.length === this.#said, 'the neighbour has missed something');
    // LOG_LEVEL is error: whatever comes after the banner is an error of the relay's own.
    const logged = this.process.log.slice(this.#banner);
    expectThat(logged === '', `the relay logs: ${logged.slice(0, 2_000)}`);
    await this.#weigh();
  }

  /** By the kernel's word, where there is one; elsewhere the limit of the heap alone watches. */
  async #weigh(): Promise<void> {
    const file = `/proc/${String(this.process.pid)}/status`;
    if (!existsSync(file)) return;
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
    const rss = 1_024 * kilobytes;
    // The first rounds fill caches and grow the heap to its usual size.
    if (this.#said < 5) return;
    this.#rss ??= rss;
    expectThat(rss - this.#rss < MOST_GROWTH, `the relay grew by ${String(rss - this.#rss)} bytes`);
  }

  async end(): Promise<void> {
    this.room.owner.leave();
    this.#guest.leave();
    await this.process.remove();
  }
}
