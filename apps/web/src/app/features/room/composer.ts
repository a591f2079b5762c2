import type { ElementRef } from '@angular/core';
import {
  Component,
  computed,
  effect,
  inject,
  input,
  output,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import type { Failure, RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../ui/error-message';
import { Icon } from '../../ui/icon';

const MOST_ROWS = 6;

/** Writes one message. What is written leaves the field only once it is stored to be sent. */
@Component({
  selector: 'zfc-composer',
  imports: [ErrorMessage, Icon],
  host: { class: 'contents' },
  template: `
    <form class="composer" (submit)="$event.preventDefault(); send()">
      <zfc-error [failure]="failure()" id="composer-error" />
      <div class="composer__box">
        <textarea
          #field
          data-testid="composer"
          dir="auto"
          [rows]="rows()"
          [value]="text()"
          [placeholder]="label()"
          [attr.aria-label]="label()"
          aria-describedby="composer-error composer-note"
          enterkeyhint="send"
          (input)="changed(field.value)"
          (keydown.enter)="entered($event)"
        ></textarea>
        <button
          class="icon-btn icon-btn--accent"
          type="submit"
          data-testid="send"
          [attr.aria-label]="t('room.send')"
          [title]="t('room.send')"
          [disabled]="blank()"
        >
          <zfc-icon name="send" />
        </button>
      </div>
      <p class="composer__note only-wide" id="composer-note">
        <span>
          @if (room().key; as key) {
            {{ t('room.sealed', { epoch: key.epoch }) }}
          }
        </span>
        <span>{{ t('room.enterHint') }}</span>
      </p>
    </form>
  `,
})
export class Composer {
  readonly #store = inject(AppStore);
  readonly #i18n = inject(I18n);
  private readonly field = viewChild.required<ElementRef<HTMLTextAreaElement>>('field');
  protected readonly t = this.#i18n.t;
  readonly room = input.required<RoomView>();
  readonly sent = output();
  protected readonly text = signal('');
  protected readonly failure = signal<Failure | null>(null);
  protected readonly blank = computed(() => this.text().trim() === '');
  protected readonly rows = computed(() => Math.min(MOST_ROWS, this.text().split('\n').length));
  protected readonly label = computed(() => {
    const others = this.room().members.length - 1;
    return others < 1 ? this.t('room.messageAlone') : this.#i18n.count('room.message', others);
  });

  constructor() {
    const roomId = computed(() => this.room().roomId);
    effect(() => {
      const id = roomId();
      untracked(() => {
        this.text.set(this.#store.drafts.text(id, this.room().draft));
        this.failure.set(null);
      });
    });
  }

  focus(): void {
    this.field().nativeElement.focus();
  }

  protected changed(text: string): void {
    this.text.set(text);
    this.#store.drafts.keep(this.room().roomId, text);
  }

  protected entered(event: Event): void {
    // An input method's Enter picks a word; it is not the end of the message.
    if (!(event instanceof KeyboardEvent) || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void this.send();
  }

  protected async send(): Promise<void> {
    if (this.blank()) return;
    const { roomId } = this.room();
    const text = this.text();
    // The field is cleared at once, so that the next message can be typed, and given back on failure.
    this.changed('');
    this.failure.set(null);
    this.sent.emit();
    const outcome = await this.#store.run((api) => api.sendText(roomId, text));
    if (outcome.ok) return;
    const kept = this.#store.drafts.text(roomId);
    this.#store.drafts.keep(roomId, kept === '' ? text : `${text}\n${kept}`);
    if (this.room().roomId === roomId) this.text.set(this.#store.drafts.text(roomId));
    this.failure.set(outcome.error);
  }
}
