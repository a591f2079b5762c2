/**
 * What a member says (docs/protocol.md section 6): contents for the outbox, checked against
 * the conversation first, so that nothing is sent that nobody would count (G3).
 */
import { ERROR_CODES, type AnyContent, type Content, type Position, type Target } from '@0fc/protocol';
import { ClientError } from '../errors.js';
import { Conversation, type Said } from './conversation.js';
import type { RoomHandle } from './handle.js';
import { knownContent } from './take-message.js';

export class Talk {
  readonly #room: RoomHandle;
  readonly #send: (content: AnyContent) => Promise<string>;
  readonly conversation: Conversation;

  /** `send` stores a content in the outbox and answers with its message's id; NOT_MEMBER. */
  constructor(room: RoomHandle, send: (content: AnyContent) => Promise<string>) {
    this.#room = room;
    this.#send = send;
    this.conversation = new Conversation(room.state);
  }

  async say(text: string): Promise<{ readonly id: string }> {
    return { id: await this.#put({ type: 'text', text }) };
  }

  /** `to`: a message's id. Rejects with MESSAGE_UNKNOWN. */
  async reply(to: string, text: string): Promise<{ readonly id: string }> {
    return { id: await this.#put({ type: 'reply', to: targetOf(this.#standing(to)), text }) };
  }

  /** Rejects with MESSAGE_UNKNOWN. What stands already is not said again. */
  async react(to: string, emoji: string, on: boolean): Promise<void> {
    const said = this.#standing(to);
    const { me } = this.#room.state.core;
    const { reactions } = this.conversation.fateOf(said);
    const stands = reactions.some((known) => known.emoji === emoji && known.members.includes(me));
    if (stands !== on) await this.#put({ type: 'reaction', to: targetOf(said), emoji, on });
  }

  /** Rejects with MESSAGE_UNKNOWN, NOT_YOURS. */
  async edit(id: string, text: string): Promise<void> {
    const said = this.#own(id);
    if ((this.conversation.fateOf(said).text ?? said.text) === text) return;
    await this.#put({ type: 'edit', to: targetOf(said), text });
  }

  /** Rejects with MESSAGE_UNKNOWN, NOT_YOURS. */
  async delete(id: string): Promise<void> {
    await this.#put({ type: 'delete', to: targetOf(this.#own(id)) });
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

  /** Tells the others that everything up to a position has been read. */
  async readUpTo(position: Position): Promise<void> {
    // Stored by the write that puts the marker into the outbox.
    this.#room.state.core.told = { ...position };
    await this.#put({ type: 'readMarker', position });
  }

  #put(content: Content): Promise<string> {
    return this.#send({ ...content });
  }

  /** A message that is here and has not been deleted. */
  #standing(id: string): Said {
    this.conversation.follow();
    const said = this.conversation.find(id);
    if (said === null || this.conversation.fateOf(said).deleted) {
      throw new ClientError(ERROR_CODES.MESSAGE_UNKNOWN);
    }
    return said;
  }

  #own(id: string): Said {
    const said = this.#standing(id);
    if (said.sender !== this.#room.state.core.me) throw new ClientError(ERROR_CODES.NOT_YOURS);
    return said;
  }

  /** A name that is on its way; null for none. */
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

const targetOf = ({ sender, instance, n }: Said): Target => ({ sender, instance, n });
