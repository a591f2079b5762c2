import type { ElementRef } from '@angular/core';
import { Component, computed, inject, input, model, signal, viewChild } from '@angular/core';

import { I18n } from '../i18n';
import { Icon } from '../../ui/icon';

/** One passphrase: hidden unless its reader asks, and never corrected or completed by the browser. */
@Component({
  selector: 'zfc-passphrase-field',
  imports: [Icon],
  host: { class: 'contents' },
  template: `
    <div class="field">
      <label [attr.for]="fieldId()">{{ label() }}</label>
      <div class="input" [class.input--error]="invalid()">
        <input
          #field
          [id]="fieldId()"
          [type]="shown() ? 'text' : 'password'"
          [value]="value()"
          (input)="value.set(field.value)"
          [attr.autocomplete]="autocomplete()"
          autocapitalize="off"
          autocorrect="off"
          spellcheck="false"
          [attr.aria-invalid]="invalid() ? 'true' : null"
          [attr.aria-describedby]="describedBy() || null"
          [attr.data-testid]="testId()"
        />
        <button
          class="icon-btn"
          type="button"
          [attr.aria-label]="toggleLabel()"
          [title]="toggleLabel()"
          (click)="shown.set(!shown())"
        >
          <zfc-icon [name]="shown() ? 'eyeOff' : 'eye'" />
        </button>
      </div>
      <ng-content />
    </div>
  `,
})
export class PassphraseField {
  readonly #t = inject(I18n).t;
  private readonly field = viewChild.required<ElementRef<HTMLInputElement>>('field');
  readonly label = input.required<string>();
  readonly fieldId = input.required<string>();
  readonly testId = input.required<string>();
  readonly fresh = input(false);
  readonly invalid = input(false);
  readonly describedBy = input('');
  readonly value = model('');
  readonly shown = signal(false);

  /** While it is shown it is a text as any other, and what restores a session writes texts to disk in clear. */
  protected readonly autocomplete = computed(() => {
    if (this.shown()) return 'off';
    return this.fresh() ? 'new-password' : 'current-password';
  });

  protected toggleLabel(): string {
    return this.#t(this.shown() ? 'common.hide' : 'common.show');
  }

  focus(): void {
    this.field().nativeElement.focus();
    this.field().nativeElement.select();
  }
}
