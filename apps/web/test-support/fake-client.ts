import type {
  AppView,
  ClientApi,
  CreateRoomOptions,
  InvitePreview,
  JoinStep,
  JoinView,
  Outcome,
  PassphraseRating,
  RelayRepin,
  TakePiece,
} from '@0fc/client/api';

import { appView, joinView, OTHER_RELAY, RELAY, summary } from './fake-data';
import { FakeOwner } from './fake-owner';
import { done, failed, ok } from './fake-state';

const STEPS: readonly JoinStep[] = ['claim', 'request', 'ownerReply', 'keyReceived', 'confirmed', 'admitted'];

/** A blank of Braille: a name with it is refused, as the worker does. */
const HIDDEN = '\u2800';

/** The contract of libs/client without a relay: for specs, and to look at the screens. */
export class FakeClient extends FakeOwner implements ClientApi {
  exporting = false;
  /** every passphrase that was to be rated */
  readonly rated: string[] = [];
  /** each piece of an export waits for {@link next} */
  #held = false;
  #go: () => void = () => undefined;

  constructor(scenario: string, pace = 250) {
    super(scenario, pace);
  }

  /** The worker's rule is that of libs/client; this one only has both answers. */
  async ratePassphrase(passphrase: string): Promise<Outcome<PassphraseRating>> {
    this.rated.push(passphrase);
    await this.wait();
    if (passphrase.length >= 20) return ok({ acceptable: true, strength: 4, weakness: null });
    return ok({ acceptable: false, strength: passphrase === '' ? 0 : 1, weakness: 'short' });
  }

  async createVault(passphrase: string): Promise<Outcome<void>> {
    return this.#open(passphrase, this.app.rooms);
  }

  async unlock(passphrase: string): Promise<Outcome<void>> {
    if (passphrase === 'wrong') {
      await this.wait();
      return failed('WRONG_PASSPHRASE');
    }
    return this.#open(passphrase, appView().rooms);
  }

  async eraseVault(): Promise<Outcome<void>> {
    await this.wait();
    this.pushApp({ vault: 'absent', rooms: [] });
    return done;
  }

  /** Five pieces of a vault of 1,234 records. */
  async exportVault(passphrase: string, take: TakePiece): Promise<Outcome<void>> {
    this.calls.push(`exportVault ${passphrase}`);
    this.exporting = true;
    try {
      const total = 1_234;
      for (const [at, text] of ['an', ' ex', 'po', 'rt', '.'].entries()) {
        await this.#step();
        const progress = { done: Math.floor((total * at) / 4), total };
        if (!(await take(new TextEncoder().encode(text), progress))) return failed('EXPORT_CANCELLED');
      }
      return done;
    } finally {
      this.exporting = false;
    }
  }

  /** A file of no bytes is damaged; the passphrase "wrong" is. */
  async importVault(file: Uint8Array, filePassphrase: string, passphrase: string): Promise<Outcome<void>> {
    this.calls.push(`importVault ${String(file.length)} ${filePassphrase} ${passphrase}`);
    await this.wait();
    if (this.app.vault !== 'absent') return failed('VAULT_EXISTS');
    if (file.length === 0) return failed('EXPORT_DAMAGED');
    if (filePassphrase === 'wrong') return failed('WRONG_PASSPHRASE');
    this.pushApp({ vault: 'open', rooms: appView().rooms });
    return done;
  }

  async changePassphrase(current: string, next: string): Promise<Outcome<void>> {
    this.calls.push(`changePassphrase ${current} ${next}`);
    await this.wait();
    return current === 'wrong' ? failed('WRONG_PASSPHRASE') : done;
  }

  wake(): Promise<Outcome<void>> {
    this.calls.push('wake');
    return Promise.resolve(done);
  }

  async lock(): Promise<Outcome<void>> {
    this.calls.push('lock');
    await this.wait();
    this.pushApp({ vault: 'locked', rooms: [] });
    return done;
  }

