/**
 * Transferring a room (docs/protocol.md section 4): a signed offer, a signed acceptance, and then the signed entry of
 * the owner. An acceptance counts for the current offer only, and once.
 */
import {
  equalBytes,
  ERROR_CODES,
  type Bytes,
  type ErrorCode,
  type EventBody,
  type MemberId,
} from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { verifyTransferAcceptance, verifyTransferOffer } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { system } from '../log/items.js';
import { append, set } from '../state/draft.js';
import type { RoomCore } from '../../vault/records.js';

/**
 * Refusals of an offer or an acceptance that end its sending: the owner renews an outdated offer; a member that may
 * not send it any more learns why from the log.
 */
const SETTLED: readonly ErrorCode[] = ['BAD_ENTRY', 'FORBIDDEN'];

export class OwnershipTransfer implements Part {
  readonly #room: RoomHandle;
  /** offers and acceptances that were sent in this session */
  #sent = new Set<Bytes>();

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  newSession(): void {
    this.#sent = new Set();
  }

  /** Owner only; a new offer replaces the last one. Resolves once it is stored. */
  async offer(memberId: string): Promise<void> {
    const { platform } = this.#room;
    await this.#room.write((draft) => {
      const { core, roster } = draft;
      if (core.stage !== 'member' || !draft.isOwner) throw new ClientError(ERROR_CODES.NOT_OWNER);
      const member = [...roster.members.values()].find((known) => known.memberId === memberId);
      if (member === undefined || member.memberId === core.me)
        throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
      const nonce = platform.crypto.random.bytes(16);
      const since = platform.crypto.clock.now();
      const fields = { roomId: core.roomId, old: core.me, new: member.memberId, nonce };
      const offer = signBody(core.identity, 'transferOffer', fields);
      draft.apply(
        set({ handOver: { memberId: member.memberId, nonce, since, offer, acceptance: null } }),
        append(null, since, [system('offered', { actor: core.me, member: member.memberId })]),
      );
    });
    this.#room.signal();
  }

  /**
   * Withdraws the offer (owner) or declines it (member): a later acceptance does not count. Rejects with NO_OFFER,
   * also once it was accepted: whoever holds the acceptance may use it, and the entry of the owner may be in flight.
   */
  async end(): Promise<void> {
    const now = this.#room.platform.crypto.clock.now();
    await this.#room.write((draft) => {
      const { handOver } = draft.core;
      if (handOver?.acceptance !== null) throw new ClientError(ERROR_CODES.NO_OFFER);
      const { nonce } = handOver;
      const { core, roster } = draft;
      const member = draft.isOwner ? handOver.memberId : core.me;
      draft.apply(
        set(draft.isOwner ? { handOver: null } : { handOver: null, ...declinedWith(draft.core, nonce) }),
        append(null, now, [system('offerWithdrawn', { actor: roster.owner, member })]),
      );
    });
  }

  /** Resolves once the acceptance is stored; the owner's client carries it out. */
  async accept(): Promise<void> {
    await this.#room.write((draft) => {
      const { core } = draft;
      const { handOver } = core;
      if (handOver === null || draft.isOwner) throw new ClientError(ERROR_CODES.NO_OFFER);
      if (handOver.acceptance !== null) return;
      const fields = { roomId: core.roomId, old: handOver.memberId, new: core.me, nonce: handOver.nonce };
      const acceptance = signBody(core.identity, 'transferAcceptance', fields);
      draft.apply(set({ handOver: { ...handOver, acceptance } }));
    });
    this.#room.signal();
  }

  /** The relay repeats the offer in every session: only a new one is stored. */
  async onOffered({ offer }: EventBody<'transferOffered'>): Promise<void> {
    const since = this.#room.platform.crypto.clock.now();
    await this.#room.write((draft) => {
      const { core } = draft;
      if (core.stage !== 'member' || draft.isOwner || core.leaveRequest !== null) return;
      const body = checked(() => verifyTransferOffer(draft.roster, offer));
      if (body?.new !== core.me) return;
      if (known(core).some((nonce) => equalBytes(nonce, body.nonce))) return;
      draft.apply(
        set({ handOver: { memberId: body.old, nonce: body.nonce, since, offer, acceptance: null } }),
      );
    });
    this.#room.signal();
  }

  async onAccepted({ acceptance }: EventBody<'transferAccepted'>): Promise<void> {
    await this.#room.write((draft) => {
      const { handOver } = draft.core;
      if (!draft.isOwner || handOver?.acceptance !== null) return;
      const body = checked(() => verifyTransferAcceptance(draft.roster, acceptance));
      if (body?.new !== handOver.memberId || !equalBytes(body.nonce, handOver.nonce)) return;
      draft.apply(set({ handOver: { ...handOver, acceptance } }));
    });
    this.#room.signal();
  }

  /** The current offer or acceptance, once per session. */
  next(): Promise<Due | null> {
    const standing = this.#standing();
    const sent = this.#sent;
    if (standing === null || sent.has(standing.statement)) return Promise.resolve(null);
    const { to, statement } = standing;
    const answers: Pick<Due, 'refused'> & { readonly done: () => void } = {
      done: () => {
        sent.add(statement);
      },
      refused: (code) => {
        sent.add(statement);
        return SETTLED.includes(code) ? 'settled' : 'unexpected';
      },
    };
    return Promise.resolve(
      to === null
        ? { kind: 'transferAcceptance', body: { acceptance: statement }, ...answers }
        : { kind: 'transferOffer', body: { to, offer: statement }, ...answers },
    );
  }

  /** `to` null: an acceptance. */
  #standing(): { readonly to: MemberId | null; readonly statement: Bytes } | null {
    const { state } = this.#room;
    const { handOver, stage } = state.core;
    if (stage !== 'member' || handOver === null) return null;
    const { memberId, offer, acceptance } = handOver;
    if (!state.isOwner) return acceptance === null ? null : { to: null, statement: acceptance };
    return acceptance === null ? { to: memberId, statement: offer } : null;
  }
}

/**
 * Number of declined offers that are kept: an offer never expires, and may be repeated whenever its signer owns the
 * room.
 */
const DECLINED_KEPT = 64;

const declinedWith = ({ declined, declinedBefore = [] }: RoomCore, nonce: Bytes) => ({
  declined: nonce,
  declinedBefore: (declined === null ? declinedBefore : [...declinedBefore, declined]).slice(-DECLINED_KEPT),
});

/** Nonces of the current offer and of the declined ones. */
const known = ({ handOver, declined, declinedBefore = [] }: RoomCore): readonly Bytes[] =>
  [handOver?.nonce ?? null, declined, ...declinedBefore].filter((nonce) => nonce !== null);

/** The result of `verify`; null where it fails: a forged offer is ignored. */
function checked<T>(verify: () => T): T | null {
  try {
    return verify();
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}
