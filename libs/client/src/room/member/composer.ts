/**
 * The commands of a member on messages (docs/protocol.md section 6): contents for the outbox, checked against the
 * conversation first, so that nothing is sent that other clients would ignore (G3).
 */
import { ERROR_CODES, type AnyContent, type Content, type Position, type Target } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import { Conversation } from '../conversation/conversation.js';
import type { ConversationMessage } from '../conversation/lines.js';
import type { RoomHandle } from '../outgoing/part.js';
import { knownContent } from '../../vault/content.js';
import { eraseWaiting, settled } from '../log/erase.js';
import { admittedSince } from '../log/lost.js';
import { putOutbox, set } from '../state/draft.js';
import type { OutboxItem } from '../../vault/records.js';
import type { Beside } from './outbox.js';

/** Stores a content in the outbox, and resolves with the id of its message. Rejects with NOT_MEMBER. */
export type Send = (content: AnyContent, more?: Beside) => Promise<string>;

export class Composer {
  readonly #room: RoomHandle;
  readonly #send: Send;
  readonly conversation: Conversation;

  constructor(room: RoomHandle, send: Send) {
    this.#room = room;
    this.#send = send;
    this.conversation = new Conversation(room.state);
  }

  async sendText(text: string): Promise<{ readonly id: string }> {
    return { id: await this.#put({ type: 'text', text }) };
  }

  /** `to`: a message's id. Rejects with MESSAGE_UNKNOWN. */
  async reply(to: string, text: string): Promise<{ readonly id: string }> {
    return { id: await this.#put({ type: 'reply', to: targetOf(await this.#undeleted(to)), text }) };
  }

  /** Rejects with MESSAGE_UNKNOWN. Sends nothing where the reaction is set that way already. */
  async react(to: string, emoji: string, on: boolean): Promise<void> {
    const message = await this.#undeleted(to);
    const { me } = this.#room.state.core;
    const { reactions } = this.conversation.annotationsOf(message);
    const isSet = reactions.some((known) => known.emoji === emoji && known.members.includes(me));
    if (isSet !== on) await this.#put({ type: 'reaction', to: targetOf(message), emoji, on });
  }

  /** Rejects with MESSAGE_UNKNOWN, NOT_YOURS. */
  async edit(id: string, text: string): Promise<void> {
    const message = await this.#own(id);
    if ((this.conversation.annotationsOf(message).text ?? message.text) === text) return;
    await this.#put({ type: 'edit', to: targetOf(message), text });
  }

  /** Rejects with MESSAGE_UNKNOWN, NOT_YOURS. */
  async delete(id: string): Promise<void> {
    const message = await this.#own(id);
    const { state } = this.#room;
    const waits = this.conversation.itemsOf(message).find((item) => admittedSince(state, item).length > 0);
    if (waits?.n !== message.n) {
      await this.#put({ type: 'delete', to: targetOf(message) });
      return;
    }
    // No other member has the line: its counter is sent as a void, and there is nothing to delete elsewhere.
    await this.#room.write((draft) => {
      if (draft.outbox.get(message.n)?.sealed === null) eraseWaiting(draft, message);
    });
    this.#room.signal();
  }

  /**
   * Sends a waiting line to all current members. Rejects with MESSAGE_UNKNOWN where nothing of the line waits for a
   * decision.
   */
  async confirm(id: string): Promise<void> {
    await this.#answer(id, (item) => ({ ...item, confirmed: true }));
  }

