import { Component, computed, inject, signal } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { Preferences, THEMES } from '../../core/preferences';
import { CopyButton } from '../../core/components/copy-button';
import { ErrorMessage } from '../../core/components/error-message';
import { Fingerprint, groupedFingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';
import { LanguageSwitch } from '../../core/components/language-switch';
import { RepinRelay } from '../../core/components/repin-relay';
import { BuildRow } from './build-row';
import { LockingSection } from './locking-section';
import { PrivacySection } from './privacy-section';
import { StorageSection } from './storage-section';
import { VaultSection } from './vault-section';

@Component({
  selector: 'zfc-settings-page',
  imports: [
    BuildRow,
    CopyButton,
    ErrorMessage,
    Fingerprint,
    Icon,
    LanguageSwitch,
    LockingSection,
    PrivacySection,
    RepinRelay,
    RouterLink,
    StorageSection,
    VaultSection,
  ],
  host: { class: 'contents' },
  template: `
    <main class="pane pane--main">
      <header class="topbar">
        <a
          class="icon-btn"
          routerLink="/"
          [attr.aria-label]="t('common.backToRooms')"
          [title]="t('common.backToRooms')"
          ><zfc-icon name="back"
        /></a>
        <h1 class="topbar__title" tabindex="-1">{{ t('settings.title') }}</h1>
      </header>
      <div class="scroll body">
        <div class="settings">
          <section class="set">
            <h2 class="title-section">{{ t('settings.look') }}</h2>
            <div class="set__rows">
              <div class="set__row set__row--stack">
                <p class="label">{{ t('settings.language') }}</p>
                <zfc-language-switch />
              </div>
              <div class="set__row set__row--stack">
                <p class="label">{{ t('settings.theme') }}</p>
                <div
                  class="segmented"
                  role="group"
                  [attr.aria-label]="t('settings.theme')"
                  data-testid="theme"
                >
                  @for (theme of themes; track theme) {
                    <button
                      type="button"
                      [attr.aria-pressed]="preferences.theme() === theme"
                      [attr.data-value]="theme"
                      (click)="preferences.chooseTheme(theme)"
                    >
                      {{ t('settings.' + theme) }}
                    </button>
                  }
                </div>
              </div>
            </div>
          </section>
          <zfc-locking-section />
          <zfc-privacy-section />
          <zfc-storage-section />
          <zfc-vault-section />
          <section class="set">
            <h2 class="title-section">{{ t('settings.about') }}</h2>
            <div class="set__rows">
              <div class="set__row">
                <div>
                  <p class="label">{{ t('common.version', { version }) }}</p>
                  <p class="hint">{{ t('settings.versionHint') }}</p>
                </div>
              </div>
              <zfc-build-row />
              <div class="set__row">
                <div>
                  <p class="label">{{ t('settings.relayKey') }}</p>
                  <p class="hint">
                    @if (relay(); as relay) {
                      <zfc-fingerprint [value]="relay.fingerprint" [small]="true" /> ·
                      {{ t('room.relayPin.' + relay.pinnedBy) }}
                    } @else {
                      {{ t('settings.noRelay') }}
                    }
                  </p>
                  <zfc-error [failure]="barred()" />
                  <zfc-error [failure]="failure()" />
                </div>
                @if (relay(); as relay) {
                  <zfc-copy
                    [text]="grouped(relay.fingerprint)"
                    [label]="t('settings.copyRelay')"
                    (failed)="failure.set($event)"
                  />
                  <zfc-repin-relay />
                }
              </div>
            </div>
          </section>
        </div>
      </div>
    </main>
  `,
})
export class SettingsPage {
  protected readonly store = inject(AppStore);
  protected readonly preferences = inject(Preferences);
  protected readonly t = inject(I18n).t;
  protected readonly themes = THEMES;
  protected readonly version = APP_VERSION;
  protected readonly grouped = groupedFingerprint;
  protected readonly failure = signal<Failure | null>(null);
  protected readonly barred = computed(() => this.store.app()?.relay.barred ?? null);
  protected readonly relay = computed(() => {
    const relay = this.store.app()?.relay;
    return relay?.fingerprint && relay.pinnedBy
      ? { fingerprint: relay.fingerprint, pinnedBy: relay.pinnedBy }
      : null;
  });
}
