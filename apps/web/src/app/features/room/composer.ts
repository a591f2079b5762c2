import type { ElementRef } from '@angular/core';
import {
  afterNextRender,
  Component,
  computed,
  effect,
  inject,
  Injector,
  input,
  output,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import type { Failure, RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { ConversationStore } from './conversation-store';
import type { Writing } from './conversation-store';
import { WritingStrip } from './writing-strip';

const MOST_ROWS = 6;
/** The typing signal is sent at most this often, in milliseconds. */
const TYPING_INTERVAL_MS = 3_000;

/** Writes one message. What is written leaves the field only once it is stored to be sent. */
@Component({
  selector: 'zfc-composer',
  imports: [ErrorMessage, Icon, WritingStrip],
  host: { class: 'contents', '(document:visibilitychange)': 'keep()' },
  template: `
    <form class="composer" (submit)="$event.preventDefault(); send()">
      <zfc-error [failure]="failure() ?? conversation.failure()" id="composer-error" />
      <zfc-writing-strip />
      <div class="composer__box">
        <textarea
          #field
          data-testid="composer"
          autocomplete="off"
          dir="auto"
          [rows]="rows()"
          [value]="text()"
          [placeholder]="label()"
          [attr.aria-label]="label()"
          aria-describedby="composer-error composer-about composer-note"
          enterkeyhint="send"
          (input)="changed(field.value)"
          (blur)="keep()"
          (keydown)="pressed($event)"
        ></textarea>
        <button
          class="icon-btn icon-btn--accent"
          type="submit"
          data-testid="send"
          [attr.aria-label]="sendLabel()"
          [title]="sendLabel()"
          [disabled]="blank() || busy()"
        >
          <zfc-icon [name]="writing().kind === 'edit' ? 'check' : 'send'" />
        </button>
      </div>
      <p class="composer__note only-wide" id="composer-note">
        <span>
          @if (room().key; as key) {
            {{ t('room.sealed', { epoch: key.epoch }) }}
          }
        </span>
        <span
          >{{ t('room.enterHint') }} ·
          <button class="linklike" type="button" data-testid="all-keys" (click)="keys.emit()">
            {{ t('room.allKeys') }}
          </button></span
        >
      </p>
    </form>
  `,
})
export class Composer {
  readonly #store = inject(AppStore);
  readonly #i18n = inject(I18n);
  readonly #injector = inject(Injector);
  protected readonly conversation = inject(ConversationStore);
  private readonly field = viewChild.required<ElementRef<HTMLTextAreaElement>>('field');
  protected readonly t = this.#i18n.t;
  readonly room = input.required<RoomView>();
  readonly sent = output();
  /** the list of keys is asked for */
  readonly keys = output();
  protected readonly writing = this.conversation.writing;
  readonly #draft = signal('');
  /** the text of the message that is being changed; the draft waits meanwhile */
  readonly #edited = signal('');
  protected readonly text = computed(() => (this.writing().kind === 'edit' ? this.#edited() : this.#draft()));
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly blank = computed(() => this.text().trim() === '');
  protected readonly rows = computed(() => Math.min(MOST_ROWS, this.text().split('\n').length));
  protected readonly sendLabel = computed(() =>
    this.t(this.writing().kind === 'edit' ? 'room.saveEdit' : 'room.send'),
  );
  protected readonly label = computed(() => {
    const others = this.room().members.length - 1;
    return others < 1 ? this.t('room.messageAlone') : this.#i18n.count('room.message', others);
  });
  #typingSentAt = -Infinity;

  constructor() {
    this.conversation.onBegin((writing) => this.#begin(writing));
    const roomId = computed(() => this.room().roomId);
    effect(() => {
      const id = roomId();
      untracked(() => {
        this.#draft.set(this.#store.drafts.text(id, this.room().draft));
        this.failure.set(null);
        this.conversation.reset();
      });
    });
    effect(() => {
      if (this.writing().kind === 'new') return;
      // After the field has its text, so that one goes on at its end.
      afterNextRender(() => this.focus(), { injector: this.#injector });
    });
  }

  /** Not with the next rendering: what is typed until then is an addition to the text, and not lost to it. */
  #begin(writing: Writing): void {
    if (writing.kind === 'edit') {
      this.#edited.set(writing.message.text);
      this.field().nativeElement.value = writing.message.text;
    }
    this.focus();
  }

  focus(): void {
    const field = this.field().nativeElement;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  protected changed(text: string): void {
    if (this.writing().kind === 'edit') {
      this.#edited.set(text);
      return;
    }
    const { roomId } = this.room();
    this.#draft.set(text);
    this.#store.drafts.keep(roomId, text);
    if (this.#store.sharing()?.typing !== true) return;
    if (text.trim() === '' || performance.now() - this.#typingSentAt < TYPING_INTERVAL_MS) return;
    this.#typingSentAt = performance.now();
    void this.#store.run((api) => api.typing(roomId));
  }

  /** The vault gets the draft when one turns to something else. */
  protected keep(): void {
    void this.#store.drafts.flush();
  }

  protected pressed(event: KeyboardEvent): void {
    // An input method's keys pick a word; they are not the end of the message.
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void this.send();
    } else if (event.key === 'Escape' && this.writing().kind !== 'new') {
      event.preventDefault();
      this.conversation.writeNew();
    } else if (event.key === 'ArrowUp' && this.text() === '' && this.conversation.editLast()) {
      event.preventDefault();
    }
  }

  protected async send(): Promise<void> {
    if (this.blank() || this.busy()) return;
    const writing = this.writing();
    this.failure.set(null);
    if (writing.kind !== 'edit') await this.#say(writing);
    else if (this.#edited() === writing.message.text) this.conversation.writeNew();
    else await this.#change(writing.message.id);
  }

  async #change(id: string): Promise<void> {
    const { roomId } = this.room();
    const text = this.#edited();
    this.busy.set(true);
    const outcome = await this.#store.run((api) => api.editMessage(roomId, id, text));
    this.busy.set(false);
    if (outcome.ok) this.conversation.writeNew();
    else this.failure.set(outcome.error);
  }

  async #say(writing: Writing): Promise<void> {
    const { roomId } = this.room();
    const { drafts } = this.#store;
    const text = this.#draft();
    // The field is cleared at once, so that the next message can be typed, and given back on failure.
    this.changed('');
    this.conversation.writeNew();
    this.sent.emit();
    const outcome = await this.#store.run((api) =>
      writing.kind === 'reply' ? api.reply(roomId, writing.message.id, text) : api.sendText(roomId, text),
    );
    if (outcome.ok) {
      await drafts.flush();
      return;
    }
    const kept = drafts.text(roomId);
    drafts.keep(roomId, kept === '' ? text : `${text}\n${kept}`);
    if (this.room().roomId !== roomId) return;
    this.#draft.set(drafts.text(roomId));
    this.conversation.writeAgain(writing);
    this.failure.set(outcome.error);
  }
}
