/**
 * The durable outbox (docs/protocol.md section 6): n, mid and content are stored before
 * the first send, and n never goes to other content. One append in flight, in order of n.
 */
import { ALARM_CODES, ERROR_CODES, LIMITS, type AnyContent } from '@0fc/protocol';
import { sealMessage } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../errors.js';
import { alarm, messageIdOf } from './items.js';
import { Pump } from './pump.js';
import { enqueue } from './state.js';
import type { OutboxItem } from './records.js';
import type { RoomHandle } from './handle.js';

const RETRY_MS = 1_000;

export class Outbox {
  readonly #room: RoomHandle;
  readonly #pump = new Pump(async () => {
    while (await this.#sendDue());
  });
  /** counters that the relay has placed in this session: they come back with the log */
  #placed = new Set<number>();
  /** epoch under which the relay refused: nothing is sent under it again before a new look at the log */
  #refusedEpoch = 0;
  /** epoch that the relay called stale, until a rotation out of it is read or its lack has been shown */
  #staleEpoch = 0;

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  async add(content: AnyContent): Promise<string> {
    const { serial, state, platform } = this.#room;
    const id = await serial.run(async () => {
      const { core } = state;
      if (core.stage !== 'member') throw new ClientError(ERROR_CODES.NOT_MEMBER);
      const item = enqueue(state, platform, content);
      await this.#room.commit();
      return messageIdOf(core.me, item.mid);
    });
    this.pump();
    return id;
  }

  newSession(): void {
    this.#placed = new Set();
  }

  /** After a catch-up: an epoch that was refused as stale and yet has no rotation in the log is an alarm. */
  caughtUp(): void {
    const { state, serial, platform } = this.#room;
    const stuck = this.#staleEpoch !== 0 && this.#staleEpoch === state.core.epoch;
    if (this.#refusedEpoch !== state.core.epoch) this.#refusedEpoch = 0;
    this.#staleEpoch = 0;
    if (!stuck) return;
    const shown = serial.run(async () => {
      state.append(null, platform.crypto.clock.now(), [
        alarm(ALARM_CODES.ALARM_STALE_WITHOUT_ROTATION, null, { epoch: state.core.epoch }),
      ]);
      await this.#room.commit();
    });
    shown.catch((error: unknown) => {
      this.#room.halt(failureOf(error));
    });
  }

  pump(): void {
    this.#pump.wake();
  }

  #due(): readonly OutboxItem[] {
    const { state, live } = this.#room;
    const { core } = state;
    if (!live || core.stage !== 'member' || core.paused || core.imported || core.epoch === this.#refusedEpoch)
      return [];
    if (state.current.key === null) return [];
    return [...state.outbox.values()]
      .filter((item) => !this.#placed.has(item.n))
      .sort((a, b) => a.n - b.n)
      .slice(0, LIMITS.appendMessages);
  }

  /** True when there may be more to send at once. */
  async #sendDue(): Promise<boolean> {
    if (this.#due().length === 0) return false;
    try {
      const batch = await this.#room.serial.run(() => this.#seal());
      if (batch.length === 0) return false;
      const reply = await this.#room.connection.request('append', {
        messages: batch.map(({ sealed }) => ({ clear: sealed.clear, payload: sealed.payload })),
      });
      for (const { n } of batch.slice(0, reply.placed.length)) this.#placed.add(n);
      if (reply.refused === undefined) return true;
      this.#refused(reply.refused, batch[0]?.sealed.epoch ?? 0, reply.retryMs);
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code === ERROR_CODES.OFFLINE) return false; // the next session settles and sends again
      if (code === ERROR_CODES.TRY_AGAIN || code === ERROR_CODES.INTERNAL) this.#later(RETRY_MS);
      else this.#room.halt(failureOf(error));
    }
    return false;
  }

  #refused(code: string, epoch: number, retryMs: number | undefined): void {
    if (code === ERROR_CODES.STALE_EPOCH || code === ERROR_CODES.EPOCH_AHEAD) {
      // A rotation already read makes the refusal old news; otherwise the log has to be looked at.
      if (epoch !== this.#room.state.core.epoch) this.pump();
      else {
        this.#refusedEpoch = epoch;
        if (code === ERROR_CODES.STALE_EPOCH) this.#staleEpoch = epoch;
        this.#room.catchUp();
      }
      return;
    }
    this.#later(retryMs ?? RETRY_MS);
  }

  #later(ms: number): void {
    this.#room.platform.timers.after(ms, () => {
      this.pump();
    });
  }

  /** Seals for the current epoch what is not yet; the bytes are stored before they are sent. */
  async #seal(): Promise<readonly (OutboxItem & { sealed: NonNullable<OutboxItem['sealed']> })[]> {
    const { state } = this.#room;
    const { core } = state;
    const due = this.#due();
    const roomKey = due.length === 0 ? null : state.current.key;
    if (roomKey === null) return [];
    const batch = due.map((item) => {
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
          seen: { position: core.position, t: core.t },
          sentAt: item.made,
          content: item.content,
        },
      });
      const sealed = { ...item, sealed: { epoch: core.epoch, clear, payload } };
      state.putOutbox(sealed);
      return sealed;
    });
    await this.#room.commit();
    return batch;
  }
}
