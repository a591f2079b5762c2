/** This member's prekeys (docs/protocol.md section 7): a new one after each rotation that used the last. */
import { ERROR_CODES, type Bytes, type PublishedPrekey } from '@0fc/protocol';
import { makePrekey, signPrekey } from '@0fc/crypto/keys';
import { checkPrekey } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';

export class Prekeys implements Part {
  readonly #room: RoomHandle;
  readonly #replaced: () => void;
  /** number of the newest prekey that the relay has in this session; 0: none, as at first, and after a loss */
  #published = 0;
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
   * The prekey that the relay holds of this member, null for none. Throws RELAY_LIED, without a change,
   * where this member has not signed it: an unsigned number of the relay could be beyond every limit.
   */
  onRelayPrekey(container: Bytes | null): void {
    // Not by the roster: who has just been admitted has not read its own admission yet.
    const { roomId, me: memberId, identity } = this.#room.state.core;
    const me = { roomId, memberId, key: identity.publicKey };
    const k = container === null ? 0 : numberIn(() => checkPrekey(me, container));
    this.#published = k;
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
    const { k, published } = await this.#room.write((draft) => this.#newest(draft, replace));
    return {
      kind: 'prekey',
      body: published,
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
  async #newest(
    draft: RoomDraft,
    replace: boolean,
  ): Promise<{ readonly k: number; readonly published: PublishedPrekey }> {
    const { core } = draft;
    const { crypto } = this.#room.platform;
    const newest = newestOf(draft);
    const k = replace || core.usedK >= newest ? Math.max(newest, this.#foreign) + 1 : newest;
    const known = core.prekeys.find((prekey) => prekey.k === k);
    const place = { identity: core.identity, roomId: core.roomId, memberId: core.me, k };
    if (known !== undefined) return { k, published: await signPrekey(crypto.hash, place, known.pair) };
    const { keyPair, ...published } = await makePrekey(crypto, place);
    draft.apply(set({ prekeys: [...core.prekeys, { k, pair: keyPair }] }));
    return { k, published };
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
