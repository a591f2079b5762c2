/**
 * Signals (docs/protocol.md section 6): who is online, who is typing, and what each member has read. Sealed and
 * signed, valid for 30 s, never stored; the next signal makes up for a lost one.
 *
 * Nothing here trusts the relay. A signal counts only with the signature of its sender (G3, G4) and a rising counter
 * (G5), and what its sender has seen is compared with what this client has read (G6, G7).
 */
import {
  comparePositions, type Body, type Bytes, type EventBody, type MemberId, type SignalContent,
} from '@0fc/protocol'; // prettier-ignore
import { openSignal, sealSignal } from '@0fc/crypto/keys';
import { failureOf } from '../../contract/errors.js';
import { sendOnce, type RoomHandle } from '../outgoing/part.js';
import { compareSeen, forkItems, isOtherSide, seenOf, type Seen } from '../log/fork.js';
import { maySeal } from '../log/room-keys.js';
import { append } from '../state/draft.js';

/** A signal that is older than this, or further in the future, is dropped (milliseconds, between two clocks). */
const SIGNAL_LIFE_MS = 30_000;
/** A member is online for this time after its last message or signal, in milliseconds. */
const ONLINE_MS = 120_000;
const PRESENCE_EVERY_MS = 60_000;
/** Counters begin at the clock (ms) and rise by one: a leap of this size means that the client has restarted. */
const LEAP = 100;
const TYPING_EVERY_MS = 4_000;
const TYPING_SHOWN_MS = 8_000;
/**
 * Delay of an answer, in milliseconds, plus a random time of up to as much again: so many clients do not answer a new
 * one at once.
 */
const SOON_MS = 500;
/** Time in milliseconds within which online members answer the presence of a new one. */
const ANSWERED_MS = 5_000;
/** Number of presences of one sender that are answered per minute. */
const ANSWERS_A_MINUTE = 3;

interface Heard {
  /** of its last signal */
  counter: number;
  /** epoch in which that was sealed */
  epoch: number;
  /** it has sent presence */
  here: boolean;
}

/** A position that a sender has seen and this client has not read; `asked`: the log was read again since. */
interface Ahead {
  readonly seen: Seen;
  /** when the sender reported it, Unix ms */
  readonly at: number;
  asked: boolean;
}

export class Signals {
  readonly #room: RoomHandle;
  readonly #sharesPresence: () => boolean;
  /** of the next signal */
  #counter: number;
  readonly #heard = new Map<MemberId, Heard>();
  /** when each member last sent anything, by the clock of this device */
  readonly #lastSeen = new Map<MemberId, number>();
  /** until when each is shown as typing */
  readonly #typing = new Map<MemberId, number>();
  readonly #ahead = new Map<MemberId, Ahead>();
  /** when the presence of each was answered in the last minute, by this clock */
  readonly #answered = new Map<MemberId, readonly number[]>();
  #typedAt: number | null = null;
  /** index up to which the log was read for activity of senders */
  #read = 0;
  /** since when this client receives signals, Unix ms; null: it does not */
  #liveSince: number | null = null;
  #beat: (() => void) | null = null;
  #soon: (() => void) | null = null;
  #expiry: { readonly at: number; readonly cancel: () => void } | null = null;

  /** `sharesPresence`: asked before each presence. */
  constructor(room: RoomHandle, sharesPresence: () => boolean) {
    this.#room = room;
    this.#sharesPresence = sharesPresence;
    // Begins at the clock: rising over restarts without a stored value.
    this.#counter = room.platform.crypto.clock.now();
  }

