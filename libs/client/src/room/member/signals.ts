/**
 * Signals (docs/protocol.md section 6): who is here, who is typing, and what each has taken
 * in. Sealed, signed, of 30 s of life, never stored; a lost one is made good by the next.
 *
 * Nothing here believes the relay: a signal counts only under its sender's own signature
 * (G3, G4), with a rising counter (G5), and what its sender has seen is held against what
 * was taken in here (G6, G7).
 */
import {
  comparePositions, type Body, type Bytes, type EventBody, type MemberId, type SignalContent,
} from '@0fc/protocol'; // prettier-ignore
import { openSignal, sealSignal } from '@0fc/crypto/keys';
import { failureOf } from '../../contract/errors.js';
import type { RoomHandle } from '../outgoing/part.js';
import { compareSeen, forkItems, type Seen } from '../log/fork.js';
import { maySeal } from '../log/room-keys.js';
import { sendOnce } from '../outgoing/outgoing.js';
import { append } from '../state/changes.js';

/** A signal made longer ago than this, or further in the future, is not taken (both clocks count). */
export const SIGNAL_LIFE_MS = 30_000;
/** Who was heard of within this time is here. */
export const ONLINE_MS = 120_000;
const PRESENCE_EVERY_MS = 60_000;
/** Counters begin at the clock (ms) and go up by one: a leap like this is a client that has started anew. */
const LEAP = 100;
const TYPING_EVERY_MS = 4_000;
const TYPING_SHOWN_MS = 8_000;
/** An answer waits this long, and up to as long again: many who answer one newcomer do not do so at once. */
const SOON_MS = 500;
/** Until then whoever is here has answered the presence of one who comes. */
const ANSWERED_MS = 5_000;
/** Of one sender no more are answered. */
const ANSWERS_A_MINUTE = 3;

interface Heard {
  /** of its last signal */
  counter: number;
  /** roster head of its last presence */
  head: Bytes | null;
}

/** What a sender has seen that is not here yet; `asked`: the log has been read again since. */
interface Ahead {
  readonly seen: Seen;
  /** when it said so, Unix ms */
  readonly at: number;
  asked: boolean;
}

export class Signals {
  readonly #room: RoomHandle;
  /** of the next signal */
  #counter: number;
  readonly #heard = new Map<MemberId, Heard>();
  /** when each was last heard of, by this clock */
  readonly #lastSeen = new Map<MemberId, number>();
  /** until when each is shown as typing */
  readonly #typing = new Map<MemberId, number>();
  readonly #ahead = new Map<MemberId, Ahead>();
  /** when the presence of each was answered in the last minute, by this clock */
  readonly #answered = new Map<MemberId, readonly number[]>();
  #typedAt: number | null = null;
  /** records of the log that have been looked at for signs of their senders */
  #read = 0;
  /** null while this client cannot hear the others */
  #liveSince: number | null = null;
  #beat: (() => void) | null = null;
  #soon: (() => void) | null = null;
  #expiry: { readonly at: number; readonly cancel: () => void } | null = null;

  constructor(room: RoomHandle) {
    this.#room = room;
    // Begins at the clock: rising over restarts, and nothing has to be stored for it.
    this.#counter = room.platform.crypto.clock.now();
  }

