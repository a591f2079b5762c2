/**
 * Handing a room over (docs/protocol.md section 4): a signed offer, a signed acceptance, and
 * then the owner's signed entry. An acceptance counts for the offer that stands, and once.
 */
import { equalBytes, ERROR_CODES, type Bytes, type ErrorCode, type EventBody } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { verifyTransferAcceptance, verifyTransferOffer } from '@0fc/crypto/verify';
import { ClientError, failureOf } from '../errors.js';
import type { RoomHandle } from './handle.js';
import { system } from './items.js';
import { isPassing } from './passing.js';

const RETRY_MS = 2_000;

/** Refusals of an offer or an acceptance after which there is nothing to do. */
const UNHEARD: readonly ErrorCode[] = ['OFFLINE', 'BAD_ENTRY', 'FORBIDDEN'];

export class HandOver {
  readonly #room: RoomHandle;
  /** an acceptance has come: the owner's entry is due */
  readonly #accepted: () => void;
  #sent: Bytes | null = null;

  constructor(room: RoomHandle, accepted: () => void) {
    this.#room = room;
    this.#accepted = accepted;
  }

  newSession(): void {
    this.#sent = null;
  }

  /** Owner only; a new offer replaces the last one. Resolves once it is stored. */
  async offer(memberId: string): Promise<void> {
    const { state, serial, platform } = this.#room;
    await serial.run(async () => {
      const { core, roster } = state;
      if (core.stage !== 'member' || !state.isOwner) throw new ClientError(ERROR_CODES.NOT_OWNER);
      const member = [...roster.members.values()].find((known) => known.memberId === memberId);
      if (member === undefined || member.memberId === core.me)
        throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
      const nonce = platform.crypto.random.bytes(16);
      const since = platform.crypto.clock.now();
      const fields = { roomId: core.roomId, old: core.me, new: member.memberId, nonce };
      const offer = signBody(core.identity, 'transferOffer', fields);
      core.handOver = { memberId: member.memberId, nonce, since, offer, acceptance: null };
      state.append(null, since, [system('offered', { actor: core.me, member: member.memberId })]);
      await this.#room.commit();
    });
    this.pump();
  }

  /** The owner takes its offer back, or the member declines it: a later acceptance counts for nothing. */
  async end(): Promise<void> {
    const { state, serial, platform } = this.#room;
    await serial.run(async () => {
      const { core } = state;
      const { handOver } = core;
      if (handOver === null) throw new ClientError(ERROR_CODES.NO_OFFER);
      // Once the owner's entry is signed it is on its way, and cannot be called back.
      if (state.isOwner && handOver.acceptance !== null) throw new ClientError(ERROR_CODES.NO_OFFER);
      core.handOver = null;
      if (!state.isOwner) core.declined = handOver.nonce;
      state.append(null, platform.crypto.clock.now(), [
        system('offerWithdrawn', { member: handOver.memberId }),
      ]);
      await this.#room.commit();
    });
  }

  /** Resolves once the acceptance is stored; the owner's client carries it out. */
  async accept(): Promise<void> {
    const { state, serial } = this.#room;
    await serial.run(async () => {
      const { core } = state;
      const { handOver } = core;
      if (handOver === null || state.isOwner) throw new ClientError(ERROR_CODES.NO_OFFER);
      if (handOver.acceptance !== null) return;
      const fields = { roomId: core.roomId, old: handOver.memberId, new: core.me, nonce: handOver.nonce };
      const acceptance = signBody(core.identity, 'transferAcceptance', fields);
      core.handOver = { ...handOver, acceptance };
      await this.#room.commit();
    });
    this.pump();
  }

  /** What the relay holds of it is told again in every session: only what is new is taken. */
  async onOffered({ offer }: EventBody<'transferOffered'>): Promise<void> {
    const { state, serial, platform } = this.#room;
    await serial.run(async () => {
      const { core } = state;
      if (core.stage !== 'member' || state.isOwner || core.leaveRequest !== null) return;
      const body = checked(() => verifyTransferOffer(state.roster, offer));
      if (body?.new !== core.me) return;
      const known = core.handOver?.nonce ?? core.declined;
      if (known !== null && equalBytes(known, body.nonce)) return;
      const since = platform.crypto.clock.now();
      core.handOver = { memberId: body.old, nonce: body.nonce, since, offer, acceptance: null };
      await this.#room.commit();
    });
    this.pump();
  }

  async onAccepted({ acceptance }: EventBody<'transferAccepted'>): Promise<void> {
    const { state, serial } = this.#room;
    await serial.run(async () => {
      const { core } = state;
      const { handOver } = core;
      if (!state.isOwner || handOver?.acceptance !== null) return;
      const body = checked(() => verifyTransferAcceptance(state.roster, acceptance));
      if (body?.new !== handOver.memberId || !equalBytes(body.nonce, handOver.nonce)) return;
      core.handOver = { ...handOver, acceptance };
      await this.#room.commit();
    });
    this.#accepted();
  }

  /** Tells the relay what stands, once a session: the offer, or the acceptance. */
  pump(): void {
    const { state, live, connection } = this.#room;
    const { handOver, stage, me } = state.core;
    if (!live || stage !== 'member' || handOver === null) return;
    const due = state.isOwner ? handOver.offer : handOver.acceptance;
    if (due === null || this.#sent === due || (state.isOwner && handOver.acceptance !== null)) return;
    this.#sent = due;
    const sent =
      me === state.roster.owner
        ? connection.request('transferOffer', { to: handOver.memberId, offer: due })
        : connection.request('transferAcceptance', { acceptance: due });
    sent.catch((error: unknown) => {
      const { code } = ClientError.from(error);
      // The next session tells it again. An offer that does not stand any more is the owner's to renew;
      // who may not say this by now learns why from the log: the room is another's, or it has gone.
      if (UNHEARD.includes(code)) return;
      if (isPassing(code)) {
        this.#again();
        return;
      }
      this.#room.halt(failureOf(error));
    });
  }

  #again(): void {
    this.#room.platform.timers.after(RETRY_MS, () => {
      this.#sent = null;
      this.pump();
    });
  }
}

/** Null for what does not prove itself: a hand-over is an offer, and a false one is nothing. */
function checked<T>(verify: () => T): T | null {
  try {
    return verify();
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}
