/**
 * The durable outbox (docs/protocol.md section 6). Counter, messageNonce and content are stored before the first
 * send, and a counter never goes to other content. One append is in flight, in the order of counters.
 */
import { ALARM_CODES, ERROR_CODES, LIMITS, type AnyContent, type ReplyBody } from '@0fc/protocol';
import { sealMessage } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { eraseBefore } from '../log/erase.js';
import { seenOf } from '../log/fork.js';
import { alarm } from '../log/items.js';
import { contentToSeal } from '../log/again.js';
import { admittedSince, carryOver, isPast } from '../log/lost.js';
import { maySeal } from '../log/room-keys.js';
import type { Platform } from '../../contract/ports.js';
import type { RoomChange } from '../state/changes.js';
import { append, putOutbox, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import { messageIdOf } from '../../vault/content.js';
import type { OutboxItem } from '../../vault/records.js';

type SealedItem = OutboxItem & { readonly sealed: NonNullable<OutboxItem['sealed']> };

/** What goes into the write of a content: other changes, and contents that are said after it. */
export interface Beside {
  readonly beside?: readonly RoomChange[];
  readonly after?: readonly AnyContent[];
}

export class Outbox implements Part {
  readonly #room: RoomHandle;
  /** counters that the relay has placed in this session: the log brings them back */
  #placed = new Set<number>();
  /** epoch in which the relay refused an append: nothing is sent in it before the next catch-up */
  #refusedEpoch = 0;
  /** epoch that the relay has refused as stale, until the rotation after it is read or its absence is shown */
  #staleEpoch = 0;
  /** epoch of which that absence has been shown */
  #shownEpoch = 0;

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  /** Resolves with the id of the content's message once it is stored. Rejects with NOT_MEMBER. */
  async submit(content: AnyContent, { beside = [], after = [] }: Beside = {}): Promise<string> {
    const id = await this.#room.write((draft) => {
      const { core } = draft;
      if (core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_MEMBER);
      draft.apply(...beside);
      const put = (each: AnyContent): OutboxItem => {
        const item = enqueueContent(draft, this.#room.platform, each);
        eraseBefore(draft, item);
        return item;
      };
      const first = put(content);
      for (const each of after) put(each);
      // A message that is sent at once is sealed for the current members: an admission that is read before the reply
      // of the relay changes nothing. A message that is written offline is sealed when it is sent.
      if (this.#room.live) this.#seal(draft);
      return messageIdOf(core.me, first.mid);
    });
    this.#room.signal();
    return id;
  }

  newSession(): void {
    this.#placed = new Set();
  }

  /**
   * After a catch-up: an epoch that the relay refused as stale, although the log has no rotation after it, is an
   * alarm, once. What it refused is tried again, at the lane's growing delays: the refusal may have been a lie, or late.
   */
  caughtUp(): void {
    const { state, platform } = this.#room;
    const stale = this.#staleEpoch;
    this.#refusedEpoch = 0;
    this.#staleEpoch = 0;
    if (stale === 0 || stale !== state.core.epoch || stale === this.#shownEpoch) return;
    this.#shownEpoch = stale;
    const shown = this.#room.write((draft) => {
      const item = alarm(ALARM_CODES.ALARM_STALE_WITHOUT_ROTATION, null, { epoch: draft.core.epoch });
      draft.apply(append(null, platform.crypto.clock.now(), [item]));
    });
    shown.catch((error: unknown) => {
      this.#room.halt(failureOf(error));
    });
  }

  #due(snapshot: RoomSnapshot): readonly OutboxItem[] {
    const { core, outbox } = snapshot;
    if (core.imported || core.epoch === this.#refusedEpoch || !maySeal(snapshot)) return [];
    const waiting = [...outbox.values()]
      .filter((item) => !this.#placed.has(item.n))
      .sort((a, b) => a.n - b.n);
    // In the order of counters: everything waits behind a message that the user has to decide about, or whose epoch has
    // ended and that was not decided on yet (G18).
    const asked = waiting.findIndex(
      (item) => isPast(snapshot, item) || admittedSince(snapshot, item).length > 0,
    );
    return waiting.slice(0, asked < 0 ? LIMITS.appendMessages : Math.min(asked, LIMITS.appendMessages));
  }

  /** Every refusal that an honest relay gives can be retried. */
  async next(): Promise<Due | null> {
    await this.#carryOver();
    if (this.#due(this.#room.state).length === 0) return null;
    const batch = await this.#room.write((draft) => this.#seal(draft));
    if (batch.length === 0) return null;
    const placed = this.#placed;
    return {
      kind: 'append',
      body: { messages: batch.map(({ sealed }) => ({ clear: sealed.clear, payload: sealed.payload })) },
      done: (reply) => this.#answered(batch, reply, placed),
    };
  }

  /** `known`: the counters that were placed in the session of the request. */
  async #answered(
    batch: readonly SealedItem[],
    reply: ReplyBody<'append'>,
    known: Set<number>,
  ): Promise<void> {
    const placed = batch.slice(0, reply.placed.length);
    for (const { n } of placed) known.add(n);
    // Stored before the next request: an acknowledged message is never sealed for another epoch (G18).
    await this.#room.write((draft) => {
      for (const item of placed) {
        const waiting = draft.outbox.get(item.n);
        if (waiting?.sealed?.epoch === item.sealed.epoch)
          draft.apply(putOutbox({ ...waiting, acknowledged: true }));
      }
    });
    if (reply.refused === undefined) return;
    const epoch = batch[0]?.sealed.epoch ?? 0;
    const moved = reply.refused === ERROR_CODES.STALE_EPOCH || reply.refused === ERROR_CODES.EPOCH_AHEAD;
    // If a rotation was read meanwhile, the refusal is outdated; otherwise the log has to be read.
    if (moved && epoch !== this.#room.state.core.epoch) return;
    if (moved) this.#refusedEpoch = epoch;
    if (reply.refused === ERROR_CODES.STALE_EPOCH) this.#staleEpoch = epoch;
    const { refused, retryMs } = reply;
    throw new ClientError(refused, retryMs === undefined ? {} : { retryMs });
  }

  /** Decides on messages of an ended epoch that the log did not hold at its end (G18). */
  async #carryOver(): Promise<void> {
    const { platform, state } = this.#room;
    if (![...state.outbox.values()].some((item) => isPast(state, item))) return;
    await this.#room.write((draft) => {
      for (const item of [...draft.outbox.values()].filter((one) => isPast(draft, one))) {
        carryOver(draft, item, platform.crypto.clock.now());
        this.#placed.delete(item.n);
      }
    });
  }

  /** Seals unsealed messages for the current epoch; the bytes are stored before they are sent. */
  #seal(draft: RoomDraft): readonly SealedItem[] {
    const { core } = draft;
    const due = this.#due(draft);
    const roomKey = due.length === 0 ? null : draft.current.key;
    if (roomKey === null) return [];
    return due.map((item) => {
      if (item.sealed?.epoch === core.epoch) return { ...item, sealed: item.sealed };
      const { clear, payload } = sealMessage({
        identity: core.identity,
        roomKey,
        body: {
          roomId: core.roomId,
          epoch: core.epoch,
          sender: core.me,
          instance: item.instance,
          n: item.n,
          mid: item.mid,
          seen: seenOf(draft),
          sentAt: item.made,
          content: contentToSeal(draft, item),
        },
      });
      const sealed = { ...item, sealed: { epoch: core.epoch, clear, payload } };
      draft.apply(putOutbox(sealed));
      return sealed;
    });
  }
}

/** Puts a content into the outbox under this member's next counter. */
export function enqueueContent(
  draft: RoomDraft,
  platform: Pick<Platform, 'crypto'>,
  content: AnyContent,
): OutboxItem {
  const { nextN: n, instance } = draft.core;
  const writtenAt = draft.chain.size;
  const { random, clock } = platform.crypto;
  const item: OutboxItem = {
    n, instance, mid: random.bytes(16), made: clock.now(), content, sealed: null, acknowledged: false, only: null, writtenAt,
    confirmed: false,
  }; // prettier-ignore
  draft.apply(set({ nextN: n + 1 }), putOutbox(item));
  return item;
}
