import { Component, inject } from '@angular/core';

import { AppStore } from '../app-store';
import { I18n } from '../i18n';
import { Fingerprint } from '../../ui/fingerprint';

/** Version and relay: what one reads out when asked which 0FC this is. */
@Component({
  selector: 'zfc-page-foot',
  imports: [Fingerprint],
  host: { class: 'contents' },
  template: `
    <footer class="page__foot">
      {{ t('common.version', { version }) }}
      @if (store.app()?.relay?.fingerprint; as fingerprint) {
        · {{ t('common.relay') }} <zfc-fingerprint [value]="fingerprint" [small]="true" />
      }
    </footer>
  `,
})
export class PageFoot {
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;
  protected readonly version = APP_VERSION;
}
