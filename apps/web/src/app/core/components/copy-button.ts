import { LiveAnnouncer } from '@angular/cdk/a11y';
import { Component, inject, input, output, signal } from '@angular/core';
import type { Failure } from '@0fc/client/api';

import { I18n } from '../i18n';
import { PAGE_CODES } from '../page-codes';
import { Icon } from '../../ui/icon';

const SHOWN_MS = 2_000;

/** Copies a text and confirms it. A refusal is an output: the parent shows it. */
@Component({
  selector: 'zfc-copy',
  imports: [Icon],
  host: { class: 'contents' },
  template: `
    <button
      [class]="kind() === 'icon' ? 'icon-btn' : 'btn btn--primary'"
      type="button"
      [attr.aria-label]="kind() === 'icon' ? label() : null"
      [attr.title]="kind() === 'icon' ? label() : null"
      [attr.data-testid]="testId()"
      (click)="copy()"
    >
      <zfc-icon [name]="copied() ? 'check' : 'copy'" />{{ kind() === 'icon' ? '' : label() }}
    </button>
  `,
})
export class CopyButton {
  readonly #announcer = inject(LiveAnnouncer);
  readonly #t = inject(I18n).t;
  readonly text = input.required<string>();
  readonly label = input.required<string>();
  /** a labelled button is the first thing to do on its card */
  readonly kind = input<'icon' | 'labelled'>('icon');
  readonly testId = input<string | null>(null);
  readonly failed = output<Failure>();
  protected readonly copied = signal(false);

  protected async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.text());
    } catch {
      this.failed.emit({ code: PAGE_CODES.CLIPBOARD_REFUSED });
      return;
    }
    this.copied.set(true);
    setTimeout(() => this.copied.set(false), SHOWN_MS);
    await this.#announcer.announce(this.#t('common.copied'));
  }
}
