import { Component, computed, inject, input, signal } from '@angular/core';
import type { Failure, TimelineMessage } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { PAGE_CODES } from '../../core/page-codes';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import type { Answer } from './conversation-store';
import { ConversationStore } from './conversation-store';

interface Choice {
  readonly answer: Answer;
  readonly words: string;
}

const SEND_TO_ALL: Choice = { answer: 'confirmSend', words: 'room.sendToAll' };
const DISCARD: Choice = { answer: 'discard', words: 'room.discard' };
const RESEND: Choice = { answer: 'resend', words: 'room.resend' };

/**
 * Below a line that waits for its sender's answer, that the relay lost, or that its room's end has left unsent: why,
 * and what can be done about it.
 */
@Component({
  selector: 'zfc-unsent-line',
  imports: [ErrorMessage, Icon],
  host: { class: 'unsent', role: 'group', '[attr.aria-labelledby]': 'id()', 'data-testid': 'unsent' },
  template: `
    <p class="unsent__why" [id]="id()">
      <zfc-icon [name]="message().state === 'waiting' ? 'clock' : 'info'" [small]="true" /><span>{{
        why()
      }}</span>
    </p>
    @if (choices().length > 0) {
      <div class="unsent__acts">
        @for (choice of choices(); track choice.answer) {
          <button
            class="btn btn--line"
            type="button"
            [attr.data-testid]="choice.answer"
            [attr.aria-describedby]="id()"
            [attr.aria-busy]="busy()"
            (click)="choose(choice.answer)"
          >
            {{ t(choice.words) }}
          </button>
        }
      </div>
    }
    @if (message().state === 'unsent') {
      <div class="unsent__acts">
        <button
          class="btn btn--line"
          type="button"
          data-testid="copy-unsent"
          [attr.aria-describedby]="id()"
          (click)="copy()"
        >
          <zfc-icon [name]="copied() ? 'check' : 'copy'" [small]="true" />{{
            t(copied() ? 'common.copied' : 'room.copyText')
          }}
        </button>
      </div>
      <zfc-error [failure]="failure()" />
    }
  `,
})
export class UnsentLine {
  readonly #i18n = inject(I18n);
  readonly #format = inject(Format);
  readonly #conversation = inject(ConversationStore);
  protected readonly t = this.#i18n.t;
  readonly message = input.required<TimelineMessage>();
  protected readonly busy = signal(false);
  protected readonly copied = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly id = computed(() => `unsent-${this.message().id}`);
  protected readonly why = computed(() => {
    const { state, newcomers } = this.message();
    if (state === 'unsent') return this.t('room.notSent');
    if (newcomers.length === 0) return this.t(state === 'lost' ? 'room.lostAlone' : 'room.waitsAlone');
    const names = this.#format.list(newcomers.map((name) => name || this.t('common.someone')));
    return this.#i18n.count(state === 'lost' ? 'room.lost' : 'room.waits', newcomers.length, { names });
  });
  protected readonly choices = computed<readonly Choice[]>(() => {
    if (!this.#conversation.writable() || this.message().state === 'unsent') return [];
    if (this.message().state === 'lost') return [RESEND];
    // Of a line that was deleted while it waited there is nothing to send.
    return this.message().deleted ? [DISCARD] : [SEND_TO_ALL, DISCARD];
  });

  protected async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.message().text);
      this.failure.set(null);
      this.copied.set(true);
    } catch {
      this.failure.set({ code: PAGE_CODES.CLIPBOARD_REFUSED });
    }
  }

  protected async choose(answer: Answer): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    await this.#conversation.answer(this.message(), answer);
    this.busy.set(false);
  }
}
