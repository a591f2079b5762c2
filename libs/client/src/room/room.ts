/**
 * One room, live: its connection, the reading of its log, and the parts that act on what was
 * read: outbox, prekeys, key requests, signals and, for the owner, roster and keys.
 *
 * Order of things (docs/protocol.md section 3): a new session opens at the position that
 * was taken in, catches up, settles the outbox against what it read, and only then sends.
 */
import {
  ALARM_CODES, ERROR_CODES, type AnyContent, type Bytes, type EventBody, type EventKind,
} from '@0fc/protocol'; // prettier-ignore
import type { ConnectionState, Failure } from '../api.js';
import { Connection } from '../connection.js';
import { ClientError, failureOf } from '../errors.js';
import type { Platform } from '../ports.js';
import { Departure } from './departure.js';
import type { RoomHandle } from './handle.js';
import { HandOver } from './hand-over.js';
import { alarm } from './items.js';
import { NeedKey } from './need-key.js';
import { Outbox } from './outbox.js';
import { Owner } from './owner.js';
import { Prekeys } from './prekeys.js';
import { Reader } from './reader.js';
import { Serial } from './serial.js';
import { Signals } from './signals.js';
import type { RoomState } from './state.js';
import { Talk } from './talk.js';

export interface RoomOptions {
  readonly platform: Platform;
  readonly url: string;
  readonly relayKey: Bytes;
  readonly relayTime?: () => Promise<number>;
  /** something that a view shows may have changed */
  readonly changed: () => void;
}

export class Room implements RoomHandle {
  readonly state: RoomState;
  readonly serial = new Serial();
  readonly platform: Platform;
  readonly relayKey: Bytes;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly owner: Owner;
  readonly prekeys: Prekeys;
  readonly needKey: NeedKey;
  readonly departure: Departure;
  readonly handOver: HandOver;
  readonly signals: Signals;
  readonly talk: Talk;

  readonly #reader: Reader;
  readonly #changed: () => void;
  #started = false;
  #connectionState: ConnectionState = 'offline';
  #stopped: Failure | null = null;

  constructor(options: RoomOptions, state: RoomState) {
    this.state = state;
    this.platform = options.platform;
    this.relayKey = options.relayKey;
    this.#changed = options.changed;
    this.connection = new Connection({
      url: options.url,
      relayKey: options.relayKey,
      identity: state.core.identity,
      platform: options.platform,
      relayTime: options.relayTime,
      onUp: () => {
        this.catchUp();
      },
      onEvent: (kind, body) => {
        this.#onEvent(kind, body);
      },
      onState: (connection, stopped) => {
        this.#onState(connection, stopped);
      },
    });
    const pump = (): void => {
      this.pump();
    };
    this.outbox = new Outbox(this);
    this.owner = new Owner(this);
    this.prekeys = new Prekeys(this, pump);
    this.needKey = new NeedKey(this, pump);
    this.departure = new Departure(this);
    this.handOver = new HandOver(this, pump);
    this.signals = new Signals(this);
    this.talk = new Talk(this, (content) => this.send(content));
    this.#reader = this.#makeReader();
  }

