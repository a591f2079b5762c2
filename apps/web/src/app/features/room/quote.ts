import { Component, computed, inject, input } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { Explain } from '../../core/explain';
import { I18n } from '../../core/i18n';
import { QuoteSeeker } from './quote-seeker';

/** What a message answers: a way to it where it is on this device. */
@Component({
  selector: 'zfc-quote',
  host: { class: 'contents' },
  template: `
    @if (message().replyTo; as quoted) {
      @if (quoted.id; as id) {
        <button
          class="quote"
          type="button"
          data-testid="quote"
          [attr.aria-busy]="loading()"
          (click)="seeker.seek(message().id, id)"
        >
          <b
            ><bdi>{{ quoted.senderName || t('common.someone') }}</bdi></b
          >&ngsp;<bdi>{{ quoted.text || t('room.quoteEmpty') }}</bdi>
        </button>
      } @else {
        <span class="quote" data-testid="quote">
          <b
            ><bdi>{{ quoted.senderName || t('common.someone') }}</bdi></b
          >&ngsp;<bdi>{{ t('room.quoteNotHere') }}</bdi>
        </span>
      }
      @if (status(); as status) {
        <p class="quote__told" role="status" data-testid="quote-told">
          @if (loading()) {
            <span class="spinner"></span>
          }
          {{ status }}
        </p>
      }
    }
  `,
})
export class Quote {
  readonly #i18n = inject(I18n);
  readonly #explain = inject(Explain);
  protected readonly seeker = inject(QuoteSeeker);
  protected readonly t = this.#i18n.t;
  readonly message = input.required<TimelineMessage>();

  readonly #seeking = computed(() => {
    const seeking = this.seeker.seeking();
    return seeking?.from === this.message().id ? seeking : null;
  });
  protected readonly loading = computed(() => this.#seeking()?.state === 'loading');
  protected readonly status = computed(() => {
    const seeking = this.#seeking();
    if (seeking === null) return null;
    if (seeking.failure !== null) return this.#explain.sentence(seeking.failure);
    return this.t(`room.quoted.${seeking.state}`, { count: seeking.count });
  });
}
