/**
 * What concerns single members beside the log: joins, key requests and grants, the hand-over.
 * The feed only says that something changed; what it is is read from the store, so that a
 * notice that comes late tells what is, not what was.
 */
import { equalBytes, type MemberId, type OwnerJoin, type Role, type RoomId } from '@0fc/protocol';
import type { Peer } from './peer.js';
import type { RoomEvent, RoomStore } from '../port/room-store.js';
import type { StoredJoin } from '../port/store-invites.js';

type Notice = Extract<RoomEvent, { readonly type: 'join' | 'needKey' | 'keyGrant' | 'offer' | 'acceptance' }>;

export class Notices {
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

  /** Tells a member that has gone live, or has a new role, all that waits for it. */
  live(role: () => Role): void {
    this.#then(async () => {
      if (role() === 'owner') await this.#pendingJoins();
      await this.#needKeys(null);
      await this.#grants();
      await this.#offer();
    });
  }

  take(event: Notice, role: Role, live: boolean): void {
    const me = this.#peer.memberId;
    switch (event.type) {
      case 'join':
        if (event.joiner === me) this.#then(() => this.#ownJoin(event));
        else if (role === 'owner' && live) this.#then(() => this.#join(event));
        return;
      case 'needKey':
        if (live && event.memberId !== me) this.#then(() => this.#needKeys(event.memberId));
        return;
      case 'keyGrant':
        if (live && event.to === me) this.#then(() => this.#grants());
        return;
      case 'offer':
        if (live && event.to === me) this.#then(() => this.#offer());
        return;
      case 'acceptance':
        if (live && role === 'owner') this.#then(() => this.#offer());
        return;
    }
  }

  #then(work: () => Promise<void>): void {
    this.#last = this.#last
      .then(async () => {
        if (!this.#ended) await work();
      })
      .catch((error: unknown) => {
        this.#peer.failed(error);
      });
  }

  async #ownJoin(event: Extract<Notice, { type: 'join' }>): Promise<void> {
    if (event.released !== undefined) {
      this.#peer.send('joinState', { stage: 'dropped', reason: event.released });
      return;
    }
    const verdict = await this.#store.readJoin(this.#roomId, event.inviteId);
    if (!verdict.ok || verdict.join === null || this.#ended) return;
    if (equalBytes(verdict.join.joinerKey, this.#peer.key)) this.#peer.send('joinState', verdict.join.state);
  }

  async #join(event: Extract<Notice, { type: 'join' }>): Promise<void> {
    const verdict = await this.#store.readJoin(this.#roomId, event.inviteId);
    if (verdict.ok && verdict.join !== null) this.#sendJoin(verdict.join);
  }

  async #pendingJoins(): Promise<void> {
    const verdict = await this.#store.pendingJoins(this.#roomId);
    if (!verdict.ok) return;
    for (const join of verdict.joins) this.#sendJoin(join);
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

  async #needKeys(from: MemberId | null): Promise<void> {
    const verdict = await this.#store.pendingNeedKeys(this.#roomId, this.#peer.memberId);
    if (!verdict.ok) return;
    for (const request of verdict.requests) {
      if (!this.#ended && (from === null || request.from === from)) this.#peer.send('keyNeeded', request);
    }
  }

  async #grants(): Promise<void> {
    const verdict = await this.#store.keyGrants(this.#roomId, this.#peer.memberId);
    if (!verdict.ok) return;
    for (const grant of verdict.grants) {
      if (this.#ended) return;
      this.#peer.send('keyGranted', grant);
      // Each may be nearly a frame, and members could fill the owner's queue with theirs.
      await this.#peer.sent();
    }
  }

  async #offer(): Promise<void> {
    const verdict = await this.#store.readOffer(this.#roomId);
    if (!verdict.ok || verdict.offer === null || this.#ended) return;
    const { from, to, offer, acceptance } = verdict.offer;
    const me = this.#peer.memberId;
    if (me === to && acceptance === null) this.#peer.send('transferOffered', { from, offer });
    if (me === from && acceptance !== null) this.#peer.send('transferAccepted', { from: to, acceptance });
  }
}
