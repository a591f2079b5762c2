/**
 * The steps of a join (docs/protocol.md section 5). The client follows the state that the relay reports. It verifies
 * and stores each step before the next one, so that either side may stop in between and continue later.
 */
import { equalBytes, ERROR_CODES, type Bytes, type ErrorCode, type JoinState } from '@0fc/protocol';
import { memberIdOf } from '@0fc/crypto/verify';
import { makeJoinConfirm } from '@0fc/crypto/keys';
import type { JoinStep } from '../../contract/api.js';
import { ClientError } from '../../contract/errors.js';
import type { Platform } from '../../contract/ports.js';
import type { Vault } from '../../vault/vault.js';
import { joinedRoom } from '../create-room.js';
import { checkKeyIsOfAdmission, checkPlaced, proveReply, type Proved } from './join-proof.js';
import { readFirstEntries } from '../../room/outgoing/log-queries.js';
import type { Due, RequestPort, RefusalOutcome, Part } from '../../room/outgoing/part.js';
import { encodeRecord, joinRecord, membershipOf, STORES, type JoinRecord } from '../../vault/records.js';
import { SerialQueue } from '../../vault/serial-queue.js';
import type { RoomState } from '../../room/state/state.js';

/** Error code for each reason that the relay reports for the owner's drop of a join. */
const DROPPED: Readonly<Record<NonNullable<JoinState['reason']>, ErrorCode>> = {
  declined: ERROR_CODES.JOIN_DECLINED,
  full: ERROR_CODES.ROOM_FULL,
  badProof: ERROR_CODES.JOIN_DROPPED,
  expired: ERROR_CODES.JOIN_DROPPED,
  badConfirm: ERROR_CODES.JOIN_DROPPED,
  altered: ERROR_CODES.INVITE_ALTERED,
  other: ERROR_CODES.JOIN_DROPPED,
};

/** Most states of the relay that wait to be processed; beyond that the newest ones are kept. */
const PENDING_STATES_MOST = 16;

/** Number of INVITE_UNKNOWN replies in a row, for an invite that was claimed, before the join shows it. */
const UNKNOWN_TO_SHOW = 6;

/** Refusals of a joiner's request after the join has moved to another state at the relay. */
const MOVED_ON: readonly ErrorCode[] = ['FORBIDDEN', 'INVITE_UNKNOWN', 'ROOM_UNKNOWN'];

/** What a reply is refused for that is not the owner's answer to this join, or not the one of the admission. */
const UNFIT: readonly ErrorCode[] = ['INVITE_REPLY_INVALID', 'JOIN_REPLY_MISPLACED'];

export interface StepsOptions {
  readonly platform: Platform;
  readonly vault: Vault;
  readonly instance: Bytes;
  readonly changed: () => void;
  /** the room is stored, and the record of the join is deleted */
  readonly admitted: (state: RoomState) => void;
}

export class JoinSteps implements Part {
  record: JoinRecord;
  readonly serial = new SerialQueue();
  readonly #options: StepsOptions;
  readonly #link: RequestPort;
  readonly #isLive: () => boolean;
  /** the relay has reported the state of the join in this session */
  #claimed = false;
  /** the relay reports in this session that this key is a member's: the chain is read as a member, and decides */
  #isMember = false;
  /** times in a row that the relay did not know the invite */
  #unknown = 0;
  /** states that the relay has reported and that are not processed yet, oldest first */
  #pendingStates: JoinState[] = [];

  constructor(options: StepsOptions, record: JoinRecord, link: RequestPort, isLive: () => boolean) {
    this.#options = options;
    this.record = record;
    this.#link = link;
    this.#isLive = isLive;
  }

  /** The state of the join has to be requested again. */
  forget(): void {
    this.#claimed = false;
    // The next claim may have the reply that came with the admission.
    this.#isMember = false;
    this.#pendingStates = [];
  }

  /** The relay has reported the state of the join. */
  onState(state: JoinState): void {
    this.#pendingStates = [...this.#pendingStates, state].slice(-PENDING_STATES_MOST);
  }

  next(): Promise<Due | null> {
    return this.serial.enqueue(async () => {
      while (this.#isLive()) {
        if (!this.#claimed) return this.#claim();
        const [state] = this.#pendingStates;
        if (state === undefined) break;
        const due = await this.#process(state);
        if (due !== null) return due;
        this.#processed(state);
      }
      return null;
    });
  }

  #processed(state: JoinState): void {
    this.#pendingStates = this.#pendingStates.filter((pending) => pending !== state);
  }

