/**
 * Requests and grants of the key of the current epoch (docs/protocol.md section 7). A member without it asks the
 * owner; the owner asks any member. A request names the epoch and the rotation that began it, so that no recorded one
 * gets a later key; the same one gets the same bytes again. The key is checked against the commitment of its rotation.
 */
import {
  ALARM_CODES,
  equalBytes,
  ERROR_CODES,
  type Bytes,
  type EventBody,
  type MemberId,
  LIMITS,
  type KeyGrantNews,
  type RequestBody,
} from '@0fc/protocol';
import { makeKeyGrant, makeKeyRequest, openKeyGrant, type Random } from '@0fc/crypto/keys';
import { bodyHash, type Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomHandle, Due, Later, Part } from '../outgoing/part.js';
import { NotLoaded, type Wanted } from '../state/not-loaded.js';
import { failed } from '../log/entry.js';
import { eraseAfter } from '../log/erase.js';
import { alarm, system } from '../log/items.js';
import { decryptMessage } from '../log/message.js';
import { applyForwardedName } from '../log/profiles.js';
import { needsNewer } from '../log/room-keys.js';
import { waitingRecords } from '../log/rotation.js';
import { append, replaceItems, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import { STORES, type RoomCore, type StoredItem } from '../../vault/records.js';

type NeedKey = NonNullable<RoomCore['needKey']>;

/** Number of different requests of one member that are granted in one epoch. */
const GRANTS_AN_EPOCH = 3;
/** How long a member waits at most before it answers the owner, so that not all of them do: milliseconds. */
const ANSWER_WITHIN_MS = 3_000;

export class KeyRequests implements Part {
  readonly #room: RoomHandle;
  /** epoch of which this client has requested the key in this session */
  #asked = 0;
  /** a grant that failed has had this client ask once more in this session */
  #askedAgain = false;
  /** the last request of each member that has to be granted, and when (Unix ms) */
  readonly #needed = new Map<MemberId, { readonly request: Bytes; readonly due: number }>();

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  newSession(): void {
    this.#asked = 0;
    this.#askedAgain = false;
  }

  async next(): Promise<Due | Later | null> {
    return (await this.#request()) ?? (await this.#grant());
  }

  /** Every refusal that an honest relay gives can be retried. */
  async #request(): Promise<Due | null> {
    const { state, platform } = this.#room;
    const { stage, epoch } = state.core;
    if (stage !== 'member' || state.current.key !== null || this.#asked === epoch) return null;
    const request = await this.#room.write(async (draft) => {
      const { core } = draft;
      if (core.needKey?.epoch === core.epoch) return core.needKey.request;
      const now = platform.crypto.clock.now();
      const needKey = await this.#makeRequest(draft, now, []);
      draft.apply(
        set({ needKey }),
        append(null, now, [system('keyAsked', { numbers: { epoch: core.epoch } })]),
      );
      return needKey.request;
    });
    return {
      kind: 'needKey',
      body: { request },
      done: () => {
        this.#asked = epoch;
      },
    };
  }

  /** A request under a fresh prekey. `failed`: whose grants to the ones before did not open. */
  async #makeRequest(draft: RoomDraft, now: number, failed: readonly MemberId[]): Promise<NeedKey> {
    const { identity, roomId, me: memberId, epoch } = draft.core;
    const rotation = await beginOfEpoch(this.#room.platform.crypto.hash, draft);
    const made = makeKeyRequest(this.#room.platform.crypto, {
      identity,
      roomId,
      memberId,
      epoch,
      rotation,
      failed,
    });
    return { epoch, request: made.container, pair: made.prekey, since: now, failed: [...failed] };
  }

  /** A member requests the key: it is granted as soon as the relay accepts the grant. */
  onNeeded({ from, request }: EventBody<'keyNeeded'>): void {
    const { state, platform } = this.#room;
    // The relay may name anybody: only members are remembered.
    if (!state.roster.members.has(from)) return;
    const known = this.#needed.get(from);
    if (known !== undefined && equalBytes(known.request, request)) return;
    const wait = state.isOwner ? 0 : jitter(platform.crypto.random, ANSWER_WITHIN_MS);
    this.#needed.set(from, { request, due: platform.crypto.clock.now() + wait });
    this.#room.signal();
  }

  /** The next grant, to a member that is on the roster and about to stay there at the moment of sending. */
  async #grant(): Promise<Due | Later | null> {
    let afterMs = Infinity;
    for (const [from, needed] of this.#needed) {
      const { request, due } = needed;
      // A client without the key grants it once it has one.
      if (this.#room.state.current.key === null) return null;
      const wait = due - this.#room.platform.crypto.clock.now();
      if (wait > 0) {
        afterMs = Math.min(afterMs, wait);
        continue;
      }
      const body = await this.#makeGrant(from, request);
      const settle = (): void => {
        if (this.#needed.get(from) === needed) this.#needed.delete(from);
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
          // Another member’s answer stands, or the epoch has changed, and the member will ask again.
          if (code !== ERROR_CODES.BAD_ENTRY) return 'unexpected';
          settle();
          return 'settled';
        },
      };
    }
    return afterMs === Infinity ? null : { afterMs };
  }

  /** Null: none is given. The grant is stored before it is sent: the same request gets the same bytes, after a restart too. */
  async #makeGrant(from: MemberId, request: Bytes): Promise<RequestBody<'keyGrant'> | null> {
    const { platform } = this.#room;
    return this.#room.write(async (draft) => {
      const { core, roster, current } = draft;
      if (core.stage !== 'member' || current.key === null || from === core.me || needsNewer(draft))
        return null;
      if (!draft.isOwner && from !== roster.owner) return null;
      if (core.tasks.removals.includes(from) || core.leaving.some(({ memberId }) => memberId === from))
        return null;
      try {
        const { hash } = platform.crypto;
        const id = await bodyHash(hash, request);
        const answers = core.granted.filter(({ memberId }) => memberId === from);
        const known = answers.find((answer) => equalBytes(answer.request, id));
        // An honest member asks once; one that asks again and again, or that the relay claims to, gets a few.
        if (known === undefined && answers.length >= GRANTS_AN_EPOCH) return null;
        const { identity, epoch } = core;
        const { grant, news } = await makeKeyGrant(platform.crypto, {
          identity, roster, epoch, roomKey: current.key, to: from, request, news: newsOf(draft),
          rotation: await beginOfEpoch(hash, draft), given: known?.grant,
        }); // prettier-ignore
        if (known === undefined)
          draft.apply(
            set({ granted: [...core.granted, { memberId: from, request: id, grant, shown: false }] }),
          );
        return { to: from, grant, news };
      } catch (error) {
        // Not signed by that member, of another epoch, or what failed before: nothing is granted.
        if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
        return null;
      }
    });
  }

  async #showGiven(from: MemberId, request: Bytes): Promise<void> {
    const { clock, hash } = this.#room.platform.crypto;
    const id = await bodyHash(hash, request);
    await this.#room.write((draft) => {
      const { me: actor, epoch, granted } = draft.core;
      const isThis = (answer: { readonly memberId: MemberId; readonly request: Bytes }): boolean =>
        answer.memberId === from && equalBytes(answer.request, id);
      if (!granted.some((answer) => isThis(answer) && !answer.shown)) return;
      draft.apply(
        set({ granted: granted.map((answer) => (isThis(answer) ? { ...answer, shown: true } : answer)) }),
        append(null, clock.now(), [system('keyGiven', { actor, member: from, numbers: { epoch } })]),
      );
    });
  }

  async onGranted({ from, grant, news }: EventBody<'keyGranted'>): Promise<void> {
    const { platform } = this.#room;
    await this.#room.write(async (draft) => {
      const { core, roster } = draft;
      const { needKey } = core;
      const current = draft.key(core.epoch);
      if (needKey?.epoch !== core.epoch || current?.key !== null) return;
      // Whose grant failed does not answer: one that is quick would keep every other answer out of date.
      if (needKey.failed.includes(from)) return;
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
        const { profiles, roomName } = opened.news ?? { profiles: [], roomName: null };
        for (const proof of roomName === null ? profiles : [...profiles, roomName])
          applyForwardedName(draft, proof);
        decryptWaiting(draft);
        draft.apply(
          append(null, now, [system('keyGranted', { actor: from, numbers: { epoch: core.epoch } })]),
        );
      } catch (error) {
        const { code } = ClientError.from(error);
        if (code === ERROR_CODES.INTERNAL) throw error;
        // Nobody is blamed for what the relay can make: only for a key that the granter itself signed.
        if (code !== ERROR_CODES.BAD_KEY) return;
        // A member has nobody to ask but the owner, who is asked again.
        const failed = draft.isOwner
          ? [...new Set([...needKey.failed, from])].slice(-LIMITS.failedGranters)
          : [];
        draft.apply(
          set({ needKey: await this.#makeRequest(draft, needKey.since, failed) }),
          append(null, now, [alarm(ALARM_CODES.ALARM_WRONG_KEY, from, { epoch: core.epoch })]),
        );
        // Once more in this session; a changed owner could have it ask without a pause.
        if (draft.isOwner || !this.#askedAgain) this.#asked = 0;
        this.#askedAgain = true;
      }
    });
    this.#room.signal();
  }
}

