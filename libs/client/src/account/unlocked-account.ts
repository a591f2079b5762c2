/** An open vault at work: its rooms and joins, live, and the views of them. */
import { equalBytes, ERROR_CODES, type Bytes } from '@0fc/protocol';
import type {
  AppView, ClientEvent, CreateRoomOptions, DamagedRoom, Failure, InvitePreview, RelayRow, SafetyNumberView, TakePiece,
} from '../contract/api.js'; // prettier-ignore
import { Drafts } from './drafts.js';
import { SharingChoice } from './sharing.js';
import type { AccountOptions, Platform } from '../contract/ports.js';
import { ClientError, failureOf } from '../contract/errors.js';
import { Joins } from './account-joins.js';
import { DeferredPin } from './deferred-pin.js';
import { ReadMarkers } from './read-markers.js';
import { RelayPin } from './relay-pin.js';
import { RelaySuccession } from './relay-succession.js';
import {
  assertRoomEnded, damageOf, deletionOf, outdatedFailure, safetyNumberWith, setVerified, stopWhile,
} from './room-acts.js'; // prettier-ignore
import { createRoom, ROOM_DEFAULTS } from './create-room.js';
import { set } from '../room/state/draft.js';
import { decodeRecord, joinRecord, membershipOf, STORES } from '../vault/records.js';
import { Room } from '../room/room.js';
import { RoomState } from '../room/state/state.js';
import { SerialQueue } from '../vault/serial-queue.js';
import type { Join } from './joining/joiner.js';
import type { Vault } from '../vault/vault.js';
import { instanceOf } from './vault-instance.js';
import { exportVault } from './vault-export.js';
import { MemberIdentities } from '../view/member-identities.js';
import { TimelineFeed } from '../view/timeline-feed.js';
import { drawn, prepare } from '../view/prepare.js';
import { relayRowsOf } from '../view/relay-rows.js';
import { ViewScheduler } from '../view/view-scheduler.js';
import { summaryOf, worstState } from '../view/summary.js';

type Emit = (event: ClientEvent | { readonly type: 'changed' }) => void;