  /** One signal of the feed. Whatever does not prove itself is dropped; nothing throws. */
  onSignal({ sender, epoch, payload }: EventBody<'signalled'>): void {
    const body = this.#open(sender, epoch, payload);
    if (body === null) return;
    const known = this.#heard.get(sender);
    if (known !== undefined && body.counter <= known.counter) return;
    const now = this.#now();
    if (Math.abs(now - body.sentAt) > SIGNAL_LIFE_MS) return;
    this.#readLog();
    const { content, counter } = body;
    if (content.type === 'typing') {
      this.#heard.set(sender, { head: known?.head ?? null, counter });
      this.#typing.set(sender, now + TYPING_SHOWN_MS);
    } else {
      // Who comes, or has started anew, knows nobody yet; the answer of one who is here is not answered.
      const fresh = (known?.head ?? null) === null || !this.isOnline(sender);
      if ((fresh || counter - (known?.counter ?? 0) >= LEAP) && this.#mayAnswer(sender, now)) this.soon();
      this.#heard.set(sender, { counter, head: content.head });
      this.#compare(sender, content.seen, body.sentAt);
    }
    this.#noteSeen(sender, now);
    this.#watchExpiry();
    this.#room.changed();
  }

  /** Whoever claims to start anew again and again is not answered by everybody each time. */
  #mayAnswer(sender: MemberId, now: number): boolean {
    const before = (this.#answered.get(sender) ?? []).filter((at) => Math.abs(now - at) < PRESENCE_EVERY_MS);
    this.#answered.set(sender, before.length < ANSWERS_A_MINUTE ? [...before, now] : before);
    return before.length < ANSWERS_A_MINUTE;
  }

  /** The room went live: the others learn at once that this member is here, and every minute from then on. */
  live(): void {
    this.#liveSince = this.#now();
    this.#watchExpiry();
    this.#tellHere();
  }

  #tellHere(): void {
    this.#beat?.();
    this.#say('presence');
    this.#beat = this.#room.platform.timers.after(PRESENCE_EVERY_MS, () => {
      this.#beat = null;
      if (this.#room.live) this.#tellHere();
    });
  }

  /** The log was read to its end: what others had seen and this client had not must be here now (G6). */
  caughtUp(): void {
    this.#mustSucceed(this.#compareAhead());
  }

  async #compareAhead(): Promise<void> {
    const { state } = this.#room;
    let again = false;
    for (const [sender, ahead] of this.#ahead) {
      const compared = await state.read(() =>
        compareSeen(state, ahead.seen, { kind: 'signal', at: ahead.at }),
      );
      // Noted while the log was being read, it may lie behind the last page: read once more.
      if (compared === 'ahead' && !ahead.asked) {
        ahead.asked = true;
        again = true;
        continue;
      }
      this.#ahead.delete(sender);
      if (compared === 'ahead' || compared === 'differs') this.#showFork(sender, ahead.seen);
    }
    if (again) this.#room.catchUp();
  }

  /** The link is down, or the room stops. Who was heard of is remembered; who is here is not known. */
  stop(): void {
    this.#liveSince = null;
    this.#typedAt = null;
    this.#beat?.();
    this.#soon?.();
    this.#expiry?.cancel();
    this.#beat = null;
    this.#soon = null;
    this.#expiry = null;
    this.#typing.clear();
  }

  /** Somebody types here. Said to the others at most every 4 s. */
  typing(): void {
    const now = this.#now();
    if (!this.#maySend()) return;
    if (this.#typedAt !== null && now >= this.#typedAt && now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#say('typing');
  }

  /** Says within about a second what has been taken in here; many reasons become one signal. */
  soon(): void {
    if (this.#soon !== null || !this.#room.live) return;
    const [jitter = 0] = this.#room.platform.crypto.random.bytes(1);
    this.#soon = this.#room.platform.timers.after(SOON_MS + (jitter * SOON_MS) / 256, () => {
      this.#soon = null;
      this.#say('presence');
    });
  }

  /** Heard of in the last two minutes, by a client that can hear. */
  isOnline(memberId: MemberId): boolean {
    const last = this.lastSeen(memberId);
    return this.#liveSince !== null && last !== null && this.#now() - last < ONLINE_MS;
  }

  /**
   * When it was last heard of, if it is not here; null while that cannot be said: offline,
   * or in the first seconds, before the others have answered.
   */
  awaySince(memberId: MemberId): number | null {
    const known = this.#liveSince !== null && this.#now() - this.#liveSince >= ANSWERED_MS;
    return known && !this.isOnline(memberId) ? this.lastSeen(memberId) : null;
  }

  /** Unix ms of its last message, entry or signal, as far as this device knows; null for none. */
  lastSeen(memberId: MemberId): number | null {
    this.#readLog();
    const { lastEntry } = this.#room.state.sender(memberId);
    const heard = this.#lastSeen.get(memberId) ?? null;
    // What was read before this start is known by its record.
    return lastEntry === null ? heard : Math.max(heard ?? 0, Math.min(lastEntry, this.#now()));
  }

  typingNow(): readonly MemberId[] {
    this.#readLog();
    const now = this.#now();
    const { members } = this.#room.state.roster;
    return [...this.#typing].flatMap(([id, until]) => (until > now && members.has(id) ? [id] : []));
  }

  /** The roster head of its last presence: whether it has taken in a removal (G10). Null: not heard of. */
  headOf(memberId: MemberId): Bytes | null {
    return this.#heard.get(memberId)?.head ?? null;
  }

  #now(): number {
    return this.#room.platform.crypto.clock.now();
  }

  /** The signal as its sender meant it; null where it is not one of a present member and epoch. */
  #open(sender: MemberId, epoch: number, payload: Bytes): Body<'signal'> | null {
    const { core, roster, key: roomKey } = viewOf(this.#room);
    const senderKey = roster.members.get(sender)?.key;
    if (core.stage !== 'member' || sender === core.me || epoch !== core.epoch) return null;
    if (senderKey === undefined || roomKey === null) return null;
    try {
      return openSignal({ roomKey, roomId: core.roomId, epoch, sender, senderKey, payload });
    } catch {
      // A false signal says nothing, and an alarm for each would let the relay fill this device.
      return null;
    }
  }

  /** G7: two that were shown different histories notice at the first presence. */
  #compare(sender: MemberId, seen: Seen, at: number): void {
    const { state, live } = this.#room;
    const compared = state.inTurn(() => {
      if (state.sender(sender).forked) return;
      const result = compareSeen(state, seen, { kind: 'signal', at });
      if (result === 'differs') this.#showFork(sender, seen);
      if (result !== 'ahead') return;
      const waiting = this.#ahead.get(sender);
      // The furthest counts: what lies before it is compared with every message anyway.
      if (waiting !== undefined && comparePositions(waiting.seen.position, seen.position) >= 0) return;
      this.#ahead.set(sender, { seen, at, asked: live });
      if (live) this.#room.catchUp();
    });
    this.#mustSucceed(compared);
  }

  #showFork(sender: MemberId, seen: Seen): void {
    const shown = this.#room.write((draft) => {
      const items = forkItems(draft, sender, seen.position);
      if (items.length > 0) draft.apply(append(null, this.#now(), items));
    });
    this.#mustSucceed(shown);
  }

  #maySend(): boolean {
    const { live, restoring, state } = this.#room;
    return live && !restoring && maySeal(state);
  }

  #say(type: SignalContent['type']): void {
    const sealed = this.#room.state.serial.enqueue(() => this.#seal(type));
    this.#mustSucceed(sealed.then((signal) => this.#send(signal)));
  }

  /** In turn with what is taken in: `seen` and head must be of one moment. */
  #seal(type: SignalContent['type']): { readonly epoch: number; readonly payload: Bytes } | null {
    const { core, roster, key: roomKey } = viewOf(this.#room);
    if (!this.#maySend() || roomKey === null) return null;
    const now = this.#now();
    const content: SignalContent =
      type === 'typing'
        ? { type }
        : { type, seen: { position: core.position, t: core.t }, head: roster.head };
    const { roomId, epoch, me: sender, instance } = core;
    const body = { roomId, epoch, sender, instance, counter: this.#counter++, sentAt: now, content };
    return { epoch, payload: sealSignal({ identity: core.identity, roomKey, body }) };
  }

  async #send(sealed: { readonly epoch: number; readonly payload: Bytes } | null): Promise<void> {
    if (sealed === null) return;
    // Offline, stale or refused: the next one says it again, and the log tells what has changed.
    await sendOnce(this.#room.connection, { kind: 'signal', body: sealed });
  }

  #mustSucceed(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#room.halt(failureOf(error));
    });
  }

  /** Messages and entries are signs of their senders too, and end their typing. */
  #readLog(): void {
    const { log } = this.#room.state;
    if (this.#read === log.end) return;
    const now = this.#now();
    const unread = log.oldestFirst(Math.max(this.#read, log.loaded));
    this.#read = log.end;
    for (const record of unread) {
      const sender = record.at?.relayed?.sender;
      // What did not prove itself is the relay's word about its sender.
      if (sender === undefined || record.items.every(({ type }) => type === 'alarm')) continue;
      this.#noteSeen(sender, Math.min(record.time, now));
      if (record.items.some(({ type }) => type === 'message')) this.#typing.delete(sender);
    }
    this.#watchExpiry();
  }

  #noteSeen(sender: MemberId, time: number): void {
    this.#lastSeen.set(sender, Math.max(time, this.#lastSeen.get(sender) ?? 0));
  }

  /** Tells the views when the next of those who are here or typing is no longer. */
  #watchExpiry(): void {
    const now = this.#now();
    const ends = [
      ...this.#typing.values(),
      ...[...this.#lastSeen.values()].map((last) => last + ONLINE_MS),
      (this.#liveSince ?? -Infinity) + ANSWERED_MS,
    ];
    const at = this.#liveSince === null ? Infinity : Math.min(...ends.filter((end) => end > now));
    if (at === this.#expiry?.at) return;
    this.#expiry?.cancel();
    this.#expiry = null;
    if (at === Infinity) return;
    const cancel = this.#room.platform.timers.after(at - now, () => {
      this.#expiry = null;
      this.#room.changed();
      this.#watchExpiry();
    });
    this.#expiry = { at, cancel };
  }
}

/** What of a room's state a signal depends on; `key`: of the current epoch, null without one. */
function viewOf({ state }: RoomHandle) {
  const { core, roster } = state;
  return { core, roster, key: state.key(core.epoch)?.key ?? null };
}
