import { Component, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { AppStore } from '../app-store';
import { I18n } from '../i18n';
import { Icon } from '../../ui/icon';

/** Lock and settings: within reach of every screen that shows something. */
@Component({
  selector: 'zfc-app-toolbar',
  imports: [Icon, RouterLink],
  host: { class: 'contents' },
  template: `
    <button
      class="icon-btn"
      type="button"
      data-testid="lock-now"
      [attr.aria-label]="t('common.lockNow')"
      [title]="t('common.lockNow')"
      (click)="store.lock()"
    >
      <zfc-icon name="lock" />
    </button>
    <a
      class="icon-btn"
      routerLink="/settings"
      data-testid="open-settings"
      [attr.aria-label]="t('common.settings')"
      [title]="t('common.settings')"
      ><zfc-icon name="settings"
    /></a>
  `,
})
export class AppToolbar {
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;
}