export class UnlockedAccount {
  readonly #platform: Platform;
  readonly #vault: Vault;
  readonly #options: AccountOptions;
  readonly #emit: Emit;
  readonly #pin: RelayPin;
  readonly #rooms = new Map<string, Room>();
  readonly #joins: Joins;
  readonly #damaged = new Map<string, DamagedRoom>();
  readonly #identities: MemberIdentities;
  readonly #markers: ReadMarkers;
  readonly #drafts: Drafts;
  readonly sharing: SharingChoice;
  #instance: Bytes = new Uint8Array(16);
  #watched: { readonly roomId: string; readonly feed: TimelineFeed } | null = null;
  readonly #views: ViewScheduler;
  readonly #latePin: DeferredPin;
  readonly succession: RelaySuccession;
  readonly #restarts = new SerialQueue();
  #closed = false;
  readonly #isOpen = (): boolean => !this.#closed;
  readonly #changed = (): void => {
    this.#views.changed();
  };

  private constructor(platform: Platform, vault: Vault, options: AccountOptions, emit: Emit, drafts: Drafts) {
    this.#platform = platform;
    this.#vault = vault;
    this.#options = options;
    this.#emit = emit;
    this.#drafts = drafts;
    this.sharing = new SharingChoice(vault);
    // A key was pinned: rooms and joins that were barred without one start.
    const found = (): void => void this.#latePin.attempt();
    this.#pin = new RelayPin(platform, options, found);
    const moved = (): void => void this.#restarts.enqueue(() => this.#restart(() => true));
    this.succession = new RelaySuccession({
      platform,
      vault,
      pin: this.#pin,
      deployment: options,
      moved,
      changed: this.#changed,
    });
    this.#joins = new Joins({
      platform,
      vault,
      url: options.relayUrl,
      pin: this.#pin,
      otherKey: (key) => this.succession.otherKey(key),
      isOpen: this.#isOpen,
      instance: () => this.#instance,
      changed: this.#changed,
      admitted: (state) => {
        this.#startRoom(state);
      },
    });
    const pin = (): Promise<unknown> => this.#pin.require(vault, null);
    const startBarred = (): Promise<void> => this.#restart((live) => live.blocked);
    this.#latePin = new DeferredPin(platform, pin, () => this.#restarts.enqueue(startBarred));
    this.#identities = new MemberIdentities(platform.crypto.hash);
    this.#markers = new ReadMarkers(platform);
    // A view that cannot be made is a fault of this client: it is shown, and the client goes on.
    const failed = (error: unknown): void => {
      for (const room of this.#rooms.values()) room.halt(failureOf(error));
    };
    this.#views = new ViewScheduler(platform.timers, () => this.#show(), failed);
  }

  static async open(
    platform: Platform,
    vault: Vault,
    options: AccountOptions,
    emit: Emit,
  ): Promise<UnlockedAccount> {
    const account = new UnlockedAccount(platform, vault, options, emit, await Drafts.load(vault));
    // What has been started of it must not go on without the rest.
    await account.#load().catch(async (error: unknown) => {
      await account.close();
      throw error;
    });
    return account;
  }

  async #load(): Promise<void> {
    // Before any room is live.
    await this.sharing.load(this.#options.chosen());
    this.#instance = await instanceOf(this.#vault, this.#platform.crypto.random);
    await this.#pin.load(this.#vault, this.#options.relayPublicKey);
    for (const key of await this.#vault.keysFrom(STORES.rooms, '')) {
      await this.#orDamaged(key, STORES.rooms, async () => {
        const state = await RoomState.load(this.#vault, key, this.#platform.crypto.hash);
        if (state !== null) this.#startRoom(state);
      });
    }
    for (const key of await this.#vault.keysFrom(STORES.joins, '')) {
      await this.#orDamaged(key, STORES.joins, async () => {
        const value = await this.#vault.get(STORES.joins, key);
        if (value !== null) await this.#joins.start(decodeRecord(joinRecord, value));
      });
    }
    if (this.#pin.conflict !== null) void this.succession.settleConflict();
    if (this.#pin.unknown && this.#rooms.size + this.#joins.all.length > 0) void this.#latePin.attempt();
  }

  /** With the key that is pinned by now. */
  async #restart(which: (live: Room | Join) => boolean): Promise<void> {
    for (const [roomId, room] of [...this.#rooms]) {
      if (!which(room) || room.outdated) continue;
      await room.stop();
      // It may have been forgotten meanwhile.
      if (!this.#closed && this.#rooms.get(roomId) === room) this.#startRoom(room.state);
    }
    await this.#joins.restart(which);
  }

  /** Restarts what has stopped, at the request of the user. */
  async resumeRoom(roomId: string): Promise<void> {
    const room = this.room(roomId);
    if (!room.blocked) room.start();
    else if (room.outdated) return;
    else if (this.#pin.conflict !== null) await this.succession.settleConflict();
    else if (this.#pin.trouble === null) await this.#latePin.attempt();
  }

  wake(): void {
    for (const { connection } of [...this.#rooms.values(), ...this.#joins.all]) connection.wake();
  }

  /** A damaged record closes its own room or join, and no other. */
  async #orDamaged(roomId: string, store: string, open: () => Promise<void>): Promise<void> {
    const damage = await damageOf(open);
    if (damage !== null) this.#damaged.set(roomId, { roomId, store: damage.store ?? store });
  }

  room(roomId: string): Room {
    const room = this.#rooms.get(roomId);
    if (room === undefined) throw new ClientError(ERROR_CODES.ROOM_UNKNOWN);
    return room;
  }

  /** A room that this client works in. Throws ROOM_OUTDATED too: one of an earlier version is read, and nothing more. */
  activeRoom(roomId: string): Room {
    const room = this.room(roomId);
    if (room.outdated) throw new ClientError(ERROR_CODES.ROOM_OUTDATED);
    return room;
  }

  async createRoom(options: CreateRoomOptions): Promise<{ readonly roomId: string }> {
    const { key } = await this.#pin.require(this.#vault, null);
    const state = await this.#createdAt(key, options).catch((error: unknown) => {
      // The relay has another key by now, and the pin has followed it.
      if (equalBytes(key, this.#pin.key)) throw error;
      return this.#createdAt(this.#pin.key, options);
    });
    this.#startRoom(state);
    return { roomId: membershipOf(state.core) };
  }

  #createdAt(key: Bytes, options: CreateRoomOptions): Promise<RoomState> {
    const otherKey = (): Promise<Failure> => this.succession.otherKey(key);
    const relay = { url: this.#options.relayUrl, key, otherKey };
    return createRoom(this.#platform, this.#vault, relay, {
      settings: { ...ROOM_DEFAULTS, rotateEvery: options.rotateEvery, approval: options.approval },
      name: options.name,
      displayName: options.displayName,
      instance: this.#instance,
    });
  }

  previewInvite(text: string): Promise<InvitePreview> {
    return this.#joins.preview(text);
  }

  join(text: string, name: string): Promise<{ readonly roomId: string }> {
    return this.#joins.join(text, name, this.#rooms, this.#damaged);
  }

  abandonJoin(roomId: string): Promise<void> {
    return this.#joins.abandon(roomId);
  }

  watch(roomId: string | null): void {
    if (roomId !== null) this.room(roomId);
    this.#watched = roomId === null ? null : { roomId, feed: new TimelineFeed() };
    this.#changed();
  }

  /** Nothing for a room that is not watched. */
  loadEarlier(roomId: string): void {
    this.room(roomId);
    if (this.#watched?.roomId !== roomId) return;
    this.#watched.feed.loadEarlier();
    this.#changed();
  }

  async markRead(roomId: string, tell: boolean): Promise<void> {
    const room = this.room(roomId);
    await room.write((draft) => {
      const { readIndex, nextIndex, others } = draft.core;
      if (readIndex !== nextIndex) draft.apply(set({ readIndex: nextIndex, othersRead: others }));
    });
    if (tell && this.sharing.now.receipts && !room.outdated) await this.#markers.announce(room);
  }

  async setDraft(roomId: string, text: string): Promise<void> {
    this.room(roomId);
    if (await this.#drafts.set(roomId, text)) this.#changed();
  }

  safetyNumber(roomId: string, memberOrInvite: string): Promise<SafetyNumberView> {
    return safetyNumberWith(this.#platform.crypto.hash, this.activeRoom(roomId).state, memberOrInvite);
  }

  setVerified(roomId: string, memberId: string, verified: boolean): Promise<void> {
    return setVerified(this.room(roomId), memberId, verified);
  }

  async relaySees(roomId: string, limit: number): Promise<readonly RelayRow[]> {
    const { state } = this.room(roomId);
    await this.#identities.load(state);
    return state.read(() => relayRowsOf(state, this.#identities, limit, this.#platform.crypto.clock.now()));
  }

  /** Deletes all records of an ended room, in one write. Rejects with STILL_MEMBER. */
  async forgetRoom(roomId: string, unconfirmed: boolean): Promise<void> {
    const erase = async (): Promise<void> => {
      const changes = await deletionOf(this.#vault, roomId);
      await this.#drafts.drop(roomId, (draft) => this.#vault.write([...changes, draft]));
      this.#rooms.delete(roomId);
      this.#damaged.delete(roomId);
    };
    if (this.#damaged.has(roomId)) await erase();
    else {
      const room = this.room(roomId);
      assertRoomEnded(room, unconfirmed);
      this.#markers.stop(roomId);
      await stopWhile(room, this.#isOpen, () => room.state.serial.enqueue(erase));
    }
    if (this.#watched?.roomId === roomId) this.#watched = null;
    this.#changed();
  }

  exportVault(passphrase: string, take: TakePiece): Promise<void> {
    return exportVault(this.#vault, this.#platform, passphrase, take);
  }

  changePassphrase(current: string, next: string): Promise<void> {
    return this.#vault.changePassphrase(current, next);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#latePin.stop();
    this.#views.stop();
    this.#markers.stop();
    await Promise.all([...this.#rooms.values(), ...this.#joins.all].map((live) => live.stop()));
    await this.#vault.close();
  }

  /** It has changed whether presence is shared. */
  readonly tellPresence = (): void => this.#rooms.forEach((room) => room.signals.soon());

  view(): Omit<AppView, 'vault' | 'overwrites'> {
    const rooms = [...this.#rooms]
      .map(([roomId, room]) => summaryOf(room, this.#drafts.of(roomId)))
      .sort((a, b) => b.time - a.time);
    const joins = this.#joins.all.map((join) => join.view());
    const damaged = [...this.#damaged.values()];
    const relay = this.#pin.view(worstState(rooms, joins));
    return { relay, sharing: this.sharing.now, rooms, joins, damaged };
  }

  #startRoom(state: RoomState): void {
    const { key } = this.#pin;
    const room = new Room(
      {
        platform: this.#platform,
        url: this.#options.relayUrl,
        relayKey: key,
        blocked: outdatedFailure(state.roster) ?? this.#pin.failure(null),
        relayTime: () => this.#options.fetchRelayTime(),
        otherKey: () => this.succession.otherKey(key),
        sharesPresence: () => this.sharing.now.presence,
        changed: this.#changed,
      },
      state,
    );
    this.#rooms.set(membershipOf(state.core), room);
    room.start();
    this.#changed();
  }

  async #show(): Promise<void> {
    const watched = this.#watched;
    const room = watched === null ? undefined : this.#rooms.get(watched.roomId);
    for (const other of [...this.#rooms.values()]) {
      if (other !== room) await prepare(other, this.#identities, null);
    }
    // Last, so that what is loaded for it is drawn at once.
    if (watched !== null && room !== undefined) await prepare(room, this.#identities, watched.feed);
    if (this.#closed) return;
    this.#emit({ type: 'changed' });
    // Whatever is looked at since then is drawn with the next view.
    if (watched === null || room === undefined || watched !== this.#watched) return;
    const beside = { draft: this.#drafts.of(watched.roomId), now: this.#platform.crypto.clock.now() };
    for (const event of drawn(room, this.#identities, watched.feed, beside)) this.#emit(event);
  }
}
