/**
 * The joiner's side of a join (docs/protocol.md section 5): claim, request, reply,
 * confirm, admitted; every step is stored before the next, so that either side may stop
 * between any two and go on.
 */
import {
  decodeBody, equalBytes, ERROR_CODES, type Bytes, type JoinReplyBody, type JoinState,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, memberIdOf, readChain, verifyContainer, type Roster } from '@0fc/crypto/verify';
import { keyHash, makeJoinConfirm, openJoinReply } from '@0fc/crypto/keys';
import type { ConnectionState, Failure, JoinStep, JoinView } from '../api.js';
import { Connection } from '../connection.js';
import { ClientError, failureOf } from '../errors.js';
import type { Platform } from '../ports.js';
import type { Vault } from '../vault.js';
import { joinedRoom } from './begin.js';
import { isPassing } from './passing.js';
import { encodeRecord, joinRecord, STORES, type JoinRecord } from './records.js';
import { Serial } from './serial.js';
import type { RoomState } from './state.js';

const STEPS: readonly JoinStep[] = ['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted'];
const RETRY_MS = 2_000;
const LOST_RETRY_MS = 15_000;

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

interface Proved {
  readonly reply: JoinReplyBody;
  readonly chain: readonly Bytes[];
  readonly roster: Roster;
}

export class Join {
  record: JoinRecord;
  readonly #options: JoinOptions;
  readonly #connection: Connection;
  /** public, so that an export waits for what is being written */
  readonly serial = new Serial();
  #state: ConnectionState = 'offline';
  #stopped: Failure | null = null;
  #started = false;
  #retry: (() => void) | null = null;
  #fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>;

  constructor(
    options: JoinOptions,
    record: JoinRecord,
    fingerprints: Pick<JoinView, 'ownerFingerprint' | 'myFingerprint' | 'relayFingerprint' | 'safetyNumber'>,
  ) {
    this.#options = options;
    this.record = record;
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
        options.changed();
      },
    });
  }

  start(): void {
    if (this.#started || this.record.failure !== null) return;
    this.#started = true;
    this.#connection.start();
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#retry?.();
    this.#connection.stop();
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

  async #claim(): Promise<void> {
    const { roomId, inviteId } = this.record;
    try {
      this.#follow(await this.#claimed(roomId, inviteId));
    } catch (error) {
      await this.serial
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
    const followed = this.serial.run(async () => {
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
        await this.#enter(state);
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

  /** Section 5.8: the room id fixes the genesis, the chain the owner, the owner's word the key. */
  async #prove(sealed: NonNullable<JoinState['reply']>): Promise<Proved> {
    const { platform } = this.#options;
    const { hash } = platform.crypto;
    const { joinKey, token, roomId, request, ownerKey } = this.record;
    const reply = await openJoinReply(hash, {
      joinKey,
      token,
      roomId,
      epoch: sealed.epoch,
      request,
      payload: sealed.payload,
    });
    const chain: Bytes[] = [];
    for (let more = true; more;) {
      const page = await this.#connection.request('chain', { from: chain.length });
      chain.push(...page.entries);
      ({ more } = page);
      if (more && page.entries.length === 0) throw new ClientError(ERROR_CODES.RELAY_LIED);
    }
    const heads = await Promise.all(chain.map((container) => bodyHash(hash, container)));
    const length = heads.findIndex((head) => equalBytes(head, reply.head)) + 1;
    if (length === 0) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    const upToHead = chain.slice(0, length);
    const roster = await readChain(hash, roomId, upToHead);
    const owner = await memberIdOf(hash, ownerKey);
    if (roster.owner !== owner) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    const committed = this.#committedHash(reply, roster, ownerKey);
    const actual = await keyHash(hash, roster.nonce, reply.epoch, reply.key);
    if (!equalBytes(committed, actual)) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    return { reply, chain: upToHead, roster };
  }

  #committedHash(reply: JoinReplyBody, roster: Roster, ownerKey: Bytes): Bytes {
    if (reply.rotation === null) {
      if (reply.epoch !== 1) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
      return roster.genesisKeyHash;
    }
    const { body } = decodeBody(verifyContainer(ownerKey, reply.rotation), 'rotation');
    if (body.roomId !== roster.roomId || body.newEpoch !== reply.epoch) {
      throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    }
    return body.keyHash;
  }

  async #enter(state: JoinState): Promise<void> {
    const { platform, vault, instance, admitted } = this.#options;
    const last = state.reply ?? this.record.reply;
    if (last === null) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    const { reply, chain, roster } = await this.#prove(last);
    const room = await joinedRoom(platform, vault, this.record, reply, chain, roster, instance);
    // Token and join key go in the same write that stores the room (section 5.10).
    room.alongside(STORES.joins, this.record.roomId, null);
    await room.commit();
    this.#started = false;
    this.#connection.stop();
    admitted(room);
  }

  async #reach(step: JoinStep): Promise<void> {
    if (this.record.done.some((done) => done.step === step)) return;
    const time = this.#options.platform.crypto.clock.now();
    this.record = { ...this.record, done: [...this.record.done, { step, time }] };
    await this.#store();
  }

  async #store(): Promise<void> {
    const value = encodeRecord(joinRecord, this.record);
    await this.#options.vault.write([{ store: STORES.joins, key: this.record.roomId, value }]);
    this.#options.changed();
  }

  /** Not even the failure can be stored: the join stops here, and goes on from what is stored. */
  #halt(error: unknown): void {
    this.#started = false;
    this.#connection.stop();
    this.#stopped = failureOf(error);
    this.#options.changed();
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
    if (isPassing(code) || lost) {
      this.#claimLater(lost ? LOST_RETRY_MS : RETRY_MS);
      return;
    }
    this.#started = false;
    this.#connection.stop();
    this.#stopped = failureOf(error);
    this.record = { ...this.record, failure: code };
    await this.#store();
  }
}
