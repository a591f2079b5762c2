/** This member's prekeys (docs/protocol.md section 7): a new one after each rotation that used the last. */
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { makePrekey, signBody } from '@0fc/crypto/keys';
import { verifyPrekey } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';

export class Prekeys implements Part {
  readonly #room: RoomHandle;
  readonly #replaced: () => void;
  /** number of the newest prekey that the relay has in this session; 1 came with genesis or admit */
  #published = 1;
  /** number of a later prekey at the relay: published by the device that this one was imported from */
  #foreign = 0;
  /** the relay has refused the newest prekey: nothing is published before it has named the one that it holds */
  #refused = false;

  /** `replaced`: called when an imported device has published a prekey of its own, and may send. */
  constructor(room: RoomHandle, replaced: () => void) {
    this.#room = room;
    this.#replaced = replaced;
  }

  /**
   * The prekey that the relay holds of this member, null for the first one only. Throws RELAY_LIED, without a change,
   * where this member has not signed it: an unsigned number of the relay could be beyond every limit.
   */
  onRelayPrekey(container: Bytes | null): void {
    const { roster, core } = this.#room.state;
    const k = container === null ? 1 : numberIn(() => verifyPrekey(roster, core.me, container));
    this.#published = Math.max(1, k);
    this.#refused = false;
    if (k > newestOf(this.#room.state)) this.#foreign = k;
  }

  async next(): Promise<Due | null> {
    const { state } = this.#room;
    const due = newestOf(state);
    if (state.core.stage !== 'member' || this.#refused) return null;
    // An import replaces the prekey before it sends: the device it came from holds the private half (section 9).
    const replace = state.core.imported || this.#foreign >= due;
    if (!replace && state.core.usedK < due && this.#published >= due) return null;
    const { k, container } = await this.#room.write((draft) => this.#newest(draft, replace));
    return {
      kind: 'prekey',
      body: { prekey: container },
      done: async () => {
        this.#published = Math.max(this.#published, k);
        this.#foreign = 0;
        await this.#room.write((draft) => {
          draft.apply(set({ publishedK: Math.max(draft.core.publishedK, k), imported: false }));
        });
        if (replace) this.#replaced();
      },
      refused: (code) => {
        // The next `open` reply names the prekey of the relay, and publishing continues from there.
        this.#refused = code === ERROR_CODES.BAD_ENTRY;
        return this.#refused ? 'settled' : 'unexpected';
      },
    };
  }

  /** The prekey to publish, stored before it is: a key that a rotation uses must not be lost. */
  #newest(draft: RoomDraft, replace: boolean): { readonly k: number; readonly container: Bytes } {
    const { core } = draft;
    const newest = newestOf(draft);
    const k = replace || core.usedK >= newest ? Math.max(newest, this.#foreign) + 1 : newest;
    const known = core.prekeys.find((prekey) => prekey.k === k);
    if (known !== undefined) {
      const fields = { roomId: core.roomId, memberId: core.me, k, key: known.pair.publicKey };
      return { k, container: signBody(core.identity, 'prekey', fields) };
    }
    const made = makePrekey(core.identity, core.roomId, core.me, k);
    draft.apply(set({ prekeys: [...core.prekeys, { k, pair: made.keyPair }] }));
    return { k, container: made.container };
  }
}

const newestOf = ({ core }: RoomSnapshot): number => Math.max(...core.prekeys.map(({ k }) => k));

function numberIn(verify: () => { readonly k: number }): number {
  try {
    return verify().k;
  } catch (error) {
    const { code } = ClientError.from(error);
    throw new ClientError(
      code === ERROR_CODES.INTERNAL ? code : ERROR_CODES.RELAY_LIED,
      {},
      { cause: error },
    );
  }
}