  async createRoom(options: CreateRoomOptions): Promise<Outcome<{ readonly roomId: string }>> {
    this.calls.push(`createRoom ${JSON.stringify(options)}`);
    await this.wait();
    if (options.name.includes(HIDDEN)) return failed('NAME_INVISIBLE');
    this.pushApp({
      rooms: [...this.app.rooms, summary('room-new', options.name, { owner: true, time: Date.now() })],
    });
    return ok({ roomId: 'room-new' });
  }

  /** The relay proves one other key, and none besides. */
  async repinRelay(fingerprint: string): Promise<Outcome<RelayRepin>> {
    this.calls.push(`repinRelay ${fingerprint}`);
    await this.wait();
    const typed = fingerprint.replace(/\s/g, '').toUpperCase();
    if (typed.length !== 16) return failed('FINGERPRINT_MALFORMED');
    if (typed !== OTHER_RELAY) return failed('RELAY_KEY_MISMATCH');
    const { relay } = this.app;
    this.pushApp({ relay: { ...relay, fingerprint: typed, pinnedBy: 'user', barred: null } });
    return ok({ from: relay.fingerprint, to: typed });
  }

  async dismissRelayChange(): Promise<Outcome<void>> {
    this.calls.push('dismissRelayChange');
    await this.wait();
    this.pushApp({ relay: { ...this.app.relay, followed: null } });
    return done;
  }

  async previewInvite(text: string): Promise<Outcome<InvitePreview>> {
    await this.wait();
    const code = /[A-Z]+(_[A-Z]+)+/.exec(text)?.[0];
    if (code !== undefined && code !== 'RELAY_DIFFERS') return failed(code);
    const differs = code === 'RELAY_DIFFERS';
    return ok({
      roomId: 'room-join',
      ownerFingerprint: '3E91B07C5D22A84F',
      relayFingerprint: differs ? OTHER_RELAY : RELAY,
      relayPin: differs ? 'differs' : 'matches',
      pinnedFingerprint: RELAY,
      expires: Date.now() + 5 * 3_600_000,
      resumes: false,
    });
  }

  async join(text: string, displayName: string): Promise<Outcome<{ readonly roomId: string }>> {
    await this.wait();
    const join = joinView({ displayName });
    this.pushApp({ joins: [join] });
    this.#advance(join, text.includes('stay') ? 2 : STEPS.length);
    return ok({ roomId: 'room-join' });
  }

  async abandonJoin(roomId: string): Promise<Outcome<void>> {
    await this.wait();
    this.pushApp({ joins: this.app.joins.filter((join) => join.roomId !== roomId) });
    return done;
  }

  #advance(join: JoinView, until: number): void {
    const next = STEPS[join.done.length];
    if (next === undefined || join.done.length >= until) return;
    setTimeout(() => {
      const steps = [...join.done, { step: next, time: Date.now() }];
      const moved: JoinView = { ...join, done: steps, current: STEPS[steps.length] ?? null };
      const admitted = moved.current === null;
      const entered = summary('room-join', 'Accompagnement jeudi', { time: Date.now() });
      this.pushApp({
        joins: [moved],
        ...(admitted ? { rooms: [...this.app.rooms, entered] } : {}),
      });
      this.#advance(moved, until);
    }, this.pace);
  }

  set held(held: boolean) {
    this.#held = held;
    if (!held) this.next();
  }

  /** Lets one piece go that is held. */
  next(): void {
    this.#go();
  }

  async #step(): Promise<void> {
    await this.wait();
    if (this.#held) await new Promise<void>((resolve) => (this.#go = resolve));
  }

  async #open(passphrase: string, rooms: AppView['rooms']): Promise<Outcome<void>> {
    this.calls.push(`open ${passphrase}`);
    await this.wait();
    this.pushApp({ vault: 'open', rooms });
    return done;
  }
}
