/** An open vault at work: its rooms and joins, live, and the views of them. */
import {
  equalBytes, ERROR_CODES, parse, random16, type Bytes, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { fingerprintOf } from '@0fc/crypto/verify';
import { makeJoinRequest, parseInvite } from '@0fc/crypto/keys';
import type { AppView, ClientEvent, CreateRoomOptions, InvitePreview, TimelineItem } from './api.js';
import type { ClientOptions } from './options.js';
import { ClientError } from './errors.js';
import type { Platform } from './ports.js';
import { hashFingerprint, RelayPin } from './relay-pin.js';
import { createRoom } from './room/begin.js';
import { Join } from './room/joiner.js';
import { decodeRecord, encodeRecord, joinRecord, STORES, type JoinRecord } from './room/records.js';
import { Room } from './room/room.js';
import { HISTORY_DEFAULT, RoomState } from './room/state.js';
import { itemsOf, pendingItems, roomViewOf, summaryOf } from './view.js';
import type { Vault } from './vault.js';

const MAX_MEMBERS = 256;
const JOIN_DEADLINE_MS = 86_400_000;
/** Views are made at most this often: a catch-up of hundreds of entries is told in a few steps. */
const VIEW_MS = 30;

type Tell = (event: ClientEvent | { readonly type: 'changed' }) => void;

export class Session {
  readonly #platform: Platform;
  readonly #vault: Vault;
  readonly #options: ClientOptions;
  readonly #tell: Tell;
  readonly #pin: RelayPin;
  readonly #rooms = new Map<string, Room>();
  readonly #joins = new Map<string, Join>();
  /** by member id or, for a join that waits for approval, by invite id */
  readonly #fingerprints = new Map<string, string>();
  #instance: Bytes = new Uint8Array(16);
  #watched: string | null = null;
  #reset = true;
  #shownPending = new Set<string>();
  #namesShown = '';
  #due: (() => void) | null = null;
  #closed = false;

  private constructor(platform: Platform, vault: Vault, options: ClientOptions, tell: Tell) {
    this.#platform = platform;
    this.#vault = vault;
    this.#options = options;
    this.#tell = tell;
    this.#pin = new RelayPin(platform, () => options.fetchRelayKey());
  }

  static async open(platform: Platform, vault: Vault, options: ClientOptions, tell: Tell): Promise<Session> {
    const session = new Session(platform, vault, options, tell);
    await session.#loadInstance();
    await session.#pin.load(vault, options.relayPublicKey);
    for (const { key } of await vault.list(STORES.rooms)) {
      const state = await RoomState.load(vault, key as RoomId, platform.crypto.hash);
      if (state !== null) session.#startRoom(state);
    }
    for (const { value } of await vault.list(STORES.joins)) {
      await session.#startJoin(decodeRecord(joinRecord, value));
    }
    return session;
  }

  /** Random, new for each vault (section 6): counters of another instance are told apart. */
  async #loadInstance(): Promise<void> {
    const known = await this.#vault.get(STORES.app, 'instance');
    this.#instance = known === null ? this.#platform.crypto.random.bytes(16) : parse(random16, known);
    if (known === null)
      await this.#vault.write([{ store: STORES.app, key: 'instance', value: this.#instance }]);
  }

  room(roomId: string): Room {
    const room = this.#rooms.get(roomId);
    if (room === undefined) throw new ClientError(ERROR_CODES.ROOM_UNKNOWN);
    return room;
  }

  async createRoom(options: CreateRoomOptions): Promise<{ readonly roomId: string }> {
    const pin = await this.#pin.require(this.#vault, null);
    const relay = { url: this.#options.relayUrl, key: pin.key };
    const state = await createRoom(this.#platform, this.#vault, relay, {
      settings: {
        rotateEvery: options.rotateEvery,
        maxMembers: MAX_MEMBERS,
        history: HISTORY_DEFAULT,
        approval: options.approval,
        joinDeadline: JOIN_DEADLINE_MS,
      },
      name: options.name,
      displayName: options.displayName,
      instance: this.#instance,
    });
    await state.commit();
    this.#startRoom(state);
    return { roomId: state.core.roomId };
  }

  async previewInvite(text: string): Promise<InvitePreview> {
    const link = await this.#readInvite(text);
    const resumes = this.#joins.get(link.roomId)?.record.inviteId === link.inviteId;
    // Said before anything is typed or sent; a join that was claimed in time goes on.
    if (!resumes && link.expires < this.#platform.crypto.clock.now()) {
      throw new ClientError(ERROR_CODES.INVITE_EXPIRED, { expires: link.expires });
    }
    const { pin } = this.#pin;
    const matches = pin !== null && equalBytes(pin.hash, link.relay);
    return {
      roomId: link.roomId,
      ownerFingerprint: await fingerprintOf(this.#platform.crypto.hash, link.ownerKey),
      relayFingerprint: hashFingerprint(link.relay),
      relayPin: pin === null ? 'new' : matches ? 'matches' : 'differs',
      pinnedFingerprint: pin?.fingerprint ?? null,
      expires: link.expires,
      resumes,
    };
  }

  /** A link of another origin cannot be joined from here: its relay is another one. */
  async #readInvite(text: string): ReturnType<typeof parseInvite> {
    const origin = /^\s*(https?:\/\/[^/\s#]+)/i.exec(text)?.[1]?.toLowerCase();
    const link = await parseInvite(this.#platform.crypto.hash, text);
    if (origin !== undefined && origin !== this.#options.relayUrl.toLowerCase()) {
      throw new ClientError(ERROR_CODES.INVITE_OTHER_DEPLOYMENT);
    }
    return link;
  }

  async join(text: string, name: string): Promise<{ readonly roomId: string }> {
    const link = await this.#readInvite(text);
    const { roomId, inviteId, ownerKey, relay, expires, token } = link;
    if (this.#rooms.has(roomId)) throw new ClientError(ERROR_CODES.ALREADY_MEMBER);
    const running = this.#joins.get(roomId);
    if (running !== undefined) {
      if (running.record.failure === null) {
        if (running.record.inviteId === inviteId) return { roomId };
        throw new ClientError(ERROR_CODES.JOIN_IN_PROGRESS);
      }
      await this.abandonJoin(roomId);
    }
    if (expires < this.#platform.crypto.clock.now())
      throw new ClientError(ERROR_CODES.INVITE_EXPIRED, { expires });
    await this.#pin.require(this.#vault, relay);
    const made = await makeJoinRequest(this.#platform.crypto, { link, name });
    const record: JoinRecord = {
      version: 1, roomId, inviteId, ownerKey, relay, expires, name, token, identity: made.identity, joinKey: made.joinKey,
      prekey: { pair: made.prekey, container: made.prekeyContainer }, request: made.payload, reply: null, confirm: null,
      done: [], failure: null,
    }; // prettier-ignore
    // Stored before anything is sent: a reload goes on with the same key.
    await this.#vault.write([{ store: STORES.joins, key: roomId, value: encodeRecord(joinRecord, record) }]);
    await this.#startJoin(record);
    this.#changed();
    return { roomId };
  }

  async abandonJoin(roomId: string): Promise<void> {
    const join = this.#joins.get(roomId);
    if (join === undefined) return;
    await join.stop();
    this.#joins.delete(roomId);
    await this.#vault.write([{ store: STORES.joins, key: roomId, value: null }]);
    this.#changed();
  }

  watch(roomId: string | null): void {
    if (roomId !== null) this.room(roomId);
    this.#watched = roomId;
    this.#reset = true;
    this.#changed();
  }

  async markRead(roomId: string): Promise<void> {
    const room = this.room(roomId);
    await room.serial.run(async () => {
      const { core } = room.state;
      if (core.readIndex === core.nextIndex) return;
      core.readIndex = core.nextIndex;
      await room.commit();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#due?.();
    await Promise.all([...this.#rooms.values(), ...this.#joins.values()].map((live) => live.stop()));
    await this.#vault.close();
  }

  view(): Omit<AppView, 'vault'> {
    const rooms = [...this.#rooms.values()].map(summaryOf).sort((a, b) => b.time - a.time);
    const joins = [...this.#joins.values()].map((join) => join.view());
    const states = [...rooms, ...joins].map((live) => live.connection);
    const worst =
      (['stopped', 'offline', 'connecting'] as const).find((state) => states.includes(state)) ?? 'connected';
    const { pin } = this.#pin;
    return {
      relay: { fingerprint: pin?.fingerprint ?? null, pinnedBy: pin?.by ?? null, state: worst },
      rooms,
      joins,
    };
  }

  #startRoom(state: RoomState): Room {
    const { pin } = this.#pin;
    if (pin === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
    const room = new Room(
      {
        platform: this.#platform,
        url: this.#options.relayUrl,
        relayKey: pin.key,
        changed: () => {
          this.#changed();
        },
      },
      state,
    );
    this.#rooms.set(state.core.roomId, room);
    if (state.core.stage === 'member') room.start();
    this.#changed();
    return room;
  }

  async #startJoin(record: JoinRecord): Promise<void> {
    const { hash } = this.#platform.crypto;
    const pin = await this.#pin.require(this.#vault, record.relay);
    const join = new Join(
      {
        platform: this.#platform,
        vault: this.#vault,
        url: this.#options.relayUrl,
        relayKey: pin.key,
        instance: this.#instance,
        changed: () => {
          this.#changed();
        },
        admitted: (state) => {
          this.#joins.delete(record.roomId);
          this.#startRoom(state);
        },
      },
      record,
      {
        ownerFingerprint: await fingerprintOf(hash, record.ownerKey),
        myFingerprint: await fingerprintOf(hash, record.identity.publicKey),
        relayFingerprint: hashFingerprint(record.relay),
      },
    );
    this.#joins.set(record.roomId, join);
    join.start();
  }

  /** Coalesces: whatever changed is told once, shortly after. */
  #changed(): void {
    if (this.#closed) return;
    this.#due ??= this.#platform.timers.after(VIEW_MS, () => {
      this.#due = null;
      void this.#show();
    });
  }

  async #show(): Promise<void> {
    await this.#learnFingerprints();
    if (this.#closed) return;
    this.#tell({ type: 'changed' });
    const room = this.#watched === null ? undefined : this.#rooms.get(this.#watched);
    if (room === undefined) return;
    this.#tell({ type: 'room', room: roomViewOf(room, this.#fingerprints) });
    this.#showTimeline(room);
  }

  #showTimeline(room: Room): void {
    const { state } = room;
    const names = JSON.stringify(state.core.people.map(({ memberId, name }) => [memberId, name]));
    // A name that changed shows in every line that names its owner.
    const reset = this.#reset || names !== this.#namesShown;
    const touched = reset ? state.log : [...state.touched].flatMap((index) => state.log[index] ?? []);
    state.touched.clear();
    const waiting = pendingItems(room, this.#fingerprints);
    const items: TimelineItem[] = [
      ...touched.flatMap((record) => itemsOf(room, record, this.#fingerprints)),
      ...waiting,
    ];
    const pending = new Set(waiting.map(({ id }) => id));
    const present = new Set(items.map(({ id }) => id));
    const removed = [...this.#shownPending].filter((id) => !pending.has(id) && !present.has(id) && !reset);
    this.#shownPending = pending;
    this.#reset = false;
    this.#namesShown = names;
    if (reset || items.length > 0 || removed.length > 0) {
      this.#tell({ type: 'timeline', roomId: state.core.roomId, reset, items, removed });
    }
  }

  async #learnFingerprints(): Promise<void> {
    const { hash } = this.#platform.crypto;
    for (const { state } of this.#rooms.values()) {
      for (const { memberId, key } of state.roster.members.values()) {
        if (!this.#fingerprints.has(memberId))
          this.#fingerprints.set(memberId, await fingerprintOf(hash, key));
      }
      for (const [memberId, { key }] of state.roster.former) {
        if (!this.#fingerprints.has(memberId))
          this.#fingerprints.set(memberId, await fingerprintOf(hash, key));
      }
      for (const { inviteId, joiner } of state.invites.values()) {
        if (joiner !== null) this.#fingerprints.set(inviteId, await fingerprintOf(hash, joiner.key));
      }
    }
  }
}