  /** Handles a signal of the feed. An unverified one is dropped; nothing throws. */
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
      this.#heard.set(sender, { counter, epoch, here: known?.here ?? false });
      this.#typing.set(sender, now + TYPING_SHOWN_MS);
    } else {
      // A new or restarted client knows nobody yet; the answer of an online member is not answered.
      const fresh = known?.here !== true || !this.isOnline(sender) || counter - known.counter >= LEAP;
      if (fresh && this.#mayAnswer(sender, now)) this.soon();
      this.#heard.set(sender, { counter, epoch, here: true });
      this.#compare(sender, content.seen, body.sentAt);
    }
    this.#noteSeen(sender, now);
    this.#watchExpiry();
    this.#room.changed();
  }

  /** Limits the answers to a sender that claims to restart again and again. */
  #mayAnswer(sender: MemberId, now: number): boolean {
    const before = (this.#answered.get(sender) ?? []).filter((at) => Math.abs(now - at) < PRESENCE_EVERY_MS);
    this.#answered.set(sender, before.length < ANSWERS_A_MINUTE ? [...before, now] : before);
    return before.length < ANSWERS_A_MINUTE;
  }

  /** The room is live: sends presence at once, and every minute from then on. */
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

  /** The log was read to its end: every position that others had seen must be known now (G6). */
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
      // A position that was received during the catch-up may be after its last page: the log is read once more.
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

  /** The link is down, or the room stops. The times of activity stay; who is online is unknown. */
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

  /** The user is typing. Sends at most one signal every 4 s. */
  typing(): void {
    const now = this.#now();
    if (!this.#maySend()) return;
    if (this.#typedAt !== null && now >= this.#typedAt && now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#say('typing');
  }

  /** Sends presence within about a second; several calls become one signal. */
  soon(): void {
    if (this.#soon !== null || !this.#room.live) return;
    const [jitter = 0] = this.#room.platform.crypto.random.bytes(1);
    this.#soon = this.#room.platform.timers.after(SOON_MS + (jitter * SOON_MS) / 256, () => {
      this.#soon = null;
      this.#say('presence');
    });
  }

  /** Whether it was active in the last two minutes, while this client receives signals. */
  isOnline(memberId: MemberId): boolean {
    const last = this.lastSeen(memberId);
    return this.#liveSince !== null && last !== null && this.#now() - last < ONLINE_MS;
  }

  /**
   * Unix ms of its last activity, if it is not online. Null while that is unknown: offline, or in the first seconds,
   * before the other members have answered.
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
    // Activity from before this start is in the record of the sender.
    return lastEntry === null ? heard : Math.max(heard ?? 0, Math.min(lastEntry, this.#now()));
  }

  typingNow(): readonly MemberId[] {
    this.#readLog();
    const now = this.#now();
    const { members } = this.#room.state.roster;
    return [...this.#typing].flatMap(([id, until]) => (until > now && members.has(id) ? [id] : []));
  }

  /** Epoch in which its last signal was sealed: it had read the rotation that began it (G10). Null: none was received. */
  epochOf(memberId: MemberId): number | null {
    return this.#heard.get(memberId)?.epoch ?? null;
  }

  #now(): number {
    return this.#room.platform.crypto.clock.now();
  }

  /** The verified signal; null where its sender is no member or the epoch is not the current one. */
  #open(sender: MemberId, epoch: number, payload: Bytes): Body<'signal'> | null {
    const { core, roster, key: roomKey } = viewOf(this.#room);
    const senderKey = roster.members.get(sender)?.key;
    if (core.stage !== 'member' || sender === core.me || epoch !== core.epoch) return null;
    if (senderKey === undefined || roomKey === null) return null;
    try {
      return openSignal({ roomKey, roomId: core.roomId, epoch, sender, senderKey, payload });
    } catch {
      // A forged signal is ignored: an alarm for each would let the relay fill this device.
      return null;
    }
  }

  /** G7: two members that were shown different histories notice at the first presence. */
  #compare(sender: MemberId, seen: Seen, at: number): void {
    const { state, live } = this.#room;
    const compared = state.inTurn(() => {
      if (state.sender(sender).forkedIn === state.core.epoch) return;
      const otherSide = isOtherSide(state, seen);
      const result = otherSide ? 'differs' : compareSeen(state, seen, { kind: 'signal', at });
      if (result === 'differs') this.#showFork(sender, seen);
      if (result !== 'ahead') return;
      const waiting = this.#ahead.get(sender);
      // The furthest position counts: positions before it are compared with every message anyway.
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

  /** Serialized with the application of entries: `seen` and head must be of one moment. */
  #seal(type: SignalContent['type']): { readonly epoch: number; readonly payload: Bytes } | null {
    const { core, roster, key: roomKey } = viewOf(this.#room);
    if (!this.#maySend() || roomKey === null) return null;
    if (type === 'presence' && !this.#sharesPresence()) return null;
    const now = this.#now();
    const content: SignalContent =
      type === 'typing' ? { type } : { type, seen: seenOf(this.#room.state), head: roster.head };
    const { roomId, epoch, me: sender, instance } = core;
    const body = { roomId, epoch, sender, instance, counter: this.#counter++, sentAt: now, content };
    return { epoch, payload: sealSignal({ identity: core.identity, roomKey, body }) };
  }

  async #send(sealed: { readonly epoch: number; readonly payload: Bytes } | null): Promise<void> {
    if (sealed === null) return;
    // Offline, stale or refused: the next signal repeats it, and the log shows what has changed.
    await sendOnce(this.#room.connection, { kind: 'signal', body: sealed });
  }

  #mustSucceed(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#room.halt(failureOf(error));
    });
  }

  /** Messages and entries count as activity of their senders too, and end their typing. */
  #readLog(): void {
    const { log } = this.#room.state;
    if (this.#read === log.end) return;
    const now = this.#now();
    const unread = log.oldestFirst(Math.max(this.#read, log.loaded));
    this.#read = log.end;
    for (const record of unread) {
      const sender = record.at?.relayed?.sender;
      // The sender of an unverified entry is the relay's claim.
      if (sender === undefined || record.items.every(({ type }) => type === 'alarm')) continue;
      this.#noteSeen(sender, Math.min(record.time, now));
      if (record.items.some(({ type }) => type === 'message')) this.#typing.delete(sender);
    }
    this.#watchExpiry();
  }

  #noteSeen(sender: MemberId, time: number): void {
    this.#lastSeen.set(sender, Math.max(time, this.#lastSeen.get(sender) ?? 0));
  }

  /** Notifies the views when the next member stops being online or typing. */
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

/** The parts of a room's state that a signal depends on; `key`: of the current epoch, null without one. */
function viewOf({ state }: RoomHandle) {
  const { core, roster } = state;
  return { core, roster, key: state.key(core.epoch)?.key ?? null };
}
