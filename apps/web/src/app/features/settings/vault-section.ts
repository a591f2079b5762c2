import { Component, inject } from '@angular/core';

import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import { ChangePassphrase } from './change-passphrase';
import { ExportVault } from './export-vault';

/** Export of the vault, and change of its passphrase. */
@Component({
  selector: 'zfc-vault-section',
  imports: [ChangePassphrase, ExportVault, Icon],
  host: { class: 'contents' },
  template: `
    <section class="set">
      <h2 class="title-section">{{ t('settings.vault') }}</h2>
      <div class="set__rows">
        <div class="set__row set__row--stack">
          <div>
            <p class="label">{{ t('settings.export') }}</p>
            <p class="hint">{{ t('settings.exportHint') }}</p>
          </div>
          <button class="btn btn--line" type="button" data-testid="export-open" (click)="leaving.ask()">
            <zfc-icon name="download" />{{ t('settings.exportOpen') }}
          </button>
          @if (leaving.cancelled()) {
            <p class="set__more quiet" role="status" data-testid="export-cancelled">
              {{ t('settings.exportCancelled') }}
            </p>
          }
        </div>
        <div class="set__row set__row--stack">
          <div>
            <p class="label">{{ t('settings.import') }}</p>
            <p class="hint">{{ t('settings.importHint') }}</p>
          </div>
        </div>
        <div class="set__row set__row--stack">
          <div>
            <p class="label">{{ t('settings.change') }}</p>
            <p class="hint">{{ t('settings.changeHint') }}</p>
          </div>
          <button class="btn btn--line" type="button" data-testid="change-open" (click)="changing.ask()">
            <zfc-icon name="key" />{{ t('settings.changeOpen') }}
          </button>
        </div>
      </div>
    </section>
    <zfc-export-vault #leaving />
    <zfc-change-passphrase #changing />
  `,
})
export class VaultSection {
  protected readonly t = inject(I18n).t;
}
