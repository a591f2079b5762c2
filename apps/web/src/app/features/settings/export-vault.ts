import {
  afterNextRender,
  Component,
  computed,
  DestroyRef,
  inject,
  Injector,
  signal,
  viewChild,
} from '@angular/core';
import type { ExportProgress } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { SAVE_FILE } from '../../core/save-file';
import { ErrorMessage } from '../../core/components/error-message';
import { Modal } from '../../ui/modal';
import { NewPassphrase } from '../../core/components/new-passphrase';

/** Shown until the worker has counted. */
const NOTHING_YET: ExportProgress = { done: 0, total: 0 };

/** 0fc-2026-11-24.vault, by the calendar of this device. */
export function exportName(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `0fc-${String(now.getFullYear())}-${two(now.getMonth() + 1)}-${two(now.getDate())}.vault`;
}

/** What is under way, until it ends or nobody wants it any more. */
interface Run {
  wanted: boolean;
}

/** One sealed file with everything, and what it costs to have one (docs/protocol.md section 9). */
@Component({
  selector: 'zfc-export-vault',
  imports: [ErrorMessage, Modal, NewPassphrase],
  host: { class: 'contents' },
  template: `
    <zfc-modal #modal [heading]="t('settings.exportTitle')" (closed)="end()">
      @if (saved(); as file) {
        <p role="status" data-testid="exported">{{ t('settings.exported', { file }) }}</p>
        <p class="hint">{{ t('settings.exportedHint') }}</p>
        <div class="dialog__actions">
          <button class="btn btn--primary" type="button" (click)="modal.close()">
            {{ t('common.close') }}
          </button>
        </div>
      } @else if (progress(); as made) {
        <p>{{ t('settings.exporting') }}</p>
        <progress
          class="bar"
          data-testid="export-progress"
          [attr.value]="made.total === 0 ? null : made.done"
          [attr.max]="made.total || 1"
          [attr.aria-label]="t('settings.exporting')"
        ></progress>
        <p class="quiet num" data-testid="export-done">
          @if (made.total > 0) {
            {{ t('settings.exportDone', { done: made.done, total: made.total }) }}
          }
        </p>
        <p class="sr-only" role="status" data-testid="export-percent">
          {{ t('settings.exportPercent', { percent: percent() }) }}
        </p>
        <div class="dialog__actions">
          <button class="btn btn--line" type="button" data-testid="export-cancel" (click)="modal.close()">
            {{ t('settings.exportCancel') }}
          </button>
        </div>
      } @else if (asking()) {
        <p class="notice notice--caution">{{ t('settings.exportOnce') }}</p>
        <p>{{ t('settings.exportPast') }}</p>
        <form class="stack" (submit)="$event.preventDefault(); save()">
          <zfc-new-passphrase name="export-passphrase" [label]="t('settings.exportPassphrase')" />
          <zfc-error [failure]="command.failure()" />
          <div class="dialog__actions">
            <button class="btn btn--line" type="button" (click)="modal.close()">
              {{ t('common.cancel') }}
            </button>
            <button class="btn btn--primary" type="submit" data-testid="export-confirm">
              {{ t('settings.exportConfirm') }}
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
  protected readonly command = commandState();
  /** drawn only while asked for, so that no passphrase stays in a hidden field */
  protected readonly asking = signal(false);
  protected readonly progress = signal<ExportProgress | null>(null);
  /** in steps of ten: each is read out */
  protected readonly percent = computed(() => {
    const { done, total } = this.progress() ?? NOTHING_YET;
    return Math.floor((done / Math.max(total, 1)) * 10) * 10;
  });
  protected readonly saved = signal<string | null>(null);
  /** the last one was, and nobody has asked for another */
  readonly cancelled = signal(false);
  #run: Run | null = null;
  /** of the worker's last export, which may be a cancelled one that has not ended yet */
  #ended: Promise<unknown> = Promise.resolve();

  constructor() {
    inject(DestroyRef).onDestroy(() => this.#cancel());
  }

  ask(): void {
    this.command.clear();
    this.saved.set(null);
    this.cancelled.set(false);
    this.asking.set(true);
    // Once drawn, so that its first field has the focus.
    afterNextRender(() => this.dialog().show(), { injector: this.#injector });
  }

  /** The dialog was closed: by its buttons, or by Escape. */
  protected end(): void {
    this.asking.set(false);
    if (this.#cancel()) this.cancelled.set(true);
  }

  protected async save(): Promise<void> {
    this.command.clear();
    const passphrase = (await this.chosen()?.take()) ?? null;
    if (passphrase === null) return;
    const run: Run = { wanted: true };
    this.#run = run;
    this.#draw(NOTHING_YET);
    await this.#ended;
    const parts: Blob[] = [];
    const exporting = this.command.run((_, { exportVault }) =>
      exportVault(passphrase, (piece, progress) => {
        if (run.wanted) {
          // The browser's to keep, on disk where it is much; a copy, as it takes no memory that may be shared.
          parts.push(new Blob([new Uint8Array(piece)]));
          this.progress.set(progress);
        }
        return Promise.resolve(run.wanted);
      }),
    );
    this.#ended = exporting;
    const outcome = await exporting;
    if (!run.wanted) {
      this.command.clear();
      return;
    }
    this.#run = null;
    if (outcome?.ok === true) this.#keep(parts);
    this.#draw(null);
  }

  #keep(parts: readonly Blob[]): void {
    const name = exportName(new Date());
    try {
      this.#saveFile(new Blob([...parts], { type: 'application/octet-stream' }), name);
      this.saved.set(name);
    } catch {
      this.command.refuse('EXPORT_UNSAVED');
    }
  }

  /** Other contents of the dialog: its first control has the focus once they are drawn. */
  #draw(progress: ExportProgress | null): void {
    this.progress.set(progress);
    afterNextRender(() => this.dialog().focusInside(), { injector: this.#injector });
  }

  /** Whether there was something to cancel. */
  #cancel(): boolean {
    const run = this.#run;
    this.#run = null;
    this.progress.set(null);
    if (run !== null) run.wanted = false;
    return run !== null;
  }
}
