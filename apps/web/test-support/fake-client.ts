import type {
  AppView,
  ClientApi,
  ClientEvent,
  CreatedInvite,
  CreateRoomOptions,
  InvitePreview,
  JoinStep,
  JoinView,
  Outcome,
  RoomView,
  TimelineItem,
} from '@0fc/client/api';

import { appView, member, message, RELAY, roomView, summary, timeline } from './fake-data';

const ok = <T>(value: T): Outcome<T> => ({ ok: true, value });
const failed = (code: string): Outcome<never> => ({ ok: false, error: { code } });
const STEPS: readonly JoinStep[] = ['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted'];

/** The contract of libs/client without a relay: for specs, and to look at the screens. */
export class FakeClient implements ClientApi {
  #listener: ((event: ClientEvent) => void) | null = null;
  #app: AppView;
  #room: RoomView = roomView();
  #items: readonly TimelineItem[] = timeline;
  #watched: string | null = null;
  #sent = 0;
  readonly calls: string[] = [];
  /** milliseconds that each answer and each step takes */
  pace: number;

  constructor(scenario: string, pace = 250) {
    this.pace = pace;
    const vault =
      scenario === 'absent' || scenario === 'locked' || scenario === 'elsewhere' ? scenario : 'open';
    const bare = scenario === 'absent' || scenario === 'empty';
    this.#app = appView({ vault, ...(bare || vault !== 'open' ? { rooms: [] } : {}) });
    if (scenario === 'offline') {
      this.#app = { ...this.#app, relay: { ...this.#app.relay, state: 'offline' } };
      this.#room = roomView({ connection: 'offline', typing: [] });
    }
    if (scenario === 'guest') this.#room = roomView({ owner: false, approvals: [], invites: [], me: 'ines' });
    if (scenario === 'quiet') {
      this.#items = timeline.slice(0, 1);
      this.#room = roomView({
        members: [member(0, { owner: true, me: true })],
        alarms: 0,
        approvals: [],
        invites: [],
        typing: [],
      });
    }
    if (scenario === 'long') {
      this.#items = Array.from({ length: 1_000 }, (_, n) =>
        message(`l${String(n)}`, n, Date.now() - (1_000 - n) * 60_000, n % 6, `Message ${String(n)}`),
      );
    }
  }

  close(): void {
    this.#listener = null;
  }

  /** Lets a spec say what the worker would. */
  emit(event: ClientEvent): void {
    this.#listener?.(event);
  }

  async subscribe(listener: (event: ClientEvent) => void): Promise<void> {
    await this.#wait();
    this.#listener = listener;
    this.#pushApp({});
  }

  async createVault(passphrase: string): Promise<Outcome<void>> {
    return this.#open(passphrase, this.#app.rooms);
  }

  async unlock(passphrase: string): Promise<Outcome<void>> {
    if (passphrase === 'wrong') {
      await this.#wait();
      return failed('WRONG_PASSPHRASE');
    }
    return this.#open(passphrase, appView().rooms);
  }

  async eraseVault(): Promise<Outcome<void>> {
    await this.#wait();
    this.#pushApp({ vault: 'absent', rooms: [] });
    return ok(undefined);
  }

  async createRoom(options: CreateRoomOptions): Promise<Outcome<{ readonly roomId: string }>> {
    this.calls.push(`createRoom ${JSON.stringify(options)}`);
    await this.#wait();
    this.#pushApp({
      rooms: [...this.#app.rooms, summary('room-new', options.name, { owner: true, time: Date.now() })],
    });
    return ok({ roomId: 'room-new' });
  }

  async previewInvite(text: string): Promise<Outcome<InvitePreview>> {
    await this.#wait();
    const code = /[A-Z]+(_[A-Z]+)+/.exec(text)?.[0];
    if (code !== undefined && code !== 'RELAY_DIFFERS') return failed(code);
    const differs = code === 'RELAY_DIFFERS';
    return ok({
      roomId: 'room-join',
      ownerFingerprint: '3E91B07C5D22A84F',
      relayFingerprint: differs ? '7F3A44D0E19B2C07' : RELAY,
      relayPin: differs ? 'differs' : 'matches',
      pinnedFingerprint: RELAY,
      expires: Date.now() + 5 * 3_600_000,
      resumes: false,
    });
  }

  async join(text: string, displayName: string): Promise<Outcome<{ readonly roomId: string }>> {
    await this.#wait();
    const join: JoinView = {
      roomId: 'room-join',
      inviteId: 'i9',
      displayName,
      ownerFingerprint: '3E91B07C5D22A84F',
      myFingerprint: '6E20A9F41D7CB835',
      relayFingerprint: RELAY,
      expires: Date.now() + 5 * 3_600_000,
      done: [],
      current: 'claim',
      connection: 'connected',
      failure: null,
    };
    this.#pushApp({ joins: [join] });
    this.#advance(join, text.includes('stay') ? 2 : STEPS.length);
    return ok({ roomId: 'room-join' });
  }

  async abandonJoin(roomId: string): Promise<Outcome<void>> {
    this.#pushApp({ joins: this.#app.joins.filter((join) => join.roomId !== roomId) });
    return ok(undefined);
  }

  async watchRoom(roomId: string | null): Promise<Outcome<void>> {
    this.#watched = roomId;
    await this.#wait();
    if (roomId !== null && roomId === this.#watched) {
      const name = this.#app.rooms.find((room) => room.roomId === roomId)?.name ?? '';
      this.#room = { ...this.#room, roomId, name };
      this.emit({ type: 'room', room: this.#room });
      this.emit({ type: 'timeline', roomId, reset: true, items: this.#items, removed: [] });
    }
    return ok(undefined);
  }

  async markRead(roomId: string): Promise<Outcome<void>> {
    this.calls.push(`markRead ${roomId}`);
    this.#pushApp({
      rooms: this.#app.rooms.map((room) => (room.roomId === roomId ? { ...room, unread: 0 } : room)),
    });
    return ok(undefined);
  }

  async sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    this.calls.push(`sendText ${text}`);
    if (text.startsWith('/too-long')) return failed('TEXT_TOO_LONG');
    this.#sent += 1;
    const id = `sent${String(this.#sent)}`;
    const item = message(id, 10_000 + this.#sent, Date.now(), 0, text, { state: 'sending', readBy: 0 });
    this.emit({ type: 'timeline', roomId, reset: false, items: [item], removed: [] });
    setTimeout(
      () =>
        this.emit({
          type: 'timeline',
          roomId,
          reset: false,
          items: [{ ...item, state: 'relayed' } as TimelineItem],
          removed: [],
        }),
      this.pace * 2,
    );
    return ok({ id });
  }

  async createInvite(_roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>> {
    await this.#wait();
    const secret =
      'A5sGyOFEZU5aG5DCCusWgeF9OosUCBUNXSOy5uYpX3Q4lGnMvKCCAt2AX2ymh2z3dfxqgZgei9FH8QVoEkBrnH8uJuumJheexoOiq0GqydHl1'.repeat(
        2,
      );
    return ok({
      inviteId: 'i3',
      link: `https://rive.example/join#${secret}`,
      expires: Date.now() + lifetimeMs,
    });
  }

  async revokeInvite(_roomId: string, inviteId: string): Promise<Outcome<void>> {
    await this.#wait();
    this.#pushRoom({ invites: this.#room.invites.filter((invite) => invite.inviteId !== inviteId) });
    return ok(undefined);
  }

  async decideJoin(_roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>> {
    this.calls.push(`decideJoin ${inviteId} ${String(admit)}`);
    await this.#wait();
    this.#pushRoom({ approvals: this.#room.approvals.filter((approval) => approval.inviteId !== inviteId) });
    return ok(undefined);
  }

  async rotateNow(): Promise<Outcome<void>> {
    await this.#wait();
    const key = this.#room.key;
    if (key === null) return failed('NO_ROOM_KEY');
    this.#pushRoom({ key: { ...key, epoch: key.epoch + 1, messages: 0, since: Date.now() } });
    return ok(undefined);
  }

  #advance(join: JoinView, until: number): void {
    const next = STEPS[join.done.length];
    if (next === undefined || join.done.length >= until) return;
    setTimeout(() => {
      const done = [...join.done, { step: next, time: Date.now() }];
      const moved: JoinView = { ...join, done, current: STEPS[done.length] ?? null };
      const admitted = moved.current === null;
      this.#pushApp({
        joins: [moved],
        ...(admitted
          ? {
              rooms: [...this.#app.rooms, summary('room-join', 'Accompagnement jeudi', { time: Date.now() })],
            }
          : {}),
      });
      this.#advance(moved, until);
    }, this.pace);
  }

  async #open(passphrase: string, rooms: AppView['rooms']): Promise<Outcome<void>> {
    this.calls.push(`open ${passphrase}`);
    await this.#wait();
    this.#pushApp({ vault: 'open', rooms });
    return ok(undefined);
  }

  #pushApp(changes: Partial<AppView>): void {
    this.#app = { ...this.#app, ...changes };
    this.emit({ type: 'app', app: this.#app });
  }

  #pushRoom(changes: Partial<RoomView>): void {
    this.#room = { ...this.#room, ...changes };
    this.emit({ type: 'room', room: this.#room });
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.pace));
  }
}
