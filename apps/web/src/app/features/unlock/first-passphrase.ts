import { Component, inject, output, viewChild } from '@angular/core';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { Invites } from '../../core/invites';
import { requestPersistence } from '../../core/persistent-storage';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { NewPassphrase } from '../../core/components/new-passphrase';

/** The first passphrase of this device; or the way to an export that is brought here. */
@Component({
  selector: 'zfc-first-passphrase',
  imports: [ErrorMessage, Icon, NewPassphrase],
  host: { class: 'contents' },
  template: `
    <div class="w-sm stack">
      <form class="card card--float stack stack--6" (submit)="$event.preventDefault(); create()">
        <div class="stack stack--2">
          <h1 class="title-page" tabindex="-1">{{ t('unlock.firstTitle') }}</h1>
          <p class="muted">{{ t('unlock.firstLead') }}</p>
          @if (invites.pending() !== null) {
            <p class="mark mark--ok mark--sentence">
              <zfc-icon name="check" [small]="true" />{{ t('unlock.inviteWaits') }}
            </p>
          }
        </div>
        <zfc-new-passphrase [label]="t('unlock.passphrase')" />
        <div class="stack stack--3">
          <zfc-error [failure]="command.failure()" />
          <button
            class="btn btn--primary btn--wide"
            type="submit"
            data-testid="unlock"
            [disabled]="command.busy()"
            [attr.aria-busy]="command.busy()"
          >
            @if (command.busy()) {
              <span class="spinner"></span>
            }
            {{ t(command.busy() ? 'unlock.opening' : 'unlock.open') }}
          </button>
          <p class="hint">{{ t('unlock.noRecovery') }}</p>
        </div>
      </form>
      <button class="btn btn--wide" type="button" data-testid="have-export" (click)="haveExport.emit()">
        {{ t('unlock.haveExport') }}
      </button>
    </div>
  `,
})
export class FirstPassphrase {
  private readonly chosen = viewChild.required(NewPassphrase);
  protected readonly t = inject(I18n).t;
  protected readonly invites = inject(Invites);
  protected readonly command = commandState();
  readonly haveExport = output();

  protected async create(): Promise<void> {
    if (this.command.busy()) return;
    this.command.clear();
    const passphrase = await this.chosen().take();
    if (passphrase === null) return;
    const outcome = await this.command.run((api) => api.createVault(passphrase));
    if (outcome?.ok === true) await requestPersistence();
  }
}
