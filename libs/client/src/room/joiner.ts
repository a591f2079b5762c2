/**
 * The joiner's side of a join (docs/protocol.md section 5): claim, request, reply,
 * confirm, admitted; every step is stored before the next, so that either side may stop
 * between any two and go on.
 */
import { equalBytes, ERROR_CODES, type Bytes, type JoinState } from '@0fc/protocol';
import { memberIdOf, readChain } from '@0fc/crypto/verify';
import { makeJoinConfirm } from '@0fc/crypto/keys';
import type { ConnectionState, Failure, JoinStep, JoinView } from '../api.js';
import { Connection } from '../connection.js';
import { ClientError, failureOf } from '../errors.js';
import type { Platform } from '../ports.js';
import type { Vault } from '../vault.js';
import { Backoff } from '../link/backoff.js';
import { joinedRoom } from './begin.js';
import { proveReply, type Proved } from './join-proof.js';
import { fetchChain } from './log-end.js';
import { isFinal, isRetryable } from './outgoing/refusals.js';
import { encodeRecord, joinRecord, STORES, type JoinRecord } from './state/records.js';
import { SerialQueue } from './state/serial.js';
import type { RoomState } from './state/state.js';

const STEPS: readonly JoinStep[] = ['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted'];
const RETRY_MS = 2_000;
const LOST_RETRY_MS = 15_000;
/** Longest wait of a refused join before it asks again, in milliseconds. */
const REFUSED_MOST_MS = 120_000;
/** How long after the invite's end who confirmed in time may still be admitted, in milliseconds. */
const CONFIRMED_LIFE_MS = 30 * 86_400_000;

export interface JoinOptions {
  readonly platform: Platform;
  readonly vault: Vault;
  readonly url: string;
  readonly relayKey: Bytes;
  readonly instance: Bytes;
  readonly changed: () => void;
  /** the room is in the vault and takes over; the join's record is gone */
  readonly admitted: (state: RoomState) => void;
}

export class Join {
  record: JoinRecord;
  readonly #options: JoinOptions;
  readonly #connection: Connection;
  readonly #serial = new SerialQueue();
  #state: ConnectionState = 'offline';
  #stopped: Failure | null = null;
  #started = false;
  #retry: (() => void) | null = null;
  readonly #failures: Backoff;
  #fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>;