  #claim(): Due {
    const { roomId, inviteId } = this.record;
    const claimed = (state: JoinState): void => {
      this.#claimed = true;
      this.#unknown = 0;
      this.onState(state);
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

  #refused(code: ErrorCode): RefusalOutcome {
    // Admitted by an owner whose relay had lost the invite.
    if (code === ERROR_CODES.ALREADY_MEMBER && this.record.confirm !== null) {
      this.#isMember = true;
      return 'settled';
    }
    // A claimed invite that the relay does not know was lost with the relay's store, and its owner registers it
    // again; or the room is closed, which gives the same code. After several such replies the join shows the failure,
    // and the claim is retried.
    const known = this.record.done.some(({ step }) => step === 'claim');
    const inTime = this.#options.platform.crypto.clock.now() < this.record.expires;
    if (code !== ERROR_CODES.INVITE_UNKNOWN || !known || !inTime) return 'unexpected';
    this.#unknown += 1;
    return this.#unknown < UNKNOWN_TO_SHOW ? 'again' : 'unexpected';
  }

  /** The request that a state requires; null: it has been processed. */
  async #process(state: JoinState): Promise<Due | null> {
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
        await this.#enterBy(state.reply);
        return null;
      case 'dropped':
        throw new ClientError(DROPPED[state.reason ?? 'other']);
    }
  }

  /**
   * A state that the relay reports twice is processed twice. By the second time the owner may have admitted this
   * client: the invite is used, and the relay refuses requests of a joiner. The client then requests the state again.
   */
  #asJoiner(
    state: JoinState,
    step: JoinStep,
  ): { readonly done: () => Promise<void>; readonly refused: (code: ErrorCode) => RefusalOutcome } {
    return {
      done: () =>
        this.serial.enqueue(async () => {
          if (this.#isLive()) await this.#reach(step);
          this.#processed(state);
        }),
      refused: (code) => {
        if (!MOVED_ON.includes(code)) return 'unexpected';
        this.forget();
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
    const payload = await makeJoinConfirm(this.#options.platform.crypto.hash, {
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

  #prove(sealed: NonNullable<JoinState['reply']>): Promise<Proved> {
    return proveReply(this.#link, this.#options.platform, this.record, sealed);
  }

  /**
   * By the reply that the relay has with the admission, or by the one that was confirmed: the owner may have answered
   * anew in a later epoch, and what the relay has may be altered. Either proves itself, or does not.
   */
  async #enterBy(served: JoinState['reply']): Promise<void> {
    const { reply: confirmed } = this.record;
    if (served === undefined) return this.#enter(confirmed);
    try {
      await this.#enter(served);
    } catch (error) {
      const isAnother = confirmed !== null && !equalBytes(confirmed.payload, served.payload);
      if (!isAnother || !UNFIT.includes(ClientError.from(error).code)) throw error;
      await this.#enter(confirmed);
    }
  }

  /**
   * Enters the room once the admission is in the verified chain and in the log, after the position where the join
   * reply has this member begin. The word of relay or owner alone is not enough: until then token, join key and
   * record stay (section 5.10).
   */
  async #enter(sealed: JoinRecord['reply']): Promise<void> {
    const { platform, vault, instance, admitted } = this.#options;
    if (sealed === null) throw new ClientError(ERROR_CODES.RELAY_LIED);
    const proved = await this.#prove(sealed);
    const { reply, chain, roster, last } = proved;
    const { hash } = platform.crypto;
    const me = await memberIdOf(hash, this.record.identity.publicKey);
    const { members, former } = last;
    if (!members.has(me) && !former.has(me)) throw new ClientError(ERROR_CODES.RELAY_LIED);
    const admission = members.get(me)?.admit ?? null;
    // A member that was removed meanwhile is served only the entry that proves it; there is nothing to compare the
    // reply with.
    if (admission !== null) await checkKeyIsOfAdmission(hash, proved, admission);
    const { roomId } = this.record;
    const begin =
      admission === null
        ? null
        : await readFirstEntries(this.#link, platform, { roomId, floor: reply.floor, admission });
    if (begin !== null) await checkPlaced(hash, reply, begin);
    else if (!former.has(me)) throw new ClientError(ERROR_CODES.RELAY_LIED);
    const room = await joinedRoom(platform, vault, this.record, reply, chain, roster, instance);
    admitted(room);
  }

  /** Stores a step with the data that it brought. Progress after a failure clears the failure. */
  async #reach(step: JoinStep, come: Partial<Pick<JoinRecord, 'reply' | 'confirm'>> = {}): Promise<void> {
    const { done, failure } = this.record;
    const time = this.#options.platform.crypto.clock.now();
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

  /** Memory changes only after the vault has stored the record. */
  async #store(record: JoinRecord): Promise<void> {
    const value = encodeRecord(joinRecord, record);
    await this.#options.vault.write([{ store: STORES.joins, key: membershipOf(record), value }]);
    this.record = record;
    this.#options.changed();
  }

  /** Stores and shows the code of the failure until the join makes progress. */
  failed(code: string): Promise<void> {
    return this.serial.enqueue(async () => {
      if (this.record.failure !== code) await this.#store({ ...this.record, failure: code });
    });
  }
}