/** What a new holder of the key is told beside it. */
const newsOf = ({ core, roster }: RoomSnapshot): KeyGrantNews => ({
  profiles: core.people.flatMap(({ memberId, proof }) =>
    proof === null || !roster.members.has(memberId) ? [] : [proof],
  ),
  roomName: core.roomName?.proof ?? null,
});

/** Body hash of the rotation that began the epoch, of genesis in the first. */
async function beginOfEpoch(hash: Hash, { current, chain }: RoomSnapshot): Promise<Bytes> {
  const begin = current.rotation ?? chain.get(0);
  if (begin === undefined) throw new ClientError(ERROR_CODES.VAULT_DAMAGED, { store: STORES.chain });
  return bodyHash(hash, begin);
}

/** A whole number of milliseconds below `most`. */
function jitter(random: Random, most: number): number {
  const [high = 0, low = 0] = random.bytes(2);
  return Math.floor(((high * 256 + low) / 65_536) * most);
}

/**
 * Decrypts messages that waited for their key, each at its position. One that cannot be kept costs itself alone. Throws NotLoaded for
 * all that any of them asks for: one by one, each would have all of them decrypted anew.
 */
function decryptWaiting(draft: RoomDraft): void {
  const wanted: Wanted[] = [];
  for (const { index, items, at } of waitingRecords(draft)) {
    const one = draft.fork();
    try {
      const opened = items.flatMap((item): readonly StoredItem[] =>
        item.type === 'sealed' ? decryptMessage(one, item.entry, item.before) : [item],
      );
      one.apply(replaceItems(index, opened));
      eraseAfter(one, opened);
      // Encoded here, and not later with the key.
      one.records();
      draft.apply(...one.changes);
    } catch (error) {
      if (error instanceof NotLoaded) {
        wanted.push(error.wanted);
        continue;
      }
      if (at === null) throw error;
      draft.apply(replaceItems(index, [failed(error, at.position, at.t)]));
    }
  }
  if (wanted.length > 0) throw new NotLoaded({ kind: 'several', wanted });
}
