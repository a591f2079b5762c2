import { Component, computed, effect, inject, input, signal, viewChildren } from '@angular/core';
import type { Failure, PassphraseRating } from '@0fc/client/api';

import { AppStore } from '../app-store';
import { I18n } from '../i18n';
import { PAGE_CODES } from '../page-codes';
import { normalisePassphrase, suggestPassphrase } from '../passphrase';
import { ErrorMessage } from './error-message';
import { Icon } from '../../ui/icon';
import { PassphraseField } from './passphrase-field';

/** A passphrase that is chosen: strong enough, and typed twice; or six words drawn here. */
@Component({
  selector: 'zfc-new-passphrase',
  imports: [ErrorMessage, Icon, PassphraseField],
  host: { class: 'contents' },
  template: `
    <div class="stack">
      <zfc-passphrase-field
        [fieldId]="name()"
        [testId]="name()"
        [fresh]="true"
        [label]="label()"
        [(value)]="first"
        [invalid]="failure()?.code === 'PASSPHRASE_WEAK'"
        [describedBy]="name() + '-strength'"
      >
        <div class="strength" aria-hidden="true">
          @for (step of [1, 2, 3, 4]; track step) {
            <i [class.on]="strength() >= step" [class.weak]="strength() >= step && strength() < 3"></i>
          }
        </div>
        <p class="hint" [id]="name() + '-strength'" aria-live="polite">
          @if (first() === '') {
            {{ t('unlock.strength.none') }}
          } @else if (rating() === null) {
            {{ t('unlock.strength.rating') }}
          } @else if (strength() > 0) {
            <b>{{ t('unlock.strength.' + strength() + '.title') }}</b>
            {{ t('unlock.strength.' + strength() + '.text') }}
          }
          @if (first() !== '' && rating()?.weakness; as weakness) {
            {{ t('unlock.weakness.' + weakness) }}
          }
        </p>
      </zfc-passphrase-field>
      <zfc-passphrase-field
        [fieldId]="name() + '-again'"
        [testId]="name() + '-again'"
        [fresh]="true"
        [label]="t('unlock.again')"
        [(value)]="again"
        [invalid]="failure()?.code === 'PASSPHRASES_DIFFER'"
        [describedBy]="name() + '-error'"
      />
      <button class="btn btn--soft" type="button" data-testid="suggest" (click)="suggest()">
        <zfc-icon name="shuffle" />{{ t('unlock.suggest') }}
      </button>
      @if (suggested()) {
        <div class="suggestion stack stack--2" role="status">
          <p class="phrase" data-testid="suggestion">{{ suggested() }}</p>
          <p class="hint">{{ t('unlock.suggested') }}</p>
        </div>
      }
      <zfc-error [failure]="failure()" [id]="name() + '-error'" />
    </div>
  `,
})
export class NewPassphrase {
  readonly #i18n = inject(I18n);
  readonly #store = inject(AppStore);
  private readonly fields = viewChildren(PassphraseField);
  protected readonly t = this.#i18n.t;
  readonly label = input.required<string>();
  /** of the first field, for its id and for tests; the second one's ends in `-again` */
  readonly name = input('passphrase');
  protected readonly first = signal('');
  protected readonly again = signal('');
  protected readonly suggested = signal('');
  protected readonly failure = signal<Failure | null>(null);
  /** what `failure` was shown for */
  #refused: string | null = null;
  /** of the text last rated by the worker; it stays on screen until the next rating arrives */
  protected readonly rating = signal<PassphraseRating | null>(null);
  protected readonly strength = computed(() => (this.first() === '' ? 0 : (this.rating()?.strength ?? 0)));

  /** the newest text that waits for the rating under way to end; null: none waits */
  #waiting: string | null = null;
  #isRating = false;

  constructor() {
    effect(() => {
      const text = this.first();
      // What was refused is being changed.
      if (this.#refused !== text) this.failure.set(null);
      void this.#rate(text);
    });
  }

  protected suggest(): void {
    const phrase = suggestPassphrase(this.#i18n.language());
    this.first.set(phrase);
    this.again.set(phrase);
    this.failure.set(null);
    this.suggested.set(phrase);
    for (const field of this.fields()) field.shown.set(true);
  }

  /** The chosen passphrase; null when it is refused: the reason is shown, and the field concerned is focused. */
  async take(): Promise<string | null> {
    const first = normalisePassphrase(this.first());
    const again = normalisePassphrase(this.again());
    const rated = await this.#store.run((api) => api.ratePassphrase(first));
    if (!rated.ok) return this.#refuse(rated.error, 0);
    if (!rated.value.acceptable) return this.#refuse({ code: 'PASSPHRASE_WEAK' }, 0);
    if (first !== again) return this.#refuse({ code: PAGE_CODES.PASSPHRASES_DIFFER }, 1);
    this.failure.set(null);
    return first;
  }

  /** One rating at a time, and of what was typed meanwhile only the newest: nothing piles up in the worker. */
  async #rate(text: string): Promise<void> {
    this.#waiting = text;
    if (this.#isRating) return;
    this.#isRating = true;
    while (this.#waiting !== null) {
      const next: string = this.#waiting;
      this.#waiting = null;
      // Nothing typed needs no words to be loaded.
      if (next === '') continue;
      const rated = await this.#store.run((api) => api.ratePassphrase(next));
      if (rated.ok && next === this.first()) this.rating.set(rated.value);
    }
    this.#isRating = false;
  }

  #refuse(failure: Failure, field: 0 | 1): null {
    this.#refused = this.first();
    this.failure.set(failure);
    this.fields()[field]?.focus();
    return null;
  }
}