  constructor(
    options: JoinOptions,
    record: JoinRecord,
    fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>,
  ) {
    this.#options = options;
    this.record = record;
    this.#failures = new Backoff(options.platform.crypto.random, REFUSED_MOST_MS);
    this.#fingerprints = fingerprints;
    this.#connection = new Connection({
      url: options.url,
      relayKey: options.relayKey,
      identity: record.identity,
      platform: options.platform,
      onUp: () => {
        void this.#claim();
      },
      onEvent: (kind, body) => {
        if (kind === 'joinState') this.#follow(body as JoinState);
      },
      onState: (state, stopped) => {
        this.#state = state;
        if (stopped !== null) this.#stopped = stopped;
        if (state === 'stopped') this.#resumeLater(stopped?.code ?? '');
        options.changed();
      },
    });
  }

  start(): void {
    if (this.#started || this.#over()) return;
    this.#started = true;
    this.#connection.start();
  }

  /** The same link has been opened again: goes on with the same keys, whatever it was refused with. */
  resume(): void {
    this.#failures.reset();
    this.#retry?.();
    this.start();
  }

  /** The invite has ended, by this device's clock, and the time that its owner has to admit whoever confirmed. */
  #over(): boolean {
    const { record } = this;
    const confirmed = record.done.some(({ step }) => step === 'confirmed');
    return this.#options.platform.crypto.clock.now() > record.expires + (confirmed ? CONFIRMED_LIFE_MS : 0);
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#retry?.();
    this.#connection.stop();
    await this.#serial.run(() => undefined);
  }

  view(): JoinView {
    const { record } = this;
    const failure = record.failure === null ? this.#stopped : { code: record.failure };
    const reached = new Set(record.done.map(({ step }) => step));
    return {
      roomId: record.roomId,
      inviteId: record.inviteId,
      displayName: record.name,
      ...this.#fingerprints,
      expires: record.expires,
      done: record.done,
      current: failure === null ? (STEPS.find((step) => !reached.has(step)) ?? null) : null,
      connection: this.#state,
      failure,
    };
  }

  async #claim(): Promise<void> {
    const { roomId, inviteId } = this.record;
    try {
      this.#follow(await this.#claimed(roomId, inviteId));
    } catch (error) {
      await this.#serial
        .run(() => this.#failed(error))
        .catch((failure: unknown) => {
          this.#halt(failure);
        });
    }
  }

  async #claimed(roomId: JoinRecord['roomId'], inviteId: JoinRecord['inviteId']): Promise<JoinState> {
    try {
      return await this.#connection.request('claim', { roomId, inviteId });
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code !== ERROR_CODES.ALREADY_MEMBER || this.record.confirm === null) throw error;
      // Admitted by an owner whose relay had lost the invite: the chain tells, and is read as a member.
      await this.#connection.request('open', { roomId, after: null, head: null, epoch: 0 });
      return { stage: 'admitted' };
    }
  }

  /** The relay's word on where the join stands; each step is proved on its own. */
  #follow(state: JoinState): void {
    const followed = this.#serial.run(async () => {
      if (!this.#started) return;
      try {
        await this.#step(state);
      } catch (error) {
        await this.#failed(error);
      }
    });
    followed.catch((error: unknown) => {
      this.#halt(error);
    });
  }

  async #step(state: JoinState): Promise<void> {
    const { inviteId, request } = this.record;
    await this.#reach('claim');
    switch (state.stage) {
      case 'claimed':
        await this.#asJoiner(() => this.#connection.request('joinRequest', { inviteId, request }));
        await this.#reach('request');
        return;
      case 'requested':
        await this.#reach('request');
        return;
      case 'replied':
      case 'confirmed':
        await this.#reach('request');
        if (state.reply !== undefined) await this.#confirm(state.reply);
        return;
      case 'admitted':
        await this.#enter(state.reply ?? this.record.reply);
        return;
      case 'dropped':
        throw new ClientError(
          state.reason === 'declined' ? ERROR_CODES.JOIN_DECLINED : ERROR_CODES.JOIN_DROPPED,
        );
    }
  }

  async #confirm(reply: NonNullable<JoinState['reply']>): Promise<void> {
    const { platform } = this.#options;
    if (this.record.reply === null || !equalBytes(this.record.reply.payload, reply.payload)) {
      await this.#reach('ownerReply');
      const proved = await this.#prove(reply);
      const payload = await makeJoinConfirm(platform.crypto.hash, {
        identity: this.record.identity,
        roomId: this.record.roomId,
        epoch: reply.epoch,
        roomKey: proved.reply.key,
        request: this.record.request,
        reply: reply.payload,
      });
      this.record = { ...this.record, reply, confirm: { epoch: reply.epoch, payload } };
      await this.#reach('keyReceived');
    }
    const { confirm, inviteId } = this.record;
    if (confirm === null) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    await this.#asJoiner(() => this.#connection.request('joinConfirm', { inviteId, ...confirm }));
    await this.#reach('confirmed');
  }

  /**
   * A state that was told twice is followed twice; by the second time the owner may have admitted
   * this client, and a member may not say what a joiner says. What has become of it is told next.
   */
  async #asJoiner(send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.FORBIDDEN) throw error;
      this.#claimLater(RETRY_MS);
    }
  }

  #claimLater(ms: number): void {
    this.#retry?.();
    this.#retry = this.#options.platform.timers.after(ms, () => {
      if (this.#started) void this.#claim();
    });
  }

  async #prove(sealed: NonNullable<JoinState['reply']>): Promise<Proved> {
    const chain = await fetchChain(this.#connection, 0);
    return proveReply(this.#options.platform.crypto.hash, this.record, sealed, chain);
  }

  /**
   * A member by its own admission in the verified chain, and by nothing that the relay merely says: until then token,
   * join key and record stay (section 5.10).
   */
  async #enter(last: JoinState['reply'] | null): Promise<void> {
    const { platform, vault, instance, admitted } = this.#options;
    if (last === null || last === undefined) throw new ClientError(ERROR_CODES.RELAY_LIED);
    const { reply, chain, roster, all } = await this.#prove(last);
    const { hash } = platform.crypto;
    const me = await memberIdOf(hash, this.record.identity.publicKey);
    const { members, former } = await readChain(hash, this.record.roomId, all);
    if (!members.has(me) && !former.has(me)) throw new ClientError(ERROR_CODES.RELAY_LIED);
    const room = await joinedRoom(platform, vault, this.record, reply, chain, roster, instance);
    this.#started = false;
    this.#connection.stop();
    admitted(room);
  }

  async #reach(step: JoinStep): Promise<void> {
    const failed = this.record.failure !== null && step !== 'claim';
    if (failed) this.record = { ...this.record, failure: null };
    if (this.record.done.some((done) => done.step === step)) {
      if (failed) await this.#store();
      return;
    }
    const time = this.#options.platform.crypto.clock.now();
    this.record = { ...this.record, done: [...this.record.done, { step, time }] };
    await this.#store();
  }

  async #store(): Promise<void> {
    const value = encodeRecord(joinRecord, this.record);
    await this.#options.vault.write([{ store: STORES.joins, key: this.record.roomId, value }]);
    this.#options.changed();
  }

  /** Not even the failure can be stored: it goes on from what is stored, once it can. */
  #halt(error: unknown): void {
    this.#pause(error);
    this.#options.changed();
  }

  /** No refusal ends a join: whatever the relay says, its owner may still admit whoever holds this key. */
  #pause(error: unknown): void {
    this.#connection.stop();
    this.#stopped = failureOf(error);
    this.#resumeLater(this.#stopped.code);
  }

  #resumeLater(code: string): void {
    this.#started = false;
    this.#retry?.();
    if (isFinal(code)) return;
    this.#retry = this.#options.platform.timers.after(this.#failures.next(), () => {
      this.start();
    });
  }

  #inTime(): boolean {
    return this.#options.platform.crypto.clock.now() < this.record.expires;
  }

  async #failed(error: unknown): Promise<void> {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.OFFLINE) return; // the next session claims again and goes on
    // An invite that was claimed and is not known any more was lost with the relay's store: its owner
    // registers it again. One that is over is told apart by its own codes.
    const claimed = this.record.done.some(({ step }) => step === 'claim');
    const lost = code === ERROR_CODES.INVITE_UNKNOWN && claimed && this.#inTime();
    if (isRetryable(code) || lost) {
      this.#claimLater(lost ? LOST_RETRY_MS : RETRY_MS);
      return;
    }
    this.#pause(error);
    if (this.record.failure === code) return;
    this.record = { ...this.record, failure: code };
    await this.#store();
  }
}
