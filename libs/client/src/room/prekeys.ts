/** This member's prekeys (docs/protocol.md section 7): a new one after each rotation that used the last. */
import { ERROR_CODES } from '@0fc/protocol';
import { makePrekey, signBody } from '@0fc/crypto/keys';
import { ClientError, failureOf } from '../errors.js';
import type { RoomHandle } from './handle.js';
import { Pump } from './pump.js';

export class Prekeys {
  readonly #room: RoomHandle;
  readonly #pump = new Pump(() => this.#publish());
  /** number of the newest prekey that the relay is known to have; 1 came with genesis or admit */
  #published = 1;

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  /** What the relay says it has; 0 means only the first. */
  relayHas(k: number): void {
    this.#published = Math.max(1, k);
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
    if (state.core.stage !== 'member' || (state.core.usedK < due && this.#published >= due)) return;
    try {
      const { k, container } = await serial.run(async () => {
        const { core } = state;
        const newest = this.#newest();
        const k = core.usedK >= newest ? newest + 1 : newest;
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
    } catch (error) {
      const { code } = ClientError.from(error);
      // The next open tells what the relay has, and publishing goes on from there.
      if (code === ERROR_CODES.OFFLINE || code === ERROR_CODES.TRY_AGAIN || code === ERROR_CODES.BAD_ENTRY)
        return;
      this.#room.halt(failureOf(error));
    }
  }
}
