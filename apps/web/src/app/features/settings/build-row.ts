import { Component, inject, signal } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import { READ_BUILD_HASH } from '../../core/build-hash';
import { I18n } from '../../core/i18n';
import { CopyButton } from '../../core/components/copy-button';
import { ErrorMessage } from '../../core/components/error-message';
import { Fingerprint } from '../../ui/fingerprint';

/** The build that this page claims to be. People compare it with each other, and with a build of their own. */
@Component({
  selector: 'zfc-build-row',
  imports: [CopyButton, ErrorMessage, Fingerprint],
  host: { class: 'contents' },
  template: `
    <div class="set__row">
      <div>
        <p class="label">{{ t('settings.buildHash') }}</p>
        @if (hash(); as hash) {
          <p data-testid="build-hash"><zfc-fingerprint [value]="hash" [small]="true" /></p>
          <p class="hint">{{ t('settings.buildHashHint') }}</p>
        } @else if (read()) {
          <p class="hint" data-testid="build-hash-none">{{ t('settings.buildHashNone') }}</p>
        }
        <zfc-error [failure]="failure()" />
      </div>
      @if (hash(); as hash) {
        <zfc-copy [text]="hash" [label]="t('settings.copyBuild')" (failed)="failure.set($event)" />
      }
    </div>
  `,
})
export class BuildRow {
  protected readonly t = inject(I18n).t;
  protected readonly hash = signal<string | null>(null);
  protected readonly read = signal(false);
  protected readonly failure = signal<Failure | null>(null);

  constructor() {
    void inject(READ_BUILD_HASH)().then((hash) => {
      this.hash.set(hash);
      this.read.set(true);
    });
  }
}
