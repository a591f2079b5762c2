/**
 * Events of single members beside the log: joins, key requests and grants, the transfer of ownership. The feed says
 * only that something changed. What it is now is read from the store, so that a late event is not out of date.
 */
import { equalBytes, type MemberId, type OwnerJoin, type Role, type RoomId } from '@0fc/protocol';
import type { Peer } from './peer.js';
import type { RoomEvent, RoomStore } from '../port/room-store.js';
import type { StoredJoin } from '../port/store-invites.js';

type MemberEvent = Extract<
  RoomEvent,
  { readonly type: 'join' | 'needKey' | 'keyGrant' | 'offer' | 'acceptance' }
>;

export class MemberEvents {
  readonly #store: RoomStore;
  readonly #peer: Peer;
  readonly #roomId: RoomId;
  /** one at a time, in order */
  #last: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(store: RoomStore, peer: Peer, roomId: RoomId) {
    this.#store = store;
    this.#peer = peer;
    this.#roomId = roomId;
  }

  end(): void {
    this.#ended = true;
  }

  /** Sends everything pending to a member that has gone live or has a new role. */
  sendPending(role: () => Role): void {
    this.#enqueue(async () => {
      if (role() === 'owner') await this.#sendPendingJoins();
      await this.#sendKeyRequests(null);
      await this.#sendKeyGrants();
      await this.#sendOffer();
    });
  }

  onEvent(event: MemberEvent, role: Role, live: boolean): void {
    const me = this.#peer.memberId;
    switch (event.type) {
      case 'join':
        if (event.joiner === me) this.#enqueue(() => this.#sendOwnJoinState(event));
        else if (role === 'owner' && live) this.#enqueue(() => this.#sendJoinOf(event));
        return;
      case 'needKey':
        if (live && event.memberId !== me) this.#enqueue(() => this.#sendKeyRequests(event.memberId));
        return;
      case 'keyGrant':
        if (live && event.to === me) this.#enqueue(() => this.#sendKeyGrants());
        return;
      case 'offer':
        if (live && event.to === me) this.#enqueue(() => this.#sendOffer());
        return;
      case 'acceptance':
        if (live && role === 'owner') this.#enqueue(() => this.#sendOffer());
        return;
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#last = this.#last
      .then(async () => {
        if (!this.#ended) await work();
      })
      .catch((error: unknown) => {
        this.#peer.failed(error);
      });
  }

  async #sendOwnJoinState(event: Extract<MemberEvent, { type: 'join' }>): Promise<void> {
    if (event.released !== undefined) {
      this.#peer.send('joinState', { stage: 'dropped', reason: event.released });
      return;
    }
    const result = await this.#store.readJoin(this.#roomId, event.inviteId);
    if (!result.ok || result.join === null || this.#ended) return;
    if (equalBytes(result.join.joinerKey, this.#peer.key)) this.#peer.send('joinState', result.join.state);
  }

  async #sendJoinOf(event: Extract<MemberEvent, { type: 'join' }>): Promise<void> {
    const result = await this.#store.readJoin(this.#roomId, event.inviteId);
    if (result.ok && result.join !== null) this.#sendJoin(result.join);
  }

  async #sendPendingJoins(): Promise<void> {
    const result = await this.#store.pendingJoins(this.#roomId);
    if (!result.ok) return;
    for (const join of result.joins) this.#sendJoin(join);
  }

  /** Only a join that waits for its owner: the end of one is the owner's own doing. */
  #sendJoin(join: StoredJoin): void {
    const { stage } = join.state;
    if (this.#ended || join.request === null || stage === 'admitted' || stage === 'dropped') return;
    const body: OwnerJoin = {
      inviteId: join.inviteId,
      joinerKey: join.joinerKey,
      request: join.request,
      replied: join.state.reply?.epoch ?? 0,
      ...(join.confirm === null
        ? {}
        : {
            confirm: { epoch: join.confirm.epoch, payload: join.confirm.payload },
            confirmedAt: join.confirm.time,
          }),
    };
    this.#peer.send('join', body);
  }

  async #sendKeyRequests(from: MemberId | null): Promise<void> {
    const result = await this.#store.pendingNeedKeys(this.#roomId, this.#peer.memberId);
    if (!result.ok) return;
    for (const request of result.requests) {
      if (!this.#ended && (from === null || request.from === from)) this.#peer.send('keyNeeded', request);
    }
  }

  async #sendKeyGrants(): Promise<void> {
    const result = await this.#store.keyGrants(this.#roomId, this.#peer.memberId);
    if (!result.ok) return;
    for (const grant of result.grants) {
      if (this.#ended) return;
      this.#peer.send('keyGranted', grant);
      // Each may be nearly a frame, and members could fill the owner's queue with theirs.
      await this.#peer.sent();
    }
  }

  async #sendOffer(): Promise<void> {
    const result = await this.#store.readOffer(this.#roomId);
    if (!result.ok || result.offer === null || this.#ended) return;
    const { from, to, offer, acceptance } = result.offer;
    const me = this.#peer.memberId;
    if (me === to && acceptance === null) this.#peer.send('transferOffered', { from, offer });
    if (me === from && acceptance !== null) this.#peer.send('transferAccepted', { from: to, acceptance });
  }
}
