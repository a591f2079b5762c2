/**
 * Requests and grants of the key of the current epoch (docs/protocol.md section 7). A member without it asks the
 * owner; the owner asks any member. The key is checked against the commitment of its rotation.
 */
import {
  ALARM_CODES,
  equalBytes,
  ERROR_CODES,
  type Bytes,
  type EventBody,
  type MemberId,
  type RequestBody,
} from '@0fc/protocol';
import { makeKeyGrant, makeNeedKey, openKeyGrant } from '@0fc/crypto/keys';
import { verifyNeedKey } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Part } from '../outgoing/part.js';
import { alarm, system } from '../log/items.js';
import { decryptMessage } from '../log/message.js';
import { applyForwardedName } from '../log/profiles.js';
import { waitingRecords } from '../log/rotation.js';
import { append, replaceItems, set, type RoomDraft } from '../state/draft.js';
import type { StoredItem } from '../../vault/records.js';

/** Number of different requests of one member that are granted in one epoch. */
const GRANTS_AN_EPOCH = 3;

export class KeyRequests implements Part {
  readonly #room: RoomHandle;
  /** epoch of which this client has requested the key in this session */
  #asked = 0;
  /** the last request of each member that has to be granted */
  readonly #needed = new Map<MemberId, Bytes>();
  /** the granted requests of this epoch, by member, and whether the grant was shown */
  readonly #answered = new Map<MemberId, { readonly request: Bytes; shown: boolean }[]>();
  #answeredIn = 0;

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  newSession(): void {
    this.#asked = 0;
  }

