import { afterNextRender, Component, inject, Injector, signal, viewChild } from '@angular/core';

import { act } from '../../core/act';
import { I18n } from '../../core/i18n';
import { SAVE_FILE } from '../../core/save-file';
import { ErrorMessage } from '../../ui/error-message';
import { Modal } from '../../ui/modal';
import { NewPassphrase } from '../unlock/new-passphrase';

/** 0fc-2026-11-24.vault, by the calendar of this device. */
export function exportName(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `0fc-${String(now.getFullYear())}-${two(now.getMonth() + 1)}-${two(now.getDate())}.vault`;
}

/** One sealed file with everything, and what it costs to have one (docs/protocol.md section 9). */
@Component({
  selector: 'zfc-export-vault',
  imports: [ErrorMessage, Modal, NewPassphrase],
  host: { class: 'contents' },
  template: `
    <zfc-modal #modal [heading]="t('settings.exportTitle')" (closed)="asking.set(false)">
      @if (saved(); as file) {
        <p role="status" data-testid="exported">{{ t('settings.exported', { file }) }}</p>
        <p class="hint">{{ t('settings.exportedHint') }}</p>
        <div class="dialog__actions">
          <button class="btn btn--primary" type="button" (click)="modal.close()">
            {{ t('common.close') }}
          </button>
        </div>
      } @else if (asking()) {
        <p class="notice notice--caution">{{ t('settings.exportOnce') }}</p>
        <p>{{ t('settings.exportPast') }}</p>
        <form class="stack" (submit)="$event.preventDefault(); save()">
          <zfc-new-passphrase name="export-passphrase" [label]="t('settings.exportPassphrase')" />
          <zfc-error [failure]="act.failure()" />
          <div class="dialog__actions">
            <button class="btn btn--line" type="button" (click)="modal.close()">
              {{ t('common.cancel') }}
            </button>
            <button
              class="btn btn--primary"
              type="submit"
              data-testid="export-confirm"
              [disabled]="act.busy()"
              [attr.aria-busy]="act.busy()"
            >
              @if (act.busy()) {
                <span class="spinner"></span>
              }
              {{ t(act.busy() ? 'settings.exporting' : 'settings.exportConfirm') }}
            </button>
          </div>
        </form>
      }
    </zfc-modal>
  `,
})
export class ExportVault {
  readonly #saveFile = inject(SAVE_FILE);
  readonly #injector = inject(Injector);
  private readonly dialog = viewChild.required(Modal);
  private readonly chosen = viewChild(NewPassphrase);
  protected readonly t = inject(I18n).t;
  protected readonly act = act();
  /** drawn only while asked for, so that no passphrase stays in a hidden field */
  protected readonly asking = signal(false);
  protected readonly saved = signal<string | null>(null);

  ask(): void {
    this.act.clear();
    this.saved.set(null);
    this.asking.set(true);
    // Once drawn, so that its first field has the focus.
    afterNextRender(() => this.dialog().show(), { injector: this.#injector });
  }

  protected async save(): Promise<void> {
    this.act.clear();
    const passphrase = this.chosen()?.take() ?? null;
    if (passphrase === null) return;
    const outcome = await this.act.run((api) => api.exportVault(passphrase));
    // A dialog that was closed in the meantime wants no file any more.
    if (outcome?.ok !== true || !this.asking()) return;
    const name = exportName(new Date());
    try {
      this.#saveFile(outcome.value, name);
    } catch {
      this.act.refuse('EXPORT_UNSAVED');
      return;
    }
    this.saved.set(name);
    afterNextRender(() => this.dialog().focusInside(), { injector: this.#injector });
  }
}
