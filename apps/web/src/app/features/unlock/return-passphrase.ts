import type { ElementRef } from '@angular/core';
import { Component, computed, inject, signal, viewChild } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { IdleLock } from '../../core/idle-lock';
import { Invites } from '../../core/invites';
import { normalisePassphrase } from '../../core/passphrase';
import { SiteData } from '../../core/site-data';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { Modal } from '../../ui/modal';
import { PassphraseField } from '../../core/components/passphrase-field';

/** The passphrase of an existing vault; or, as an explicit act, the end of that vault. */
@Component({
  selector: 'zfc-return-passphrase',
  imports: [ErrorMessage, Icon, Modal, PassphraseField],
  host: { class: 'contents' },
  template: `
    <div class="w-sm stack stack--6">
      <form class="card card--float stack stack--6" (submit)="$event.preventDefault(); unlock()">
        <div class="stack stack--2">
          <h1 class="title-page" tabindex="-1">{{ t('unlock.lockedTitle') }}</h1>
          <p class="muted">{{ lead() }}</p>
          @if (invites.pending() !== null) {
            <p class="mark mark--ok mark--sentence">
              <zfc-icon name="check" [small]="true" />{{ t('unlock.inviteWaits') }}
            </p>
          }
        </div>
        <zfc-passphrase-field
          fieldId="passphrase"
          testId="passphrase"
          [label]="t('unlock.passphrase')"
          [(value)]="passphrase"
          [invalid]="failure() !== null"
          describedBy="unlock-error"
        >
          <zfc-error [failure]="failure()" id="unlock-error" />
        </zfc-passphrase-field>
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
          {{ t(busy() ? 'unlock.unlocking' : 'unlock.unlock') }}
        </button>
      </form>
      <details class="stack stack--2">
        <summary class="btn btn--wide" data-testid="forgotten">{{ t('unlock.forgotten') }}</summary>
        <p class="hint">{{ t('unlock.forgottenHint') }}</p>
        <button class="btn btn--danger" type="button" data-testid="erase" (click)="askErase()">
          {{ t('unlock.eraseOpen') }}
        </button>
      </details>
    </div>
    <zfc-modal #modal [heading]="t('unlock.eraseTitle')">
      <p>{{ t('unlock.eraseText') }}</p>
      @if (!overwrites()) {
        <p class="hint" data-testid="erase-leaves">{{ t('unlock.eraseLeaves') }}</p>
      }
      <form class="stack" (submit)="$event.preventDefault(); erase()">
        <div class="field">
          <label for="erase-word">{{ t('unlock.eraseType', { word: t('unlock.eraseWord') }) }}</label>
          <div class="input">
            <input
              #word
              id="erase-word"
              data-testid="erase-word"
              autocomplete="off"
              autocapitalize="characters"
              spellcheck="false"
              [value]="typed()"
              (input)="typed.set(word.value)"
            />
          </div>
        </div>
        <zfc-error [failure]="eraseFailure()" />
        <div class="dialog__actions">
          <button class="btn btn--line" type="button" (click)="modal.close()">
            {{ t('common.cancel') }}
          </button>
          <button
            class="btn btn--alarm"
            type="submit"
            data-testid="erase-confirm"
            [disabled]="!confirmed() || busy()"
            [attr.aria-busy]="busy()"
          >
            {{ t('unlock.eraseConfirm') }}
          </button>
        </div>
      </form>
    </zfc-modal>
  `,
})
export class ReturnPassphrase {
  readonly #store = inject(AppStore);
  readonly #format = inject(Format);
  private readonly field = viewChild.required(PassphraseField);
  private readonly modal = viewChild.required(Modal);
  private readonly word = viewChild.required<ElementRef<HTMLInputElement>>('word');
  readonly #idle = inject(IdleLock);
  readonly #siteData = inject(SiteData);
  readonly #i18n = inject(I18n);
  protected readonly t = this.#i18n.t;
  protected readonly invites = inject(Invites);
  protected readonly overwrites = this.#store.overwrites;
  protected readonly passphrase = signal('');
  protected readonly typed = signal('');
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly eraseFailure = signal<Failure | null>(null);
  protected readonly confirmed = computed(
    () => this.typed().trim().toLocaleUpperCase() === this.t('unlock.eraseWord'),
  );
  protected readonly lead = computed(() => {
    const at = this.#store.lockedAt();
    const minutes = this.#idle.lockedAfter();
    if (at === null) return this.t('unlock.lockedLead');
    const time = this.#format.time(at);
    return minutes === null
      ? this.t('unlock.lockedAt', { time })
      : this.#i18n.count('unlock.lockedIdle', minutes, { time });
  });

  protected async unlock(): Promise<void> {
    if (this.busy() || this.passphrase() === '') {
      this.field().focus();
      return;
    }
    this.busy.set(true);
    const outcome = await this.#store.run((api) => api.unlock(normalisePassphrase(this.passphrase())));
    this.busy.set(false);
    if (outcome.ok) return;
    this.failure.set(outcome.error);
    this.field().focus();
  }

  protected askErase(): void {
    this.typed.set('');
    this.eraseFailure.set(null);
    this.modal().show();
    this.word().nativeElement.focus();
  }

  protected async erase(): Promise<void> {
    if (!this.confirmed() || this.busy()) return;
    this.busy.set(true);
    const outcome = await this.#store.run((api) => api.eraseVault());
    this.busy.set(false);
    if (!outcome.ok) {
      this.eraseFailure.set(outcome.error);
      return;
    }
    this.modal().close();
    await this.#siteData.drop();
  }
}
