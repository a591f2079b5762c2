import { Component, computed, inject, signal } from '@angular/core';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import type { StorageFacts } from '../../core/persistent-storage';
import { requestPersistence, storageFacts } from '../../core/persistent-storage';

/** What the browser holds for this app, and whether it promises to keep it. */
@Component({
  selector: 'zfc-storage-section',
  host: { class: 'contents' },
  template: `
    <section class="set">
      <h2 class="title-section">{{ t('settings.storage') }}</h2>
      <div class="set__rows">
        @if (facts(); as facts) {
          <div class="set__row set__row--stack">
            <div>
              <p class="label">{{ t('settings.used') }}</p>
              <p class="hint" data-testid="storage-kept" [attr.data-kept]="facts.persisted">
                @if (facts.persisted !== null) {
                  {{ t(facts.persisted ? 'settings.kept' : 'settings.notKept') }}
                }
              </p>
              <p class="hint" data-testid="storage-overwrites" [attr.data-overwrites]="overwrites()">
                {{ t(overwrites() ? 'settings.overwrites' : 'settings.leaves') }}
              </p>
            </div>
            <span class="num" data-testid="storage-used">{{ used() }}</span>
            @if (facts.used !== null && facts.quota) {
              <progress
                class="bar"
                [value]="facts.used"
                [max]="facts.quota"
                [attr.aria-label]="t('settings.used')"
              ></progress>
            }
            @if (facts.persisted === false) {
              <div class="set__more stack stack--2">
                <button
                  class="btn btn--line"
                  type="button"
                  data-testid="storage-keep"
                  [disabled]="busy()"
                  (click)="keep()"
                >
                  {{ t('settings.keep') }}
                </button>
                @if (refused()) {
                  <p class="hint" role="status" data-testid="storage-refused">
                    {{ t('settings.keepRefused') }}
                  </p>
                }
              </div>
            }
          </div>
        }
      </div>
    </section>
  `,
})
export class StorageSection {
  readonly #format = inject(Format);
  protected readonly t = inject(I18n).t;
  protected readonly overwrites = inject(AppStore).overwrites;
  protected readonly facts = signal<StorageFacts | null>(null);
  protected readonly busy = signal(false);
  protected readonly refused = signal(false);
  protected readonly used = computed(() => {
    const { used = null, quota = null } = this.facts() ?? {};
    if (used === null) return this.t('settings.usedUnknown');
    if (quota === null) return this.#format.bytes(used);
    return this.t('settings.usedOf', { used: this.#format.bytes(used), quota: this.#format.bytes(quota) });
  });

  constructor() {
    void this.#look();
  }

  protected async keep(): Promise<void> {
    this.busy.set(true);
    this.refused.set(!(await requestPersistence()));
    await this.#look();
    this.busy.set(false);
  }

  async #look(): Promise<void> {
    this.facts.set(await storageFacts());
  }
}
