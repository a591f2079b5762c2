/** Both ends of a connection in one process, with every step taken by hand: no clock, no socket. */
import { RelayLink, type KeyPair } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import {
  encodeFrame,
  FRAME_TYPES,
  PROTOCOL_VERSION,
  type Bytes,
  type EventBody,
  type EventKind,
  type SessionMessage,
} from '@0fc/protocol';
import type { Failure } from '../contract/api.js';
import { Connection } from './connection.js';
import type { SocketEvents, SocketPort, Timers } from '../contract/ports.js';

/** Time that only the test moves on. */
export class ManualTimers implements Timers {
  now = 0;
  /** Unix time, ms, at the beginning */
  #begin = 0;
  #due: { at: number; run: () => void }[] = [];

  get pending(): readonly number[] {
    return this.#due.map(({ at }) => at - this.now).sort((a, b) => a - b);
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now + ms, run };
    this.#due.push(timer);
    return () => {
      this.#due = this.#due.filter((other) => other !== timer);
    };
  }

  /** Unix time in milliseconds, as the device has it. */
  get clock(): number {
    return this.#begin + this.now;
  }

  /** The device's clock is set. */
  shift(ms: number): void {
    this.#begin += ms;
  }

  /** The device sleeps: its clock goes on, its timers do not, and those that are due run once it wakes. */
  sleep(ms: number): void {
    this.now += ms;
    this.advance(0);
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const [next] = this.#due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = until;
  }
}

export interface Answer {
  readonly body?: Record<string, unknown>;
  readonly error?: { code: string; params?: Record<string, string | number> };
}

/** `heartbeatMs`: so that most of what is tested is over before a link is taken for dead. */
export const hello = (relay: Bytes, heartbeatMs = 60_000): EventBody<'hello'> => ({
  version: PROTOCOL_VERSION,
  relay,
  frameBytes: 1_048_576,
  appendMessages: 32,
  maxMembers: 256,
  invitesOpen: 64,
  settingsEntries: 1_000,
  settingsPerHour: 60,
  heartbeatMs,
});

/** One socket as the relay sees it. */
export class RelayEnd {
  readonly link: RelayLink;
  /** session messages of each data frame that came */
  readonly frames: (readonly SessionMessage[])[] = [];
  readonly sent: Bytes[] = [];
  closed = false;
  readonly #relay: FakeRelay;
  readonly #events: SocketEvents;

  constructor(relay: FakeRelay, events: SocketEvents) {
    this.#relay = relay;
    this.#events = events;
    this.link = RelayLink.accept({ relay: relay.key });
  }

  open(): void {
    this.#relay.deliver(this, () => this.#events.open());
  }

  /** The network or the relay ends the connection. */
  drop(): void {
    if (this.closed) return;
    this.closed = true;
    this.link.destroy();
    this.#relay.inbound(() => this.#events.closed('dropped'));
  }

  /** What the client's side closes. */
  closedByClient(): void {
    this.closed = true;
    this.link.destroy();
  }

  raw(data: unknown): void {
    this.#relay.deliver(this, () => this.#events.frame(data));
  }

  send(...messages: readonly SessionMessage[]): void {
    const frame = this.link.seal(messages);
    this.sent.push(frame);
    this.raw(frame);
  }

  event<K extends EventKind>(kind: K, body: EventBody<K>): void {
    this.send({ e: kind, body });
  }

  receive(data: Bytes): void {
    const { reply, messages } = this.link.receive(data);
    if (reply !== null) this.raw(reply);
    if (messages.length > 0) this.frames.push(messages);
    else if (this.link.established) this.#relay.established(this);
    const answers = messages.flatMap((message) => {
      const answer = 'q' in message ? this.#relay.answer(message.kind, message.body) : null;
      return answer !== null && 'q' in message ? [{ r: message.q, ...answer } as SessionMessage] : [];
    });
    if (answers.length > 0) this.send(...answers);
  }
}

