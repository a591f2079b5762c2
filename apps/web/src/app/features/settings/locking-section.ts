import { Component, inject } from '@angular/core';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { LOCK_DELAYS, Preferences } from '../../core/preferences';
import { Icon } from '../../ui/icon';

/** When the keys leave memory: after a while without use, or now. */
@Component({
  selector: 'zfc-locking-section',
  imports: [Icon],
  host: { class: 'contents' },
  template: `
    <section class="set">
      <h2 class="title-section">{{ t('settings.locking') }}</h2>
      <div class="set__rows">
        <div class="set__row set__row--stack">
          <div>
            <label class="label" for="lock-after">{{ t('settings.idle') }}</label>
            <p class="hint" id="lock-after-hint">{{ t('settings.idleHint') }}</p>
          </div>
          <div class="input">
            <select
              #select
              id="lock-after"
              data-testid="lock-after"
              aria-describedby="lock-after-hint"
              (change)="choose(select.value)"
            >
              @for (minutes of delays; track minutes) {
                <option [value]="minutes" [selected]="minutes === preferences.lockAfterMinutes()">
                  {{ minutes === 0 ? t('settings.never') : i18n.count('settings.after', minutes) }}
                </option>
              }
            </select>
            <zfc-icon name="down" />
          </div>
        </div>
        <div class="set__row">
          <div>
            <p class="label">{{ t('settings.lockNow') }}</p>
            <p class="hint">{{ t('settings.lockHint') }}</p>
          </div>
          <button class="btn btn--line" type="button" data-testid="settings-lock" (click)="store.lock()">
            <zfc-icon name="lock" />{{ t('settings.lock') }}
          </button>
        </div>
      </div>
    </section>
  `,
})
export class LockingSection {
  protected readonly store = inject(AppStore);
  protected readonly preferences = inject(Preferences);
  protected readonly i18n = inject(I18n);
  protected readonly t = this.i18n.t;
  protected readonly delays = LOCK_DELAYS;

  protected choose(value: string): void {
    const minutes = LOCK_DELAYS.find((delay) => String(delay) === value);
    if (minutes !== undefined) this.preferences.chooseLockAfterMinutes(minutes);
  }
}
