import { LiveAnnouncer } from '@angular/cdk/a11y';
import { computed, inject, Injectable, signal } from '@angular/core';
import type { Failure, Outcome, TimelineMessage } from '@0fc/client/api';

import type { ClientConnection } from '../../core/client-connection';
import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { PAGE_CODES } from '../../core/page-codes';

/** What the composer's text will be once it is sent. */
export type Writing =
  | { readonly kind: 'new' }
  | { readonly kind: 'reply'; readonly message: TimelineMessage }
  | { readonly kind: 'edit'; readonly message: TimelineMessage };

/** What its sender answers about a line that waits (the first two), or that was lost. */
export type Answer = 'confirmSend' | 'discard' | 'resend';

const NEW: Writing = { kind: 'new' };

/** Nothing but its sender moves it on: by an answer, or with a copy of its text. */
export const isUnsent = ({ state }: TimelineMessage): boolean =>
  state === 'waiting' || state === 'lost' || state === 'unsent';

/** What one does with the messages of the room on screen. One per room page. */
@Injectable()
export class ConversationStore {
  readonly #store = inject(AppStore);
  readonly #announcer = inject(LiveAnnouncer);
  readonly #t = inject(I18n).t;
  readonly #writing = signal<Writing>(NEW);
  readonly #active = signal<string | null>(null);
  readonly #picking = signal<string | null>(null);
  readonly #deleting = signal<TimelineMessage | null>(null);
  readonly #readersOf = signal<string | null>(null);
  readonly #answered = signal<string | null>(null);
  readonly #failure = signal<Failure | null>(null);
  #begun: ((writing: Writing) => void) | null = null;

  readonly writing = this.#writing.asReadonly();
  /** id of the message whose tools are shown */
  readonly active = this.#active.asReadonly();
  /** id of the message that a reaction is chosen for */
  readonly picking = this.#picking.asReadonly();
  /** the message that is deleted once that is confirmed */
  readonly deleting = this.#deleting.asReadonly();
  /** id of the message whose readers are named */
  readonly readersOf = this.#readersOf.asReadonly();
  /** id of the line that was answered for last */
  readonly answered = this.#answered.asReadonly();
  /** why the last act failed */
  readonly failure = this.#failure.asReadonly();
  /** only a member may say anything, and a closing room takes nothing in */
  readonly writable = computed(() => {
    const room = this.#store.room();
    return room?.stage === 'member' && !room.closing;
  });
  readonly here = computed(
    () => new Set(this.#store.room()?.members.flatMap((one) => (one.online ? [one.memberId] : []))),
    { equal: (a, b) => a.size === b.size && [...a].every((id) => b.has(id)) },
  );

  activate(id: string | null): void {
    this.#active.set(id);
    if (this.#picking() !== id) this.#picking.set(null);
  }

  pick(id: string | null): void {
    if (id !== null && !this.writable()) return;
    this.#failure.set(null);
    this.#picking.set(id);
  }

  replyTo(message: TimelineMessage): void {
    if (this.writable() && !message.deleted) this.#begin({ kind: 'reply', message });
  }

  /** A change of a line that waits or is lost would reach whom the line itself does not. */
  mayEdit(message: TimelineMessage): boolean {
    return this.mayDelete(message) && !message.unsupported && !isUnsent(message);
  }

  /** A line that waits is discarded instead: a deletion would wait behind it. */
  mayDelete(message: TimelineMessage): boolean {
    return this.writable() && message.mine && !message.deleted && message.state !== 'waiting';
  }

  edit(message: TimelineMessage): void {
    if (this.mayEdit(message)) this.#begin({ kind: 'edit', message });
  }

  /** The newest own message that can still be changed. */
  editLast(): boolean {
    const last = this.#store.timeline().findLast((item) => item.type === 'message' && this.mayEdit(item));
    if (last?.type !== 'message') return false;
    this.#begin({ kind: 'edit', message: last });
    return true;
  }

  /** The composer takes an answer or a change up at once: no key typed then goes astray. */
  onBegin(begun: (writing: Writing) => void): void {
    this.#begun = begun;
  }

  /** Back to a new message. */
  writeNew(): void {
    this.#writing.set(NEW);
  }

  /** What could not be sent is to be sent again. */
  writeAgain(writing: Writing): void {
    if (this.#writing().kind === 'new') this.#writing.set(writing);
  }

  askDelete(message: TimelineMessage | null): void {
    this.#failure.set(null);
    if (message === null || this.mayDelete(message)) this.#deleting.set(message);
  }

  askReaders(id: string | null): void {
    this.#readersOf.set(id);
  }

  async confirmDelete(): Promise<void> {
    const message = this.#deleting();
    if (message === null) return;
    const deleted = await this.#do((api, roomId) => api.deleteMessage(roomId, message.id));
    if (!deleted) return;
    this.#deleting.set(null);
    this.#isGone(message);
  }

  /** Nothing that waits or is lost goes out without this. */
  async answer(message: TimelineMessage, answer: Answer): Promise<void> {
    if (!this.writable()) return;
    if (!(await this.#do((api, roomId) => api[answer](roomId, message.id)))) return;
    if (answer === 'discard') this.#isGone(message);
    this.#answered.set(message.id);
    await this.#announcer.announce(this.#t(`room.answered.${answer}`));
  }

  async react(message: TimelineMessage, emoji: string): Promise<void> {
    if (!this.writable()) return;
    const on = !message.reactions.some((one) => one.emoji === emoji && one.mine);
    this.#picking.set(null);
    await this.#do((api, roomId) => api.react(roomId, message.id, emoji, on));
  }

  async copy(message: TimelineMessage): Promise<void> {
    try {
      await navigator.clipboard.writeText(message.text);
    } catch {
      this.#failure.set({ code: PAGE_CODES.CLIPBOARD_REFUSED });
      return;
    }
    await this.#announcer.announce(this.#t('common.copied'));
  }

  /** Another room is on screen: nothing of this one is under way any more. */
  reset(): void {
    this.#writing.set(NEW);
    this.#active.set(null);
    this.#picking.set(null);
    this.#deleting.set(null);
    this.#readersOf.set(null);
    this.#answered.set(null);
    this.#failure.set(null);
  }

  /** What was being written about a message that is no more is written as a new one. */
  #isGone(message: TimelineMessage): void {
    const writing = this.#writing();
    if (writing.kind !== 'new' && writing.message.id === message.id) this.writeNew();
  }

  #begin(writing: Writing): void {
    this.#failure.set(null);
    this.#picking.set(null);
    this.#writing.set(writing);
    this.#begun?.(writing);
  }

  async #do(
    act: (api: ClientConnection['api'], roomId: string) => Promise<Outcome<unknown>>,
  ): Promise<boolean> {
    const roomId = this.#store.room()?.roomId;
    if (roomId === undefined) return false;
    this.#failure.set(null);
    const outcome = await this.#store.run((api) => act(api, roomId));
    if (!outcome.ok) this.#failure.set(outcome.error);
    return outcome.ok;
  }
}
