import { Component, computed, inject, signal, viewChildren } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { Invites } from '../../core/invites';
import { PAGE_CODES } from '../../core/page-codes';
import { ENOUGH, normalisePassphrase, strengthOf, suggestPassphrase } from '../../core/passphrase';
import { ErrorMessage } from '../../ui/error-message';
import { Icon } from '../../ui/icon';
import { PassphraseField } from './passphrase-field';

/** The first passphrase of this device: strong enough, and typed twice. */
@Component({
  selector: 'zfc-first-passphrase',
  imports: [ErrorMessage, Icon, PassphraseField],
  host: { class: 'contents' },
  template: `
    <form class="card card--float w-sm stack stack--6" (submit)="$event.preventDefault(); create()">
      <div class="stack stack--2">
        <h1 class="title-page" tabindex="-1">{{ t('unlock.firstTitle') }}</h1>
        <p class="muted">{{ t('unlock.firstLead') }}</p>
        @if (invites.pending() !== null) {
          <p class="mark mark--ok"><zfc-icon name="check" [small]="true" />{{ t('unlock.inviteWaits') }}</p>
        }
      </div>
      <div class="stack">
        <zfc-passphrase-field
          fieldId="passphrase"
          testId="passphrase"
          [fresh]="true"
          [label]="t('unlock.passphrase')"
          [(value)]="first"
          [invalid]="failure()?.code === 'PASSPHRASE_WEAK'"
          describedBy="strength"
        >
          <div class="strength" aria-hidden="true">
            @for (step of [1, 2, 3, 4]; track step) {
              <i [class.on]="strength() >= step" [class.weak]="strength() >= step && strength() < 3"></i>
            }
          </div>
          <p class="hint" id="strength" aria-live="polite">
            @if (strength() === 0) {
              {{ t('unlock.strength.none') }}
            } @else {
              <b>{{ t('unlock.strength.' + strength() + '.title') }}</b>
              {{ t('unlock.strength.' + strength() + '.text') }}
            }
          </p>
        </zfc-passphrase-field>
        <zfc-passphrase-field
          fieldId="passphrase-again"
          testId="passphrase-again"
          [fresh]="true"
          [label]="t('unlock.again')"
          [(value)]="again"
          [invalid]="failure()?.code === 'PASSPHRASES_DIFFER'"
          describedBy="unlock-error"
        />
        <button class="btn btn--soft" type="button" (click)="suggest()">
          <zfc-icon name="shuffle" />{{ t('unlock.suggest') }}
        </button>
        @if (suggested()) {
          <div class="suggestion stack stack--2" role="status">
            <p class="phrase" data-testid="suggestion">{{ suggested() }}</p>
            <p class="hint">{{ t('unlock.suggested') }}</p>
          </div>
        }
      </div>
      <div class="stack stack--3">
        <zfc-error [failure]="failure()" id="unlock-error" />
        <button
          class="btn btn--primary btn--wide"
          type="submit"
          data-testid="unlock"
          [disabled]="busy()"
          [attr.aria-busy]="busy()"
        >
          @if (busy()) {
            <span class="spinner"></span>
          }
          {{ t(busy() ? 'unlock.opening' : 'unlock.open') }}
        </button>
        <p class="hint">{{ t('unlock.noRecovery') }}</p>
      </div>
    </form>
  `,
})
export class FirstPassphrase {
  readonly #store = inject(AppStore);
  readonly #i18n = inject(I18n);
  private readonly fields = viewChildren(PassphraseField);
  protected readonly t = this.#i18n.t;
  protected readonly invites = inject(Invites);
  protected readonly first = signal('');
  protected readonly again = signal('');
  protected readonly suggested = signal('');
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly strength = computed(() => strengthOf(this.first()));

  protected suggest(): void {
    const phrase = suggestPassphrase(this.#i18n.language());
    this.first.set(phrase);
    this.again.set(phrase);
    this.failure.set(null);
    this.suggested.set(phrase);
    for (const field of this.fields()) field.shown.set(true);
  }

  protected async create(): Promise<void> {
    if (this.busy()) return;
    if (this.strength() < ENOUGH) {
      this.#refuse('PASSPHRASE_WEAK', 0);
      return;
    }
    if (this.first() !== this.again()) {
      this.#refuse(PAGE_CODES.PASSPHRASES_DIFFER, 1);
      return;
    }
    this.busy.set(true);
    const outcome = await this.#store.run((api) => api.createVault(normalisePassphrase(this.first())));
    this.busy.set(false);
    if (!outcome.ok) this.failure.set(outcome.error);
    // Asks the browser not to clear the vault when the disk runs short; a worker cannot ask. A refusal changes nothing.
    else if ('storage' in navigator) await navigator.storage.persist();
  }

  #refuse(code: string, field: 0 | 1): void {
    this.failure.set({ code });
    this.fields()[field]?.focus();
  }
}
