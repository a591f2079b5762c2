import { Component, computed, inject, signal, type Signal } from '@angular/core';
import type { Failure, Sharing } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { Preferences } from '../../core/preferences';
import { ErrorMessage } from '../../core/components/error-message';

interface Row {
  readonly name: string;
  readonly testId: string;
  readonly on: Signal<boolean>;
  choose(on: boolean): Promise<void> | void;
}

/** What the others see of one, and what leaves the page for the browser's own services. */
@Component({
  selector: 'zfc-privacy-section',
  imports: [ErrorMessage],
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
                (change)="choose(row, control)"
              />
            </span>
          </label>
        }
      </div>
      <zfc-error [failure]="failure()" />
    </section>
  `,
})
export class PrivacySection {
  readonly #preferences = inject(Preferences);
  readonly #store = inject(AppStore);
  protected readonly t = inject(I18n).t;
  protected readonly failure = signal<Failure | null>(null);
  protected readonly rows: readonly Row[] = [
    this.#shared('receipts', 'read-receipts'),
    this.#shared('typing', 'share-typing'),
    this.#shared('presence', 'share-presence'),
    {
      name: 'spelling',
      testId: 'check-spelling',
      on: this.#preferences.spelling,
      choose: (on: boolean): void => this.#preferences.chooseSpelling(on),
    },
  ];

  protected async choose(row: Row, control: HTMLInputElement): Promise<void> {
    await row.choose(control.checked);
    // A choice that was not stored is not shown as one.
    control.checked = row.on();
  }

  /** A choice of the vault. */
  #shared(name: keyof Sharing, testId: string): Row {
    return {
      name,
      testId,
      on: computed(() => this.#store.sharing()?.[name] ?? true),
      choose: async (on) => {
        // Not one command at a time: none of several switches is passed over.
        const outcome = await this.#store.run((api) => api.share({ [name]: on }));
        this.failure.set(outcome.ok ? null : outcome.error);
      },
    };
  }
}
