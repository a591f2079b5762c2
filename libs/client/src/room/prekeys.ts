/** This member's prekeys (docs/protocol.md section 7): a new one after each rotation that used the last. */
import { ERROR_CODES } from '@0fc/protocol';
import { makePrekey, signBody } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../errors.js';
import type { RoomHandle } from './handle.js';
import { Pump } from './pump.js';

export class Prekeys {
  readonly #room: RoomHandle;
  readonly #pump = new Pump(() => this.#publish());
  /** number of the newest prekey that the relay has in this session; 1 came with genesis or admit */
  #published = 1;
  /** the relay has one of a later number: made by the device that this one was imported from */
  #foreign = 0;

  readonly #replaced: () => void;

  /** `replaced`: an import has a prekey of its own now, and may send. */
  constructor(room: RoomHandle, replaced: () => void) {
    this.#room = room;
    this.#replaced = replaced;
  }

  /** What the relay says it has; 0 means only the first. */
  relayHas(k: number): void {
    this.#published = Math.max(1, k);
    if (k > this.#newest()) this.#foreign = k;
  }

  pump(): void {
    this.#pump.wake();
  }

  #newest(): number {
    return Math.max(...this.#room.state.core.prekeys.map((prekey) => prekey.k));
  }

  async #publish(): Promise<void> {
    const { serial, state, connection } = this.#room;
    const due = this.#newest();
    if (state.core.stage !== 'member') return;
    // An import replaces the prekey before it sends: the device it came from holds the private half (section 9).
    const replace = state.core.imported || this.#foreign >= due;
    if (!replace && state.core.usedK < due && this.#published >= due) return;
    try {
      const { k, container } = await serial.run(async () => {
        const { core } = state;
        const newest = this.#newest();
        const k = replace || core.usedK >= newest ? Math.max(newest, this.#foreign) + 1 : newest;
        const known = core.prekeys.find((prekey) => prekey.k === k);
        if (known !== undefined) {
          const fields = { roomId: core.roomId, memberId: core.me, k, key: known.pair.publicKey };
          return { k, container: signBody(core.identity, 'prekey', fields) };
        }
        const made = makePrekey(core.identity, core.roomId, core.me, k);
        // Stored before it is published: a key that a rotation uses must not be lost.
        core.prekeys.push({ k, pair: made.keyPair });
        await this.#room.commit();
        return { k, container: made.container };
      });
      await connection.request('prekey', { prekey: container });
      this.#published = Math.max(this.#published, k);
      await serial.run(async () => {
        state.core.publishedK = Math.max(state.core.publishedK, k);
        state.core.imported = false;
        await this.#room.commit();
      });
      this.#foreign = 0;
      if (replace) this.#replaced();
    } catch (error) {
      const { code } = ClientError.from(error);
      // The next open tells what the relay has, and publishing goes on from there.
      if (code === ERROR_CODES.OFFLINE || code === ERROR_CODES.TRY_AGAIN || code === ERROR_CODES.BAD_ENTRY)
        return;
      this.#room.halt(failureOf(error));
    }
  }
}
