/**
 * The joiner's side of a join (docs/protocol.md section 5): claim, request, reply,
 * confirm, admitted; every step is stored before the next, so that either side may stop
 * between any two and go on.
 */
import { equalBytes, ERROR_CODES, type Bytes, type ErrorCode, type JoinState } from '@0fc/protocol';
import { memberIdOf, readChain } from '@0fc/crypto/verify';
import { makeJoinConfirm } from '@0fc/crypto/keys';
import type { ConnectionState, Failure, JoinStep, JoinView } from '../api.js';
import { Connection } from '../connection.js';
import { ClientError, failureOf } from '../errors.js';
import type { Platform } from '../ports.js';
import type { Vault } from '../vault.js';
import { joinedRoom } from './begin.js';
import { proveReply, type Proved } from './join-proof.js';
import { fetchChain } from './log-end.js';
import type { Due, Outcome } from './outgoing/due.js';
import { Lane, type Part, type Sender } from './outgoing/lane.js';
import { Resumption } from './outgoing/resumption.js';
import { encodeRecord, joinRecord, STORES, type JoinRecord } from './state/records.js';
import { SerialQueue } from './state/serial.js';
import type { RoomState } from './state/state.js';

const STEPS: readonly JoinStep[] = ['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted'];
/** States that the relay has told of and that are still to be followed: of more the last ones count. */
const TOLD_MOST = 16;
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

export class Join implements Part, Sender {
  record: JoinRecord;
  readonly platform: Platform;
  readonly connection: Connection;
  readonly #options: JoinOptions;
  readonly #lane: Lane;
  readonly #resumption: Resumption;
  /** public, so that an export waits for what is being written */
  readonly serial = new SerialQueue();
  #state: ConnectionState = 'offline';
  #stopped: Failure | null = null;
  #started = false;
  /** in this session the relay has been asked where the join stands */
  #claimed = false;
  /** the relay says that this key is a member's: the chain tells, and is read as a member */
  #isMember = false;
  /** what the relay has said of where the join stands, oldest first; each step is proved on its own */
  #told: JoinState[] = [];
  #fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>;

