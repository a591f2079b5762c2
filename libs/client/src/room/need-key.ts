/**
 * The key of the current epoch for who has none (docs/protocol.md section 7): asked of the
 * owner, or by the owner of anybody; checked against the commitment that its rotation made.
 */
import { ALARM_CODES, equalBytes, ERROR_CODES, type Bytes, type EventBody } from '@0fc/protocol';
import { makeKeyGrant, makeNeedKey, openKeyGrant } from '@0fc/crypto/keys';
import { verifyNeedKey } from '@0fc/crypto/verify';
import { ClientError, failureOf } from '../errors.js';
import { takeProof } from './proofs.js';
import type { RoomHandle } from './handle.js';
import { alarm, system } from './items.js';
import { isPassing } from './passing.js';
import { Pump } from './pump.js';
import type { StoredItem } from './records.js';
import { openItems } from './take-message.js';
import { waitingRecords } from './take-rotation.js';

export class NeedKey {
  readonly #room: RoomHandle;
  /** the key is here: what waited for it may go out */
  readonly #granted: () => void;
  readonly #pump = new Pump(() => this.#ask());
  #asked = 0;
  /** the last request answered of each member: asked again it is answered again, and shown once */
  readonly #answered = new Map<string, Bytes>();

  constructor(room: RoomHandle, granted: () => void) {
    this.#room = room;
    this.#granted = granted;
  }

  newSession(): void {
    this.#asked = 0;
  }

  pump(): void {
    const { state, live } = this.#room;
    if (!live || state.core.stage !== 'member' || state.current.key !== null) return;
    if (this.#asked !== state.core.epoch) this.#pump.wake();
  }

  async #ask(): Promise<void> {
    const { state, serial, platform, connection } = this.#room;
    try {
      const request = await serial.run(async () => {
        const { core } = state;
        if (core.needKey?.epoch === core.epoch) return core.needKey.request;
        const { identity, roomId, me: memberId } = core;
        const made = makeNeedKey(platform.crypto, { identity, roomId, memberId });
        core.needKey = { epoch: core.epoch, request: made.container, pair: made.prekey };
        state.append(null, platform.crypto.clock.now(), [
          system('keyAsked', { numbers: { epoch: core.epoch } }),
        ]);
        await this.#room.commit();
        return made.container;
      });
      this.#asked = state.core.epoch;
      await connection.request('needKey', { request });
    } catch (error) {
      const { code } = ClientError.from(error);
      this.#asked = 0;
      // Asked again in the next session.
      if (code === ERROR_CODES.OFFLINE || isPassing(code)) return;
      this.#room.halt(failureOf(error));
    }
  }

  /** Somebody asks: answered only to who is on the roster, and is not about to be removed. */
  async onNeeded({ from, request }: EventBody<'keyNeeded'>): Promise<void> {
    const { state, serial, platform, connection } = this.#room;
    const made = await serial.run(async () => {
      const { core, roster } = state;
      const key = state.current.key;
      if (core.stage !== 'member' || key === null || from === core.me) return null;
      if (!state.isOwner && from !== roster.owner) return null;
      if (core.tasks.removals.includes(from) || core.leaving.some(({ memberId }) => memberId === from))
        return null;
      try {
        verifyNeedKey(roster, from, request);
        const news = {
          profiles: core.people.flatMap(({ memberId, proof }) =>
            proof === null || !roster.members.has(memberId) ? [] : [proof],
          ),
          roomName: core.roomName?.proof ?? null,
        };
        const { identity, epoch } = core;
        const options = { identity, roster, epoch, roomKey: key, to: from, request, news };
        return await makeKeyGrant(platform.crypto.hash, options);
      } catch (error) {
        // Not a request of that member: nothing is given, and nothing else is harmed.
        if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
        return null;
      }
    });
    if (made === null) return;
    try {
      await connection.request('keyGrant', { to: from, grant: made.grant, news: made.news });
    } catch (error) {
      const { code } = ClientError.from(error);
      // BAD_ENTRY: others have answered, or the epoch has moved, and it will be asked anew.
      if (code === ERROR_CODES.OFFLINE || code === ERROR_CODES.BAD_ENTRY || isPassing(code)) return;
      throw error;
    }
    const before = this.#answered.get(from);
    this.#answered.set(from, request);
    if (before === undefined || !equalBytes(before, request))
      await this.#show(system('keyGiven', { member: from }));
  }

  async onGranted({ from, grant, news }: EventBody<'keyGranted'>): Promise<void> {
    const { state, serial, platform } = this.#room;
    await serial.run(async () => {
      const { core, roster } = state;
      const { needKey } = core;
      const current = state.key(core.epoch);
      if (needKey?.epoch !== core.epoch || current?.key !== null) return;
      const now = platform.crypto.clock.now();
      try {
        const opened = await openKeyGrant(platform.crypto.hash, {
          roster, granter: from, memberId: core.me, expectedKeyHash: current.keyHash, epoch: core.epoch,
          request: needKey.request, prekey: needKey.pair, grant, news,
        }); // prettier-ignore
        core.keys = core.keys.map((known) =>
          known.epoch === core.epoch ? { ...known, key: opened.key } : known,
        );
        core.needKey = null;
        for (const proof of opened.news.profiles) takeProof(state, proof);
        if (opened.news.roomName !== null) takeProof(state, opened.news.roomName);
        this.#openWaiting();
        state.append(null, now, [system('keyGranted', { actor: from, numbers: { epoch: core.epoch } })]);
      } catch (error) {
        const { code } = ClientError.from(error);
        if (code === ERROR_CODES.INTERNAL) throw error;
        const wrong = code === ERROR_CODES.BAD_KEY;
        if (wrong) state.append(null, now, [alarm(ALARM_CODES.ALARM_WRONG_KEY, from, { epoch: core.epoch })]);
      }
      await this.#room.commit();
    });
    this.#granted();
  }

  /** Messages that came before their key, in their places. */
  #openWaiting(): void {
    const { state } = this.#room;
    for (const { index, items } of waitingRecords(state)) {
      state.replaceItems(
        index,
        items.flatMap((item): readonly StoredItem[] =>
          item.type === 'sealed' ? openItems(state, item.entry, item.before) : [item],
        ),
      );
    }
  }

  async #show(item: StoredItem): Promise<void> {
    const { state, serial, platform } = this.#room;
    await serial.run(async () => {
      state.append(null, platform.crypto.clock.now(), [item]);
      await this.#room.commit();
    });
  }
}
