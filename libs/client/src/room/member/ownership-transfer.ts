/**
 * Transferring a room (docs/protocol.md section 4): a signed offer, a signed acceptance, and then the signed entry of
 * the owner. An offer ends with the next transfer, an acceptance with its epoch; it counts for the current offer only,
 * and once.
 */
import {
  decodeBody,
  equalBytes,
  ERROR_CODES,
  ROSTER_KINDS,
  type Bytes,
  type ErrorCode,
  type EventBody,
  type MemberId,
} from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { containerBody, verifyTransferAcceptance, verifyTransferOffer } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { system } from '../log/items.js';
import { append, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
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
  /** the last offer, and the last acceptance, of this session that rests on what this client has not read yet */
  #early: Record<'offer' | 'acceptance', Early | null> = { offer: null, acceptance: null };

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  newSession(): void {
    this.#sent = new Set();
    this.#early = { offer: null, acceptance: null };
  }

  /**
   * Owner only; a new offer replaces the last one. Resolves once it is stored. Rejects with NOT_OWNER once a transfer is
   * signed, too: what was accepted is in use, and a new offer would say to its member that it is not.
   */
  async offer(memberId: string): Promise<void> {
    const { platform } = this.#room;
    await this.#room.write((draft) => {
      const { core, roster } = draft;
      if (core.stage !== 'member' || !draft.isOwner || isTransfer(core.pending?.entry ?? null))
        throw new ClientError(ERROR_CODES.NOT_OWNER);
      const member = [...roster.members.values()].find((known) => known.memberId === memberId);
      if (member === undefined || member.memberId === core.me)
        throw new ClientError(ERROR_CODES.MEMBER_UNKNOWN);
      const nonce = platform.crypto.random.bytes(16);
      const since = platform.crypto.clock.now();
      const fields = { roomId: core.roomId, head: roster.head, old: core.me, new: member.memberId, nonce };
      const offer = signBody(core.identity, 'transferOffer', fields);
      draft.apply(
        set({ ownershipTransfer: { memberId: member.memberId, nonce, since, offer, acceptance: null } }),
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
      const { ownershipTransfer } = draft.core;
      if (ownershipTransfer?.acceptance !== null) throw new ClientError(ERROR_CODES.NO_OFFER);
      const { nonce } = ownershipTransfer;
      const { core, roster } = draft;
      const member = draft.isOwner ? ownershipTransfer.memberId : core.me;
      draft.apply(
        set(
          draft.isOwner
            ? { ownershipTransfer: null }
            : { ownershipTransfer: null, ...declinedWith(draft.core, nonce) },
        ),
        append(null, now, [system('offerWithdrawn', { actor: roster.owner, member })]),
      );
    });
  }

  /** Resolves once the acceptance is stored; the owner's client carries it out, unless the epoch ends before. */
  async accept(): Promise<void> {
    await this.#room.write((draft) => {
      const { core } = draft;
      const { ownershipTransfer } = core;
      if (ownershipTransfer === null || draft.isOwner) throw new ClientError(ERROR_CODES.NO_OFFER);
      if (ownershipTransfer.acceptance !== null) return;
      const fields = {
        roomId: core.roomId,
        epoch: core.epoch,
        old: ownershipTransfer.memberId,
        new: core.me,
        nonce: ownershipTransfer.nonce,
      };
      const acceptance = signBody(core.identity, 'transferAcceptance', fields);
      draft.apply(set({ ownershipTransfer: { ...ownershipTransfer, acceptance } }));
    });
    this.#room.signal();
  }

  /** The relay repeats the offer in every session: only a new one is stored. */
  async onOffered({ offer }: EventBody<'transferOffered'>): Promise<void> {
    await this.#read('offer', offer);
    this.#room.signal();
  }

  async onAccepted({ acceptance }: EventBody<'transferAccepted'>): Promise<void> {
    await this.#read('acceptance', acceptance);
    this.#room.signal();
  }

  /** Stores a statement of the other member; one that does not stand here, and may once more is read, is kept. */
  async #read(kind: Early['kind'], statement: Bytes): Promise<void> {
    const since = this.#room.platform.crypto.clock.now();
    this.#early[kind] = await this.#room.write((draft) => {
      const stands = kind === 'offer' ? takeOffer(draft, statement, since) : takeAcceptance(draft, statement);
      return stands ? null : { kind, statement, ...placeOf(draft) };
    });
  }

  /** Reads once more what was kept, where the chain or the epoch has moved since. */
  async #readEarly(): Promise<void> {
    const { length, epoch } = placeOf(this.#room.state);
    for (const early of Object.values(this.#early)) {
      if (early !== null && (early.length !== length || early.epoch !== epoch))
        await this.#read(early.kind, early.statement);
    }
  }

  /** The current offer or acceptance, once per session. */
  async next(): Promise<Due | null> {
    await this.#readEarly();
    const unsent = this.#unsent();
    const sent = this.#sent;
    if (unsent === null || sent.has(unsent.statement)) return null;
    const { to, statement } = unsent;
    const answers: Pick<Due, 'refused'> & { readonly done: () => void } = {
      done: () => {
        sent.add(statement);
      },
      refused: (code) => {
        sent.add(statement);
        return SETTLED.includes(code) ? 'settled' : 'unexpected';
      },
    };
    return to === null
      ? { kind: 'transferAcceptance', body: { acceptance: statement }, ...answers }
      : { kind: 'transferOffer', body: { to, offer: statement }, ...answers };
  }

  /** `to` null: an acceptance. */
  #unsent(): { readonly to: MemberId | null; readonly statement: Bytes } | null {
    const { state } = this.#room;
    const { ownershipTransfer, stage } = state.core;
    if (stage !== 'member' || ownershipTransfer === null) return null;
    const { memberId, offer, acceptance } = ownershipTransfer;
    if (!state.isOwner) return acceptance === null ? null : { to: null, statement: acceptance };
    return acceptance === null ? { to: memberId, statement: offer } : null;
  }
}

