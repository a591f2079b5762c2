import { Component, computed, inject, input, signal } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import type { Answer } from './conversation';
import { Conversation } from './conversation';

interface Choice {
  readonly answer: Answer;
  readonly words: string;
}

const SEND_TO_ALL: Choice = { answer: 'confirmSend', words: 'room.sendToAll' };
const DISCARD: Choice = { answer: 'discard', words: 'room.discard' };
const SEND_AGAIN: Choice = { answer: 'sendAgain', words: 'room.sendAgain' };

/** Below a line that waits for its sender's answer, or that the relay lost: why, and what can be done about it. */
@Component({
  selector: 'zfc-unsent-line',
  imports: [Icon],
  host: { class: 'unsent', role: 'group', '[attr.aria-labelledby]': 'id()', 'data-testid': 'unsent' },
  template: `
    <p class="unsent__why" [id]="id()">
      <zfc-icon [name]="message().state === 'lost' ? 'info' : 'clock'" [small]="true" /><span>{{
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
  `,
})
export class UnsentLine {
  readonly #i18n = inject(I18n);
  readonly #format = inject(Format);
  readonly #conversation = inject(Conversation);
  protected readonly t = this.#i18n.t;
  readonly message = input.required<TimelineMessage>();
  protected readonly busy = signal(false);
  protected readonly id = computed(() => `unsent-${this.message().id}`);
  protected readonly why = computed(() => {
    const { state, newcomers } = this.message();
    if (newcomers.length === 0) return this.t(state === 'lost' ? 'room.lostAlone' : 'room.waitsAlone');
    const names = this.#format.list(newcomers.map((name) => name || this.t('common.someone')));
    return this.#i18n.count(state === 'lost' ? 'room.lost' : 'room.waits', newcomers.length, { names });
  });
  protected readonly choices = computed<readonly Choice[]>(() => {
    if (!this.#conversation.writable()) return [];
    if (this.message().state === 'lost') return [SEND_AGAIN];
    // Of a line that was deleted while it waited there is nothing to send.
    return this.message().deleted ? [DISCARD] : [SEND_TO_ALL, DISCARD];
  });

  protected async choose(answer: Answer): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    await this.#conversation.answer(this.message(), answer);
    this.busy.set(false);
  }
}
