/**
 * The joiner's side of a join (docs/protocol.md section 5): its connection, and what has stopped it for a while.
 * No refusal ends a join: whatever the relay says, its owner may still admit whoever holds this key.
 */
import type { Bytes, JoinState } from '@0fc/protocol';
import type { ConnectionState, Failure, JoinStep, JoinView } from '../../contract/api.js';
import { Connection } from '../../link/connection.js';
import { failureOf } from '../../contract/errors.js';
import type { Platform } from '../../contract/ports.js';
import { JoinSteps, type StepsOptions } from './join-steps.js';
import { Lane, type Sender } from '../../room/outgoing/lane.js';
import { Resumption } from '../../room/outgoing/refusals.js';
import { membershipOf, type JoinRecord } from '../../vault/records.js';

const STEPS: readonly JoinStep[] = ['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted'];
/** How long after the expiry of the invite its joiner may still be answered and admitted, in milliseconds. */
const CLAIMED_LIFE_MS = 30 * 86_400_000;

export interface JoinOptions extends StepsOptions {
  readonly url: string;
  readonly relayKey: Bytes;
  readonly otherKey: () => Promise<Failure>;
  /** why this join must not connect to a relay; null: it may */
  readonly barred: Failure | null;
}

export class Join implements Sender {
  readonly platform: Platform;
  readonly connection: Connection;
  readonly #options: JoinOptions;
  readonly #steps: JoinSteps;
  readonly #lane: Lane;
  readonly #resumption: Resumption;
  #state: ConnectionState = 'offline';
  #stopped: Failure | null = null;
  #started = false;
  #fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>;

  constructor(
    options: JoinOptions,
    record: JoinRecord,
    fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>,
  ) {
    this.#options = options;
    this.platform = options.platform;
    this.#fingerprints = fingerprints;
    this.#resumption = new Resumption(options.platform, () => {
      this.start();
    });
    this.connection = new Connection({
      url: options.url,
      relayKey: options.relayKey,
      otherKey: options.otherKey,
      identity: record.identity,
      platform: options.platform,
      onUp: () => {
        this.#lane.reset();
        this.catchUp();
      },
      onEvent: (kind, body) => {
        if (kind !== 'joinState') return;
        this.#steps.onState(body as JoinState);
        void this.#lane.signal();
      },
      onState: (state, stopped) => {
        this.#state = state;
        if (stopped !== null || state === 'connected') this.#stopped = stopped;
        if (state === 'stopped') this.#rest(stopped?.code ?? '');
        this.changed();
      },
    });
    const admitted: StepsOptions['admitted'] = (room) => {
      this.#started = false;
      this.connection.stop();
      options.admitted(room);
    };
    this.#steps = new JoinSteps({ ...options, admitted }, record, this.connection, () => this.live);
    this.#lane = new Lane(this, this.#steps);
  }

  get record(): JoinRecord {
    return this.#steps.record;
  }

  /** This join must not connect to a relay, for the lifetime of this object. */
  get blocked(): boolean {
    return this.#options.barred !== null;
  }

  get live(): boolean {
    return this.#started && this.#state === 'connected';
  }

  changed(): void {
    this.#options.changed();
  }

  start(): void {
    if (this.#started || this.#options.barred !== null || this.#isExpired()) return;
    this.#resumption.cancel();
    this.#started = true;
    this.connection.start();
  }

  /** The user has opened the same link again: continues with the same keys, whatever the last failure was. */
  resume(): void {
    this.#resumption.reset();
    this.#lane.reset();
    this.start();
    void this.#lane.signal();
  }

  /**
   * The invite has expired by the clock of this device, and so has the time for the owner to admit who claimed it in
   * time: whether more than the claim was carried out is only the relay's word.
   */
  #isExpired(): boolean {
    const { record } = this;
    const claimed = record.done.some(({ step }) => step === 'claim');
    return this.platform.crypto.clock.now() > record.expires + (claimed ? CLAIMED_LIFE_MS : 0);
  }

  async stop(): Promise<void> {
    this.#rest(null);
    this.connection.stop();
    await this.#steps.serial.enqueue(() => undefined);
  }

  get #shown(): ConnectionState {
    return this.#state !== 'stopped' && this.connection.silent ? 'offline' : this.#state;
  }

  view(): JoinView {
    const { record } = this;
    const { barred } = this.#options;
    const failure = barred ?? (record.failure === null ? this.#stopped : { code: record.failure });
    const reached = new Set(record.done.map(({ step }) => step));
    return {
      roomId: membershipOf(record),
      inviteId: record.inviteId,
      displayName: record.name,
      ...this.#fingerprints,
      expires: record.expires,
      done: record.done,
      current: failure === null ? (STEPS.find((step) => !reached.has(step)) ?? null) : null,
      connection: barred === null ? this.#shown : 'stopped',
      failure,
    };
  }

  /** Requests the state of the join from the relay. */
  catchUp(): void {
    this.#steps.forget();
    void this.#lane.signal();
  }

  halt(failure: Failure): void {
    this.#pause(failure);
    // The failure cannot be stored either: the join continues from what is stored, once it can.
    this.#steps.failed(failure.code).catch((error: unknown) => {
      this.#pause(failureOf(error));
    });
  }

  #pause(failure: Failure): void {
    this.connection.stop();
    this.#stopped = failure;
    this.#rest(failure.code);
    this.changed();
  }

  /** `code`: why; null: the user has asked for it. */
  #rest(code: string | null): void {
    this.#started = false;
    this.#lane.reset();
    this.#resumption.cancel();
    if (code !== null) this.#resumption.later(code);
  }
}
