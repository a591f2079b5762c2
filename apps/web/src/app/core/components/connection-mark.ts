import { Component, computed, inject, input } from '@angular/core';
import type { ConnectionState } from '@0fc/client/api';

import { I18n } from '../i18n';

@Component({
  selector: 'zfc-connection',
  host: { class: 'contents' },
  template: `
    <span class="mark" role="status" data-testid="connection" [attr.data-state]="state()">
      <span
        class="dot"
        [class.dot--off]="state() === 'offline'"
        [class.dot--wait]="state() === 'connecting'"
        [class.dot--stop]="state() === 'stopped'"
      ></span>
      {{ text() }}
    </span>
  `,
})
export class ConnectionMark {
  readonly #t = inject(I18n).t;
  readonly state = input.required<ConnectionState>();
  protected readonly text = computed(() => this.#t(`common.${this.state()}`));
}
