import type { ElementRef } from '@angular/core';
import { Component, computed, inject, output, signal, viewChild } from '@angular/core';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { requestPersistence } from '../../core/persistent-storage';
import { normalisePassphrase } from '../../core/passphrase';
import { ErrorMessage } from '../../core/components/error-message';
import { NewPassphrase } from '../../core/components/new-passphrase';
import { PassphraseField } from '../../core/components/passphrase-field';

/** An exported vault comes to this device: its file, its passphrase, and a new one for here (docs/protocol.md section 9). */
@Component({
  selector: 'zfc-import-vault',
  imports: [ErrorMessage, NewPassphrase, PassphraseField],
  host: { class: 'contents' },
  template: `
    <div class="w-sm stack">
      <form class="card card--float stack stack--6" (submit)="$event.preventDefault(); bring()">
        <div class="stack stack--2">
          <h1 class="title-page" tabindex="-1">{{ t('unlock.importTitle') }}</h1>
          <p class="muted">{{ t('unlock.importLead') }}</p>
        </div>
        <div class="field">
          <p class="label" id="import-label">{{ t('unlock.importFile') }}</p>
          <div class="file-pick">
            <label class="btn btn--line">
              {{ t(file() ? 'unlock.importOther' : 'unlock.importChoose') }}
              <input
                #picker
                type="file"
                accept=".vault,application/octet-stream"
                data-testid="import-file"
                aria-describedby="import-label import-hint"
                (change)="pick(picker.files)"
              />
            </label>
            @if (file(); as file) {
              <bdi class="wrap-anywhere" data-testid="import-name">{{ file.name }}</bdi>
            }
          </div>
          @if (missing()) {
            <p class="error" role="alert" id="import-hint">{{ t('unlock.importNone') }}</p>
          } @else {
            <p class="hint" id="import-hint">{{ t('unlock.importHint') }}</p>
          }
        </div>
        <zfc-passphrase-field
          fieldId="file-passphrase"
          testId="file-passphrase"
          [label]="t('unlock.importFilePassphrase')"
          [(value)]="filePassphrase"
          [invalid]="wrong() || untold()"
          describedBy="file-passphrase-error"
        >
          @if (untold()) {
            <p class="error" role="alert" id="file-passphrase-error">{{ t('unlock.importEmpty') }}</p>
          }
          @if (wrong()) {
            <zfc-error
              [failure]="command.failure()"
              [instead]="t('unlock.importWrong')"
              id="file-passphrase-error"
            />
          }
        </zfc-passphrase-field>
        <zfc-new-passphrase [label]="t('unlock.importNew')" />
        <div class="stack stack--3">
          @if (!wrong()) {
            <zfc-error [failure]="command.failure()" />
          }
          <button
            class="btn btn--primary btn--wide"
            type="submit"
            data-testid="import"
            [disabled]="command.busy()"
            [attr.aria-busy]="command.busy()"
          >
            @if (command.busy()) {
              <span class="spinner"></span>
            }
            {{ t('unlock.import') }}
          </button>
          <p class="hint" role="status">{{ command.busy() ? t('unlock.importing') : '' }}</p>
        </div>
      </form>
      <button
        class="btn btn--wide"
        type="button"
        data-testid="import-back"
        [disabled]="command.busy()"
        (click)="back.emit()"
      >
        {{ t('unlock.importBack') }}
      </button>
    </div>
  `,
})
export class ImportVault {
  private readonly chosen = viewChild.required(NewPassphrase);
  private readonly field = viewChild.required(PassphraseField);
  private readonly picker = viewChild.required<ElementRef<HTMLInputElement>>('picker');
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  readonly back = output();
  protected readonly file = signal<File | null>(null);
  protected readonly filePassphrase = signal('');
  readonly #tried = signal(false);
  protected readonly missing = computed(() => this.#tried() && this.file() === null);
  protected readonly untold = computed(() => this.#tried() && this.filePassphrase() === '');
  protected readonly wrong = computed(() => this.command.failure()?.code === 'WRONG_PASSPHRASE');

  protected pick(files: FileList | null): void {
    this.file.set(files?.item(0) ?? null);
    this.command.clear();
  }

  protected async bring(): Promise<void> {
    if (this.command.busy()) return;
    this.#tried.set(true);
    this.command.clear();
    const file = this.file();
    if (file === null) {
      this.picker().nativeElement.focus();
      return;
    }
    if (this.untold()) {
      this.field().focus();
      return;
    }
    const passphrase = await this.chosen().take();
    if (passphrase === null) return;
    const bytes = await this.#read(file);
    if (bytes === null) return;
    const opens = normalisePassphrase(this.filePassphrase());
    const outcome = await this.command.run((api) => api.importVault(bytes, opens, passphrase));
    if (outcome?.ok === true) await requestPersistence();
    else if (this.wrong()) this.field().focus();
  }

  async #read(file: File): Promise<Uint8Array | null> {
    try {
      return new Uint8Array(await file.arrayBuffer());
    } catch {
      this.command.refuse('FILE_UNREADABLE');
      return null;
    }
  }
}