  constructor(
    options: JoinOptions,
    record: JoinRecord,
    fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>,
  ) {
    this.#options = options;
    this.platform = options.platform;
    this.record = record;
    this.#fingerprints = fingerprints;
    this.#resumption = new Resumption(options.platform, () => {
      this.start();
    });
    this.#lane = new Lane(this, this);
    this.connection = new Connection({
      url: options.url,
      relayKey: options.relayKey,
      identity: record.identity,
      platform: options.platform,
      onUp: () => {
        this.#lane.reset();
        this.catchUp();
      },
      onEvent: (kind, body) => {
        if (kind !== 'joinState') return;
        this.#hear(body as JoinState);
        void this.#lane.signal();
      },
      onState: (state, stopped) => {
        this.#state = state;
        if (stopped !== null || state === 'connected') this.#stopped = stopped;
        if (state === 'stopped') this.#rest(stopped?.code ?? '');
        this.changed();
      },
    });
  }

  get live(): boolean {
    return this.#started && this.#state === 'connected';
  }

  changed(): void {
    this.#options.changed();
  }

  start(): void {
    if (this.#started || this.#over()) return;
    this.#resumption.cancel();
    this.#started = true;
    this.connection.start();
  }

  /** The same link has been opened again: goes on with the same keys, whatever it was refused with. */
  resume(): void {
    this.#resumption.reset();
    this.#lane.reset();
    this.start();
    void this.#lane.signal();
  }

  /** The invite has ended, by this device's clock, and the time that its owner has to admit whoever confirmed. */
  #over(): boolean {
    const { record } = this;
    const confirmed = record.done.some(({ step }) => step === 'confirmed');
    return this.platform.crypto.clock.now() > record.expires + (confirmed ? CONFIRMED_LIFE_MS : 0);
  }

  async stop(): Promise<void> {
    this.#rest(null);
    this.connection.stop();
    await this.serial.run(() => undefined);
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

  /** Asks the relay where the join stands. */
  catchUp(): void {
    this.#claimed = false;
    this.#told = [];
    void this.#lane.signal();
  }

  #hear(state: JoinState): void {
    this.#told = [...this.#told, state].slice(-TOLD_MOST);
  }

  next(): Promise<Due | null> {
    return this.serial.run(async () => {
      while (this.live) {
        if (!this.#claimed) return this.#claim();
        const [state] = this.#told;
        if (state === undefined) break;
        const due = await this.#follow(state);
        if (due !== null) return due;
        this.#followed(state);
      }
      return null;
    });
  }

  #followed(state: JoinState): void {
    this.#told = this.#told.filter((told) => told !== state);
  }

  #claim(): Due {
    const { roomId, inviteId } = this.record;
    const claimed = (state: JoinState): void => {
      this.#claimed = true;
      this.#hear(state);
    };
    return this.#isMember
      ? {
          kind: 'open',
          body: { roomId, after: null, head: null, epoch: 0 },
          done: () => {
            claimed({ stage: 'admitted' });
          },
        }
      : { kind: 'claim', body: { roomId, inviteId }, done: claimed, refused: (code) => this.#refused(code) };
  }

  #refused(code: ErrorCode): Outcome {
    // Admitted by an owner whose relay had lost the invite.
    if (code === ERROR_CODES.ALREADY_MEMBER && this.record.confirm !== null) {
      this.#isMember = true;
      return 'settled';
    }
    // An invite that was claimed and is not known any more was lost with the relay's store: its owner
    // registers it again. One that is over is told apart by its own codes.
    const known = this.record.done.some(({ step }) => step === 'claim');
    const inTime = this.platform.crypto.clock.now() < this.record.expires;
    return code === ERROR_CODES.INVITE_UNKNOWN && known && inTime ? 'again' : 'unexpected';
  }

  /** What a state asks for; null: it has been followed. */
  async #follow(state: JoinState): Promise<Due | null> {
    const { inviteId, request } = this.record;
    await this.#reach('claim');
    switch (state.stage) {
      case 'claimed':
        return { kind: 'joinRequest', body: { inviteId, request }, ...this.#asJoiner(state, 'request') };
      case 'requested':
        await this.#reach('request');
        return null;
      case 'replied':
      case 'confirmed': {
        await this.#reach('request');
        if (state.reply === undefined) return null;
        const confirm = await this.#confirm(state.reply);
        return { kind: 'joinConfirm', body: { inviteId, ...confirm }, ...this.#asJoiner(state, 'confirmed') };
      }
      case 'admitted':
        await this.#enter(state.reply ?? this.record.reply);
        return null;
      case 'dropped':
        throw new ClientError(
          state.reason === 'declined' ? ERROR_CODES.JOIN_DECLINED : ERROR_CODES.JOIN_DROPPED,
        );
    }
  }

  /**
   * A state that was told twice is followed twice; by the second time the owner may have admitted
   * this client, and a member may not say what a joiner says. What has become of it is told next.
   */
  #asJoiner(
    state: JoinState,
    step: JoinStep,
  ): { readonly done: () => Promise<void>; readonly refused: (code: ErrorCode) => Outcome } {
    return {
      done: () =>
        this.serial.run(async () => {
          if (this.#started) await this.#reach(step);
          this.#followed(state);
        }),
      refused: (code) => {
        if (code !== ERROR_CODES.FORBIDDEN) return 'unexpected';
        this.#claimed = false;
        this.#told = [];
        return 'again';
      },
    };
  }

  /** The proof that the key of a reply is held, stored with the reply. */
  async #confirm(reply: NonNullable<JoinState['reply']>): Promise<NonNullable<JoinRecord['confirm']>> {
    const { record } = this;
    if (record.confirm !== null && equalBytes(record.reply?.payload ?? new Uint8Array(), reply.payload))
      return record.confirm;
    await this.#reach('ownerReply');
    const proved = await this.#prove(reply);
    const payload = await makeJoinConfirm(this.platform.crypto.hash, {
      identity: record.identity,
      roomId: record.roomId,
      epoch: reply.epoch,
      roomKey: proved.reply.key,
      request: record.request,
      reply: reply.payload,
    });
    const confirm = { epoch: reply.epoch, payload };
    await this.#reach('keyReceived', { reply, confirm });
    return confirm;
  }

  async #prove(sealed: NonNullable<JoinState['reply']>): Promise<Proved> {
    const chain = await fetchChain(this.connection, 0);
    return proveReply(this.platform.crypto.hash, this.record, sealed, chain);
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
    this.connection.stop();
    admitted(room);
  }

  /** With what came with it. Going on from a failure takes it back. */
  async #reach(step: JoinStep, come: Partial<Pick<JoinRecord, 'reply' | 'confirm'>> = {}): Promise<void> {
    const { done, failure } = this.record;
    const time = this.platform.crypto.clock.now();
    const isNew = done.every((reached) => reached.step !== step);
    const goesOn = failure !== null && step !== 'claim';
    if (!isNew && !goesOn && Object.keys(come).length === 0) return;
    await this.#store({
      ...this.record,
      ...come,
      done: isNew ? [...done, { step, time }] : done,
      failure: goesOn ? null : failure,
    });
  }

  /** Memory follows the disk. */
  async #store(record: JoinRecord): Promise<void> {
    const value = encodeRecord(joinRecord, record);
    await this.#options.vault.write([{ store: STORES.joins, key: record.roomId, value }]);
    this.record = record;
    this.changed();
  }

  /** No refusal ends a join: whatever the relay says, its owner may still admit whoever holds this key. */
  halt(failure: Failure): void {
    this.#pause(failure);
    const stored = this.serial.run(async () => {
      const { code } = failure;
      if (this.record.failure !== code) await this.#store({ ...this.record, failure: code });
    });
    // Not even the failure can be stored: it goes on from what is stored, once it can.
    stored.catch((error: unknown) => {
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
