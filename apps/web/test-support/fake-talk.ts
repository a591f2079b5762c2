import type { Outcome, ReactionView, RelayRow, Sharing, TimelineMessage } from '@0fc/client/api';

import { message } from './fake-data';
import { done, failed, FakeState, ok } from './fake-state';
import { relayRows } from './fake-timeline';

/** The conversation's part of the contract. */
export abstract class FakeTalk extends FakeState {
  #sent = 0;
  /** no change of it can be stored */
  sharingRefused = false;

  async markRead(roomId: string, tell: boolean): Promise<Outcome<void>> {
    this.calls.push(`markRead ${roomId} ${String(tell)}`);
    await this.wait();
    this.listRoom(roomId, { unread: 0 });
    this.pushRoom({ unreadFrom: (this.items.at(-1)?.order ?? 0) + 1 });
    return done;
  }

  async sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    this.calls.push(`sendText ${text}`);
    return this.#say(roomId, text, null);
  }

  async reply(roomId: string, to: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    this.calls.push(`reply ${to} ${text}`);
    const target = this.messageOf(to);
    if (target === null) return failed('MESSAGE_UNKNOWN');
    return this.#say(roomId, text, { id: to, senderName: target.senderName, text: target.text });
  }

  async confirmSend(_roomId: string, id: string): Promise<Outcome<void>> {
    this.calls.push(`confirmSend ${id}`);
    return this.#answer(id, 'waiting', (target) => this.put({ ...target, state: 'sending', newcomers: [] }));
  }

  async discard(_roomId: string, id: string): Promise<Outcome<void>> {
    this.calls.push(`discard ${id}`);
    return this.#answer(id, 'waiting', () => this.take(id));
  }

  async resend(roomId: string, id: string): Promise<Outcome<{ readonly id: string }>> {
    this.calls.push(`resend ${id}`);
    const text = this.messageOf(id)?.text ?? '';
    const answered = await this.#answer(id, 'lost', () => this.take(id));
    return answered.ok ? this.#say(roomId, text, null) : answered;
  }

  async react(_roomId: string, to: string, emoji: string, on: boolean): Promise<Outcome<void>> {
    this.calls.push(`react ${to} ${emoji} ${String(on)}`);
    await this.wait();
    const target = this.messageOf(to);
    if (target === null) return failed('MESSAGE_UNKNOWN');
    const me = 'Amina Belkacem';
    const before = target.reactions.find((one) => one.emoji === emoji);
    const others = before?.names.filter((name) => name !== me) ?? [];
    const names = on ? [...others, me] : others;
    const changed: ReactionView = { emoji, count: names.length, mine: on, names };
    const reactions =
      before === undefined
        ? [...target.reactions, changed]
        : target.reactions.map((one) => (one === before ? changed : one));
    this.put({ ...target, reactions: reactions.filter(({ count }) => count > 0) });
    return done;
  }

  async editMessage(_roomId: string, id: string, text: string): Promise<Outcome<void>> {
    this.calls.push(`editMessage ${id} ${text}`);
    return this.#own(id, (target) => ({ ...target, text, edited: true }));
  }

  async deleteMessage(_roomId: string, id: string): Promise<Outcome<void>> {
    this.calls.push(`deleteMessage ${id}`);
    return this.#own(id, (target) => ({ ...target, text: '', deleted: true, reactions: [], replyTo: null }));
  }

  share(changes: Partial<Sharing>): Promise<Outcome<void>> {
    this.calls.push(`share ${JSON.stringify(changes)}`);
    if (this.sharingRefused) return Promise.resolve(failed('VAULT_FULL'));
    this.pushApp({ sharing: { ...this.app.sharing, ...changes } });
    return Promise.resolve(done);
  }

  typing(roomId: string): Promise<Outcome<void>> {
    this.calls.push(`typing ${roomId}`);
    return Promise.resolve(done);
  }

  async setDraft(roomId: string, text: string): Promise<Outcome<void>> {
    this.calls.push(`setDraft ${text}`);
    await this.wait();
    this.listRoom(roomId, { draft: text });
    if (roomId === this.room.roomId) this.pushRoom({ draft: text });
    return done;
  }

  async relaySees(_roomId: string, limit: number): Promise<Outcome<readonly RelayRow[]>> {
    this.calls.push(`relaySees ${String(limit)}`);
    await this.wait();
    return ok(relayRows(this.items).slice(-limit));
  }

  async #answer(
    id: string,
    state: TimelineMessage['state'],
    apply: (target: TimelineMessage) => void,
  ): Promise<Outcome<void>> {
    await this.wait();
    const target = this.messageOf(id);
    if (target?.state !== state) return failed('MESSAGE_UNKNOWN');
    apply(target);
    this.pushRoom({ held: this.room.held.filter((held) => held !== id) });
    return done;
  }

  async #own(id: string, change: (target: TimelineMessage) => TimelineMessage): Promise<Outcome<void>> {
    await this.wait();
    const target = this.messageOf(id);
    if (target === null) return failed('MESSAGE_UNKNOWN');
    if (!target.mine) return failed('NOT_YOURS');
    this.put(change(target));
    return done;
  }

  async #say(
    _roomId: string,
    text: string,
    replyTo: TimelineMessage['replyTo'],
  ): Promise<Outcome<{ readonly id: string }>> {
    await this.wait();
    if (text.startsWith('/too-long')) return failed('TEXT_TOO_LONG');
    this.#sent += 1;
    const id = `sent${String(this.#sent)}`;
    const order = Math.max(10_000, this.items.at(-1)?.order ?? 0) + 1;
    const pending = { state: 'sending', readBy: 0, readers: [], replyTo } as const;
    this.put(message(id, order, Date.now(), 0, text, pending));
    setTimeout(() => {
      const sent = this.messageOf(id);
      if (sent !== null) this.put({ ...sent, state: 'relayed' });
    }, this.pace * 2);
    return ok({ id });
  }
}