/** A relay with a real RelayLink a socket, and a network that delivers when the test lets it. */
export class FakeRelay implements SocketPort {
  key: KeyPair;
  reachable = true;
  greets = true;
  /** promised in hello */
  heartbeatMs = 60_000;
  /** true while a call into the connection runs */
  inside = false;
  readonly ends: RelayEnd[] = [];
  answer: (kind: string, body: Record<string, unknown>) => Answer | null = () => ({ body: {} });
  #steps: (() => void)[] = [];

  constructor(key: KeyPair) {
    this.key = key;
  }

  get end(): RelayEnd {
    return this.ends.at(-1)!;
  }

  connect(_url: string, events: SocketEvents): { send(data: Bytes): void; close(): void } {
    const end = new RelayEnd(this, events);
    this.ends.push(end);
    if (this.reachable) end.open();
    else this.#steps.push(() => end.drop());
    return {
      send: (data) => this.deliver(end, () => end.receive(data), false),
      close: () => end.closedByClient(),
    };
  }

  established(end: RelayEnd): void {
    if (this.greets) end.event('hello', hello(this.key.publicKey, this.heartbeatMs));
  }

  deliver(end: RelayEnd, step: () => void, inbound = true): void {
    this.#steps.push(() => {
      if (end.closed) return;
      if (inbound) this.inbound(step);
      else step();
    });
  }

  inbound(step: () => void): void {
    this.inside = true;
    try {
      step();
    } finally {
      this.inside = false;
    }
  }

  /** Delivers everything under way, and what that causes, until nothing is. */
  async settle(): Promise<void> {
    for (;;) {
      await turns();
      const step = this.#steps.shift();
      if (step === undefined) return;
      step();
    }
  }
}

/** Lets every microtask run that does not wait for something from outside. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

type Told =
  | { readonly up: EventBody<'hello'> }
  | { readonly event: string; readonly body: unknown }
  | { readonly state: string; readonly stopped: Failure | null };

export interface Bench {
  readonly relay: FakeRelay;
  readonly timers: ManualTimers;
  readonly connection: Connection;
  readonly identity: KeyPair;
  /** every callback, in order */
  readonly told: Told[];
  /** states reported so far */
  states(): readonly string[];
  /** jitter: the fraction of the range that the generator gives, 0 to 255 of 256 */
  jitter: number;
}

export function bench(pinned?: Bytes, relayTime?: (now: number) => Promise<number>): Bench {
  const relay = new FakeRelay(generateKeyPair());
  const timers = new ManualTimers();
  const identity = generateKeyPair();
  const told: Told[] = [];
  const tell = (what: Told): void => {
    if (relay.inside) throw new Error('called from inside a call');
    told.push(what);
  };
  const random = { bytes: (n: number) => new Uint8Array(n).fill(result.jitter) };
  const connection = new Connection({
    relayTime: relayTime === undefined ? undefined : () => relayTime(timers.now),
    url: 'https://relay.example',
    relayKey: pinned ?? relay.key.publicKey,
    identity,
    platform: {
      crypto: { hash: nodeHash, random, clock: { now: () => timers.clock } },
      timers,
      socket: relay,
    },
    onUp: (up) => tell({ up }),
    onEvent: (event, body) => tell({ event, body }),
    onState: (state, stopped) => tell({ state, stopped }),
  });
  const states = (): readonly string[] => told.flatMap((what) => ('state' in what ? [what.state] : []));
  const result: Bench = { relay, timers, connection, identity, told, states, jitter: 128 };
  return result;
}

/** A bench with its session up. */
export async function connected(): Promise<Bench> {
  const made = bench();
  made.connection.start();
  await made.relay.settle();
  return made;
}

/** The code that a promise was rejected with; 'pending' or 'fulfilled' otherwise. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  let code = 'pending';
  void promise.then(
    () => (code = 'fulfilled'),
    (error: unknown) => (code = (error as { code: string }).code),
  );
  await turns();
  return code;
}

export const dataFrame = (body: Bytes): Bytes => encodeFrame(FRAME_TYPES.session, body);
export const handshakeFrame = (body: Bytes): Bytes => encodeFrame(FRAME_TYPES.handshake, body);
