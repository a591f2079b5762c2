/** The joins of an open vault, at most one into each room (docs/protocol.md section 5). */
import { ERROR_CODES, PROTOCOL_VERSION, type Bytes, type RoomId } from '@0fc/protocol';
import type { Failure, InvitePreview } from '../contract/api.js';
import { ClientError } from '../contract/errors.js';
import { identitiesOfJoin, newJoin } from './join-record.js';
import { previewOf, readInvite } from './invite-text.js';
import type { Platform } from '../contract/ports.js';
import type { RelayPin } from './relay-pin.js';
import { stopWhile, newMembership } from './room-acts.js';
import { Join } from './joining/joiner.js';
import type { Room } from '../room/room.js';
import { encodeRecord, joinRecord, membershipOf, STORES, type JoinRecord } from '../vault/records.js';
import type { RoomState } from '../room/state/state.js';
import type { Vault } from '../vault/vault.js';

export interface JoinsOptions {
  readonly platform: Platform;
  readonly vault: Vault;
  readonly url: string;
  readonly pin: RelayPin;
  /** as a connection asks it, of the key that it was made with */
  readonly otherKey: (key: Bytes) => Promise<Failure>;
  readonly isOpen: () => boolean;
  /** instance of this vault: it distinguishes the counters of different vaults */
  readonly instance: () => Bytes;
  readonly changed: () => void;
  /** the room is in the vault and takes over */
  readonly admitted: (state: RoomState) => void;
}

/** Why a join by an invite of an earlier version connects nowhere; null for one of this version. */
const outdatedInvite = ({ version }: JoinRecord): Failure | null =>
  version === PROTOCOL_VERSION ? null : { code: ERROR_CODES.INVITE_OUTDATED, params: { version } };

export class Joins {
  readonly #options: JoinsOptions;
  /** by the id of the membership that each is to become */
  readonly #joins = new Map<string, Join>();

  constructor(options: JoinsOptions) {
    this.#options = options;
  }

  get all(): readonly Join[] {
    return [...this.#joins.values()];
  }

  #into(roomId: RoomId): Join | undefined {
    return this.all.find(({ record }) => record.roomId === roomId);
  }

  /** Rejects with INVITE_EXPIRED, and as {@link readInvite}. */
  async preview(text: string): Promise<InvitePreview> {
    const { platform, vault, url, pin } = this.#options;
    const { hash, clock } = platform.crypto;
    const link = await readInvite(hash, text, url, clock.now());
    const running = this.#into(link.roomId)?.record;
    const resumes = running?.inviteId === link.inviteId ? membershipOf(running) : null;
    // Reported before the user types anything; a join that was claimed in time continues.
    if (resumes === null && link.expires < clock.now()) {
      throw new ClientError(ERROR_CODES.INVITE_EXPIRED, { expires: link.expires });
    }
    const matches = pin.pin !== null && (await pin.recognises(vault, link.relay));
    return previewOf(hash, link, { pin: pin.pin, matches }, resumes);
  }

  /** Begins a join, or goes on with the one by the same invite, under the same keys. `damaged`: by membership, as `rooms`. */
  async join(
    text: string,
    name: string,
    rooms: ReadonlyMap<string, Room>,
    damaged: ReadonlyMap<string, unknown>,
  ): Promise<{ readonly roomId: string }> {
    const { platform, vault, url, pin, changed } = this.#options;
    const { hash, clock } = platform.crypto;
    const link = await readInvite(hash, text, url, clock.now());
    const { inviteId, relay, expires } = link;
    const running = this.#into(link.roomId);
    if (running?.record.inviteId === inviteId) {
      running.resume();
      return { roomId: membershipOf(running.record) };
    }
    const roomId = newMembership(rooms, damaged, link.roomId);
    if (running !== undefined) {
      if (running.record.failure === null) throw new ClientError(ERROR_CODES.JOIN_IN_PROGRESS);
      await this.abandon(membershipOf(running.record));
    }
    if (expires < clock.now()) throw new ClientError(ERROR_CODES.INVITE_EXPIRED, { expires });
    await pin.require(vault, relay);
    const record = await newJoin(platform.crypto, link, name, roomId);
    // Stored before anything is sent: a reload goes on with the same key.
    await vault.write([{ store: STORES.joins, key: roomId, value: encodeRecord(joinRecord, record) }]);
    await this.start(record);
    changed();
    return { roomId };
  }

  /** Deletes its keys and token. Does nothing for a join that is not there. */
  async abandon(roomId: string): Promise<void> {
    const { vault, isOpen, changed } = this.#options;
    const join = this.#joins.get(roomId);
    if (join === undefined) return;
    await stopWhile(join, isOpen, () => vault.write([{ store: STORES.joins, key: roomId, value: null }]));
    this.#joins.delete(roomId);
    changed();
  }

  /** With the relay key that is pinned by now. */
  async restart(which: (join: Join) => boolean): Promise<void> {
    for (const join of this.all) {
      if (!which(join) || outdatedInvite(join.record) !== null) continue;
      await join.stop();
      const roomId = membershipOf(join.record);
      // It may have been given up meanwhile.
      if (this.#options.isOpen() && this.#joins.get(roomId) === join) await this.start(join.record);
    }
  }

  /** Of a record that is in the vault. */
  async start(record: JoinRecord): Promise<void> {
    const { platform, vault, url, pin, otherKey, instance, changed, admitted } = this.#options;
    const roomId = membershipOf(record);
    const { key } = pin;
    const join = new Join(
      {
        platform,
        vault,
        url,
        relayKey: key,
        otherKey: () => otherKey(key),
        barred: outdatedInvite(record) ?? pin.failure(record.relay),
        instance: instance(),
        changed,
        admitted: (state) => {
          this.#joins.delete(roomId);
          admitted(state);
        },
      },
      record,
      await identitiesOfJoin(platform.crypto.hash, record),
    );
    this.#joins.set(roomId, join);
    join.start();
  }
}