  /**
   * Discards a waiting line: its counter is sent as a void. Rejects with MESSAGE_UNKNOWN where nothing of the line
   * waits for a decision.
   */
  async discard(id: string): Promise<void> {
    await this.#answer(
      id,
      (item) => ({ ...item, content: { type: 'void' }, sealed: null, confirmed: true }),
      true,
    );
  }

  /**
   * Sends the text of a lost line as a new one, to everybody who is a member now, and deletes the lost one: who had read it would
   * keep it beside the new one, and after that was deleted. Rejects with MESSAGE_UNKNOWN.
   */
  async resend(id: string): Promise<{ readonly id: string }> {
    const message = await this.#own(id);
    if (message.lost === null || message.text === null) throw new ClientError(ERROR_CODES.MESSAGE_UNKNOWN);
    const { replyTo } = message;
    const text = this.conversation.annotationsOf(message).text ?? message.text;
    const { state } = this.#room;
    // The user has decided about the old line: it is removed, here at once, and the new one replaces it.
    const beside = await state.inTurn(() => settled(state, message));
    const content: Content = replyTo === null ? { type: 'text', text } : { type: 'reply', to: replyTo, text };
    return { id: await this.#put(content, { beside, after: [{ type: 'delete', to: targetOf(message) }] }) };
  }

  /** `whole`: where a line is answered for, what waits to change it goes as nothing. */
  async #answer(id: string, answered: (item: OutboxItem) => OutboxItem, whole = false): Promise<void> {
    const message = await this.#find(id);
    const asked = message === null ? [] : this.conversation.itemsOf(message).map(({ n }) => n);
    await this.#room.write((draft) => {
      const items = asked.flatMap((n) => draft.outbox.get(n) ?? []);
      const held = items.filter((item) => admittedSince(draft, item).length > 0);
      if (held.length === 0) throw new ClientError(ERROR_CODES.MESSAGE_UNKNOWN);
      for (const item of held) draft.apply(putOutbox(answered(item)));
      if (whole && message !== null && held.some(({ n }) => n === message.n)) eraseWaiting(draft, message);
    });
    this.#room.signal();
  }

  async renameMe(name: string): Promise<void> {
    const { state } = this.#room;
    const known = this.#waitingName('profile') ?? state.nameOf(state.core.me);
    if (known !== name) await this.#put({ type: 'profile', name });
  }

  /** Owner only: NOT_OWNER. */
  async renameRoom(name: string): Promise<void> {
    const { state } = this.#room;
    if (!state.isOwner) throw new ClientError(ERROR_CODES.NOT_OWNER);
    const known = this.#waitingName('roomName') ?? state.core.roomName?.name;
    if (known !== name) await this.#put({ type: 'roomName', name });
  }

  /** Sends a read marker for everything up to a position. */
  async readUpTo(position: Position): Promise<void> {
    await this.#put({ type: 'readMarker', position }, { beside: [set({ lastReadMarker: position })] });
  }

  #put(content: Content, more: Beside = {}): Promise<string> {
    return this.#send({ ...content }, more);
  }

  /** The message with this id. Rejects with MESSAGE_UNKNOWN where there is none or it is deleted. */
  async #undeleted(id: string): Promise<ConversationMessage> {
    const message = await this.#find(id);
    if (message === null || this.conversation.annotationsOf(message).deleted) {
      throw new ClientError(ERROR_CODES.MESSAGE_UNKNOWN);
    }
    return message;
  }

  async #own(id: string): Promise<ConversationMessage> {
    const message = await this.#undeleted(id);
    if (message.sender !== this.#room.state.core.me) throw new ClientError(ERROR_CODES.NOT_YOURS);
    return message;
  }

  /** Looks up a line by id, also before the window; null: there is none. */
  async #find(id: string): Promise<ConversationMessage | null> {
    await this.conversation.prepare();
    if (this.conversation.find(id) === null) await this.conversation.seek(id);
    return this.conversation.find(id);
  }

  /** The last name in the outbox; null for none. */
  #waitingName(type: 'profile' | 'roomName'): string | null {
    const names = [...this.#room.state.outbox.values()]
      .sort((a, b) => a.n - b.n)
      .flatMap((item) => {
        const content = knownContent(item.content);
        return content?.type === type ? [content.name] : [];
      });
    return names.at(-1) ?? null;
  }
}

const targetOf = ({ sender, instance, n }: ConversationMessage): Target => ({ sender, instance, n });