/** What a client has read so far, as far as an offer or an acceptance rests on it. */
interface Early {
  readonly kind: 'offer' | 'acceptance';
  readonly statement: Bytes;
  readonly length: number;
  readonly epoch: number;
}

const placeOf = ({ chain, core }: RoomSnapshot): Pick<Early, 'length' | 'epoch'> => ({
  length: chain.size,
  epoch: core.epoch,
});

/** Stores an offer to this member. False: it does not stand here, or not yet. */
function takeOffer(draft: RoomDraft, offer: Bytes, since: number): boolean {
  const { core, roster } = draft;
  if (core.stage !== 'member' || draft.isOwner || core.leaveRequest !== null) return false;
  // The chain was read ahead of the log: an acceptance would name an epoch that has ended.
  if (roster.epoch > core.epoch) return false;
  const body = checked(() => verifyTransferOffer(roster, offer));
  if (body?.new !== core.me || !isOfThisOwnership(draft, body.head)) return false;
  if (known(core).some((nonce) => equalBytes(nonce, body.nonce))) return true;
  draft.apply(
    set({ ownershipTransfer: { memberId: body.old, nonce: body.nonce, since, offer, acceptance: null } }),
  );
  return true;
}

/** Stores the acceptance of the offer that stands. False: it does not stand here, or not yet. */
function takeAcceptance(draft: RoomDraft, acceptance: Bytes): boolean {
  const { core, roster } = draft;
  const { ownershipTransfer } = core;
  if (!draft.isOwner || ownershipTransfer?.acceptance !== null) return false;
  const body = checked(() => verifyTransferAcceptance(roster, acceptance));
  if (body?.new !== ownershipTransfer.memberId || !equalBytes(body.nonce, ownershipTransfer.nonce))
    return false;
  if (body.epoch !== core.epoch) return false;
  draft.apply(set({ ownershipTransfer: { ...ownershipTransfer, acceptance } }));
  return true;
}

/**
 * Whether the chain has this head, and no transfer behind it. An owner whose time of ownership is not known here may have
 * handed the room over before: that transfer, read later, would seem to end an acceptance which is in use (docs/decisions/0026).
 */
function isOfThisOwnership(snapshot: RoomSnapshot, head: Bytes): boolean {
  const made = snapshot.chainIndex(head);
  if (made === null) return false;
  for (let index = made + 1; index < snapshot.chain.size; index++) {
    const entry = snapshot.chain.get(index);
    if (entry === undefined || isTransfer(entry)) return false;
  }
  return true;
}

/** `entry` null: none is signed. */
const isTransfer = (entry: Bytes | null): boolean =>
  entry !== null && decodeBody(containerBody(entry), ...ROSTER_KINDS).kind === 'transfer';

/**
 * Number of declined offers that are kept: an offer stands for as long as its signer owns the room, and may be
 * repeated all that time.
 */
const DECLINED_KEPT = 64;

const declinedWith = ({ declined, declinedBefore = [] }: RoomCore, nonce: Bytes) => ({
  declined: nonce,
  declinedBefore: (declined === null ? declinedBefore : [...declinedBefore, declined]).slice(-DECLINED_KEPT),
});

/** Nonces of the current offer and of the declined ones. */
const known = ({ ownershipTransfer, declined, declinedBefore = [] }: RoomCore): readonly Bytes[] =>
  [ownershipTransfer?.nonce ?? null, declined, ...declinedBefore].filter((nonce) => nonce !== null);

/** The result of `verify`; null where it fails: a forged offer is ignored. */
function checked<T>(verify: () => T): T | null {
  try {
    return verify();
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}