  #makeReader(): Reader {
    return new Reader(this, {
      begun: () => {
        this.outbox.newSession();
        this.owner.newSession();
        this.handOver.newSession();
        this.needKey.newSession();
      },
      prekey: (k) => {
        this.prekeys.relayHas(k);
      },
      live: () => {
        this.outbox.caughtUp();
        this.signals.caughtUp();
        this.pump();
        this.signals.live();
      },
      taken: (keys) => {
        this.pump();
        // So that the others see who has taken in a removal (G10).
        if (keys) this.signals.soon();
      },
      ended: () => {
        this.#background(this.stop());
      },
    });
  }

  get live(): boolean {
    return this.#reader.live;
  }

  get restoring(): boolean {
    return this.#reader.restoring;
  }

  get connectionState(): ConnectionState {
    return this.#connectionState;
  }

  get stopped(): Failure | null {
    return this.#stopped;
  }

  /** A closed room is looked at once more: a relay that lost the closing gets it back (section 6). */
  start(): void {
    const { stage } = this.state.core;
    if (this.#started || stage === 'left' || stage === 'removed') return;
    this.#started = true;
    this.#stopped = null;
    this.connection.start();
    this.changed();
  }

  /** The user's own act after the relay has said that the room is gone. */
  async bringBack(): Promise<void> {
    if (this.state.core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_MEMBER);
    await this.stop();
    this.#reader.revive();
    this.start();
  }

  /** Idempotent. What is in hand is still written; nothing more is sent. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#reader.stop();
    this.signals.stop();
    this.owner.stop();
    this.connection.stop();
    this.#connectionState = 'offline';
    await this.serial.run(() => undefined);
    this.changed();
  }

  /** Stops for good, until the user acts; nothing is deleted (G14). */
  halt(failure: Failure): void {
    this.#stopped = failure;
    void this.stop().then(() => {
      this.#connectionState = 'stopped';
      this.changed();
    });
  }

  changed(): void {
    this.#changed();
  }

  /** Work that nobody waits for: what it fails of stops the room, and is shown. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.halt(failureOf(error));
    });
  }

  /** Writes what changed and tells the views; a vault that cannot be written stops the room. */
  async commit(): Promise<void> {
    try {
      await this.state.commit();
    } catch (error) {
      this.halt(failureOf(error));
      throw error;
    }
    this.changed();
  }

  /** Sends what is due; safe to call at any time. */
  pump(): void {
    if (!this.live) return;
    this.prekeys.pump();
    this.needKey.pump();
    this.owner.pump();
    this.handOver.pump();
    this.outbox.pump();
    this.departure.pump();
  }

  /** Puts a content into the outbox; resolves with the message's id once it is stored. */
  send(content: AnyContent): Promise<string> {
    return this.outbox.add(content);
  }

  catchUp(): void {
    this.#reader.catchUp();
  }

  #onState(connection: ConnectionState, stopped: Failure | null): void {
    this.#connectionState = connection;
    if (stopped !== null) this.#stopped = stopped;
    // The link has stopped for good by itself: only start() goes on, and it has to.
    if (connection === 'stopped') this.#started = false;
    if (connection !== 'connected') {
      this.#reader.down();
      this.signals.stop();
    }
    if (stopped?.code === ERROR_CODES.RELAY_KEY_MISMATCH) this.#background(this.#showRelayKey());
    this.changed();
  }

  /** Part of the conversation, once: the relay answers with another key than the pinned one (G13). */
  async #showRelayKey(): Promise<void> {
    await this.serial.run(async () => {
      const { core } = this.state;
      if (core.relayKeyShown) return;
      core.relayKeyShown = true;
      this.state.append(null, this.platform.crypto.clock.now(), [alarm(ALARM_CODES.ALARM_RELAY_KEY)]);
      await this.commit();
    });
  }

  #onEvent<K extends EventKind>(kind: K, body: EventBody<K>): void {
    // The mapped type of the catalogue does not narrow by `kind`; each case names its own.
    switch (kind) {
      case 'entries':
        this.#reader.onEntries(body as EventBody<'entries'>);
        return;
      case 'generation':
        this.#reader.onGeneration(body as EventBody<'generation'>);
        return;
      case 'signalled':
        this.signals.onSignal(body as EventBody<'signalled'>);
        return;
      case 'join':
        this.owner.joins.onJoin(body as EventBody<'join'>);
        return;
      case 'keyNeeded':
        this.#background(this.needKey.onNeeded(body as EventBody<'keyNeeded'>));
        return;
      case 'keyGranted':
        this.#background(this.needKey.onGranted(body as EventBody<'keyGranted'>));
        return;
      case 'transferOffered':
        this.#background(this.handOver.onOffered(body as EventBody<'transferOffered'>));
        return;
      case 'transferAccepted':
        this.#background(this.handOver.onAccepted(body as EventBody<'transferAccepted'>));
        return;
      default:
        return;
    }
  }
}
