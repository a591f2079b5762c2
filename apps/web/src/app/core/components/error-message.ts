import { Component, computed, inject, input } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import { Explain } from '../explain';
import { Icon } from '../../ui/icon';

/** What happened and what can be done. It is read out when it appears. */
@Component({
  selector: 'zfc-error',
  imports: [Icon],
  host: { class: 'contents' },
  template: `
    @if (failure(); as failure) {
      <p
        class="error"
        role="alert"
        data-testid="error"
        [attr.data-code]="failure.code"
        [attr.id]="id() || null"
      >
        <zfc-icon name="info" [small]="true" /><span>{{ text() }}</span>
      </p>
    }
  `,
})
export class ErrorMessage {
  readonly #explain = inject(Explain);
  readonly failure = input.required<Failure | null>();
  readonly id = input('');
  /** replaces the text of the code, where the parent knows more */
  readonly instead = input<string | null>(null);
  protected readonly text = computed(() => {
    const failure = this.failure();
    return failure === null ? '' : (this.instead() ?? this.#explain.sentence(failure));
  });
}
