import { Component, computed, inject } from '@angular/core';

import { Fingerprint } from '../../ui/fingerprint';
import { AppStore } from '../app-store';
import { commandState } from '../command-state';
import { I18n } from '../i18n';
import { RepinnedRelay } from '../repinned-relay';
import { ErrorMessage } from './error-message';

/**
 * A relay key that has changed, shown with both fingerprints until it has been seen: one that the key before has signed
 * for, and that was followed by itself; or one that the user has accepted.
 */
@Component({
  selector: 'zfc-relay-changed',
  imports: [ErrorMessage, Fingerprint],
  host: { class: 'contents' },
  template: `
    @if (change(); as change) {
      <div class="banner banner--stack" role="status" [attr.data-testid]="change.id">
        <p>{{ t(change.words) }}</p>
        <dl class="against">
          @if (change.from; as from) {
            <div>
              <dt>{{ t('settings.repin.before') }}</dt>
              <dd><zfc-fingerprint [value]="from" [small]="true" /></dd>
            </div>
          }
          <div>
            <dt>{{ t('settings.repin.after') }}</dt>
            <dd><zfc-fingerprint [value]="change.to" [against]="change.from" [small]="true" /></dd>
          </div>
        </dl>
        <zfc-error [failure]="command.failure()" />
        <button
          class="btn btn--flush"
          type="button"
          data-testid="relay-changed-seen"
          [disabled]="command.busy()"
          (click)="dismiss()"
        >
          {{ t('common.close') }}
        </button>
      </div>
    }
  `,
})
export class RelayChanged {
  readonly #store = inject(AppStore);
  readonly #repinned = inject(RepinnedRelay).last;
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  protected readonly change = computed(() => {
    const repinned = this.#repinned();
    if (repinned !== null) return { ...repinned, id: 'repin-done', words: 'settings.repin.done' };
    const followed = this.#store.app()?.relay.followed ?? null;
    return followed === null ? null : { ...followed, id: 'relay-changed', words: 'home.relayChanged' };
  });

  protected async dismiss(): Promise<void> {
    if (this.#repinned() === null) await this.command.run((api) => api.dismissRelayChange());
    this.#repinned.set(null);
  }
}