  async next(): Promise<Due | null> {
    return (await this.#request()) ?? (await this.#grant());
  }

  /** Every refusal that an honest relay gives can be retried. */
  async #request(): Promise<Due | null> {
    const { state, platform } = this.#room;
    const { stage, epoch } = state.core;
    if (stage !== 'member' || state.current.key !== null || this.#asked === epoch) return null;
    const request = await this.#room.write((draft) => {
      const { core } = draft;
      if (core.needKey?.epoch === core.epoch) return core.needKey.request;
      const { identity, roomId, me: memberId } = core;
      const made = makeNeedKey(platform.crypto, { identity, roomId, memberId });
      draft.apply(
        set({ needKey: { epoch: core.epoch, request: made.container, pair: made.prekey } }),
        append(null, platform.crypto.clock.now(), [system('keyAsked', { numbers: { epoch: core.epoch } })]),
      );
      return made.container;
    });
    return {
      kind: 'needKey',
      body: { request },
      done: () => {
        this.#asked = epoch;
      },
    };
  }

  /** A member requests the key: it is granted as soon as the relay accepts the grant. */
  onNeeded({ from, request }: EventBody<'keyNeeded'>): void {
    // The relay may name anybody: only members are remembered.
    if (!this.#room.state.roster.members.has(from)) return;
    this.#needed.set(from, request);
    this.#room.signal();
  }

  /** The next grant, to a member that is on the roster and about to stay there at the moment of sending. */
  async #grant(): Promise<Due | null> {
    for (const [from, request] of this.#needed) {
      // A client without the key grants it once it has one.
      if (this.#room.state.current.key === null) return null;
      const body = await this.#room.state.serial.enqueue(() => this.#makeGrant(from, request));
      const settle = (): void => {
        if (this.#needed.get(from) === request) this.#needed.delete(from);
      };
      if (body === null) {
        settle();
        continue;
      }
      return {
        kind: 'keyGrant',
        body,
        done: async () => {
          settle();
          await this.#showGiven(from, request);
        },
        refused: (code) => {
          // Another member has granted it, or the epoch has changed, and the member will ask again.
          if (code !== ERROR_CODES.BAD_ENTRY) return 'unexpected';
          settle();
          return 'settled';
        },
      };
    }
    return null;
  }

  async #makeGrant(from: MemberId, request: Bytes): Promise<RequestBody<'keyGrant'> | null> {
    const { state, platform } = this.#room;
    const { core, roster } = state;
    const { key } = state.current;
    if (core.stage !== 'member' || key === null || from === core.me) return null;
    if (!state.isOwner && from !== roster.owner) return null;
    if (core.tasks.removals.includes(from) || core.leaving.some(({ memberId }) => memberId === from))
      return null;
    try {
      verifyNeedKey(roster, from, request);
      if (!this.#countAnswer(from, request)) return null;
      const news = {
        profiles: core.people.flatMap(({ memberId, proof }) =>
          proof === null || !roster.members.has(memberId) ? [] : [proof],
        ),
        roomName: core.roomName?.proof ?? null,
      };
      const { identity, epoch } = core;
      const options = { identity, roster, epoch, roomKey: key, to: from, request, news };
      const made = await makeKeyGrant(platform.crypto.hash, options);
      return { to: from, grant: made.grant, news: made.news };
    } catch (error) {
      // The request is not signed by that member: nothing is granted.
      if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
      return null;
    }
  }

  async #showGiven(from: MemberId, request: Bytes): Promise<void> {
    const answer = this.#answered.get(from)?.find((known) => equalBytes(known.request, request));
    if (answer === undefined || answer.shown) return;
    answer.shown = true;
    const { me: actor, epoch } = this.#room.state.core;
    const item = system('keyGiven', { actor, member: from, numbers: { epoch } });
    const now = this.#room.platform.crypto.clock.now();
    await this.#room.write((draft) => {
      draft.apply(append(null, now, [item]));
    });
  }

  /**
   * Counts a grant. An honest member asks once; a member that asks again and again, or that the relay claims to, gets
   * a few grants per epoch. False: no more. The same request is granted again.
   */
  #countAnswer(from: MemberId, request: Bytes): boolean {
    const { epoch } = this.#room.state.core;
    if (this.#answeredIn !== epoch) {
      this.#answeredIn = epoch;
      this.#answered.clear();
    }
    const answers = this.#answered.get(from) ?? [];
    this.#answered.set(from, answers);
    if (answers.some((known) => equalBytes(known.request, request))) return true;
    if (answers.length >= GRANTS_AN_EPOCH) return false;
    answers.push({ request, shown: false });
    return true;
  }

  async onGranted({ from, grant, news }: EventBody<'keyGranted'>): Promise<void> {
    const { platform } = this.#room;
    await this.#room.write(async (draft) => {
      const { core, roster } = draft;
      const { needKey } = core;
      const current = draft.key(core.epoch);
      if (needKey?.epoch !== core.epoch || current?.key !== null) return;
      const now = platform.crypto.clock.now();
      try {
        const opened = await openKeyGrant(platform.crypto.hash, {
          roster, granter: from, memberId: core.me, expectedKeyHash: current.keyHash, epoch: core.epoch,
          request: needKey.request, prekey: needKey.pair, grant, news,
        }); // prettier-ignore
        const keys = core.keys.map((known) =>
          known.epoch === core.epoch ? { ...known, key: opened.key } : known,
        );
        draft.apply(set({ keys, needKey: null }));
        for (const proof of opened.news.profiles) applyForwardedName(draft, proof);
        if (opened.news.roomName !== null) applyForwardedName(draft, opened.news.roomName);
        decryptWaiting(draft);
        draft.apply(
          append(null, now, [system('keyGranted', { actor: from, numbers: { epoch: core.epoch } })]),
        );
      } catch (error) {
        const { code } = ClientError.from(error);
        if (code === ERROR_CODES.INTERNAL) throw error;
        const wrong = code === ERROR_CODES.BAD_KEY;
        if (!wrong) return;
        draft.apply(append(null, now, [alarm(ALARM_CODES.ALARM_WRONG_KEY, from, { epoch: core.epoch })]));
      }
    });
    this.#room.signal();
  }
}

/** Decrypts messages that waited for their key, each at its position. */
function decryptWaiting(draft: RoomDraft): void {
  for (const { index, items } of waitingRecords(draft)) {
    const opened = items.flatMap((item): readonly StoredItem[] =>
      item.type === 'sealed' ? decryptMessage(draft, item.entry, item.before) : [item],
    );
    draft.apply(replaceItems(index, opened));
  }
}
