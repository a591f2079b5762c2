import { Component, inject } from '@angular/core';

import { I18n } from '../../core/i18n';
import { Preferences } from '../../core/preferences';

/** What the others see of one, and what leaves the page for the browser's own services. */
@Component({
  selector: 'zfc-privacy-section',
  host: { class: 'contents' },
  template: `
    <section class="set">
      <h2 class="title-section">{{ t('settings.privacy') }}</h2>
      <div class="set__rows">
        @for (row of rows; track row.name) {
          <label class="set__row">
            <span>
              <span class="label">{{ t('settings.' + row.name) }}</span>
              <span class="hint block" [id]="row.testId + '-hint'">{{
                t('settings.' + row.name + 'Hint')
              }}</span>
            </span>
            <span class="switch">
              <input
                #control
                type="checkbox"
                role="switch"
                [attr.data-testid]="row.testId"
                [attr.aria-label]="t('settings.' + row.name)"
                [attr.aria-describedby]="row.testId + '-hint'"
                [checked]="row.on()"
                (change)="row.choose(control.checked)"
              />
            </span>
          </label>
        }
      </div>
    </section>
  `,
})
export class PrivacySection {
  readonly #preferences = inject(Preferences);
  protected readonly t = inject(I18n).t;
  protected readonly rows = [
    {
      name: 'receipts',
      testId: 'read-receipts',
      on: this.#preferences.readReceipts,
      choose: (on: boolean): void => this.#preferences.chooseReadReceipts(on),
    },
    {
      name: 'typing',
      testId: 'share-typing',
      on: this.#preferences.typing,
      choose: (on: boolean): void => this.#preferences.chooseTyping(on),
    },
    {
      name: 'presence',
      testId: 'share-presence',
      on: this.#preferences.presence,
      choose: (on: boolean): void => this.#preferences.choosePresence(on),
    },
    {
      name: 'spelling',
      testId: 'check-spelling',
      on: this.#preferences.spelling,
      choose: (on: boolean): void => this.#preferences.chooseSpelling(on),
    },
  ];
}
