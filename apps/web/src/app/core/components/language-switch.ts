import { Component, inject, input } from '@angular/core';

import { I18n } from '../i18n';
import type { Language } from '../preferences';
import { Preferences } from '../preferences';

const NAMES: readonly { readonly code: Language; readonly name: string }[] = [
  { code: 'fr', name: 'Français' },
  { code: 'en', name: 'English' },
];

@Component({
  selector: 'zfc-language-switch',
  host: { class: 'contents' },
  template: `
    <div
      class="segmented"
      role="group"
      [attr.aria-label]="short() ? 'Language / Langue' : t('common.language')"
      data-testid="language"
    >
      @for (option of names; track option.code) {
        <button
          type="button"
          [attr.aria-pressed]="preferences.language() === option.code"
          [attr.lang]="option.code"
          [attr.data-value]="option.code"
          [attr.title]="short() ? option.name : null"
          (click)="preferences.chooseLanguage(option.code)"
        >
          {{ short() ? option.code.toUpperCase() : option.name }}
        </button>
      }
    </div>
  `,
})
export class LanguageSwitch {
  readonly short = input(false);
  protected readonly t = inject(I18n).t;
  protected readonly preferences = inject(Preferences);
  protected readonly names = NAMES;
}
