import { afterNextRender, Component, computed, inject, Injector, signal, viewChild } from '@angular/core';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { normalisePassphrase } from '../../core/passphrase';
import { ErrorMessage } from '../../core/components/error-message';
import { Modal } from '../../ui/modal';
import { NewPassphrase } from '../../core/components/new-passphrase';
import { PassphraseField } from '../../core/components/passphrase-field';

/** The passphrase of this device's vault, exchanged for another one. */
@Component({
  selector: 'zfc-change-passphrase',
  imports: [ErrorMessage, Modal, NewPassphrase, PassphraseField],
  host: { class: 'contents' },
  template: `
    <zfc-modal #modal [heading]="t('settings.change')" (closed)="asking.set(false)">
      @if (changed()) {
        <p role="status" data-testid="passphrase-changed">{{ t('settings.changed') }}</p>
        <div class="dialog__actions">
          <button class="btn btn--primary" type="button" (click)="modal.close()">
            {{ t('common.close') }}
          </button>
        </div>
      } @else if (asking()) {
        <form class="stack" (submit)="$event.preventDefault(); change()">
          <zfc-passphrase-field
            #current
            fieldId="current-passphrase"
            testId="current-passphrase"
            [label]="t('settings.current')"
            [(value)]="passphrase"
            [invalid]="wrong()"
            describedBy="current-passphrase-error"
          >
            @if (wrong()) {
              <zfc-error [failure]="command.failure()" id="current-passphrase-error" />
            }
          </zfc-passphrase-field>
          <zfc-new-passphrase name="next-passphrase" [label]="t('settings.next')" />
          @if (!wrong()) {
            <zfc-error [failure]="command.failure()" />
          }
          <div class="dialog__actions">
            <button class="btn btn--line" type="button" (click)="modal.close()">
              {{ t('common.cancel') }}
            </button>
            <button
              class="btn btn--primary"
              type="submit"
              data-testid="change-confirm"
              [disabled]="command.busy()"
              [attr.aria-busy]="command.busy()"
            >
              @if (command.busy()) {
                <span class="spinner"></span>
              }
              {{ t(command.busy() ? 'settings.changing' : 'settings.changeConfirm') }}
            </button>
          </div>
        </form>
      }
    </zfc-modal>
  `,
})
export class ChangePassphrase {
  readonly #injector = inject(Injector);
  private readonly dialog = viewChild.required(Modal);
  private readonly chosen = viewChild(NewPassphrase);
  private readonly current = viewChild<PassphraseField>('current');
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  protected readonly passphrase = signal('');
  /** drawn only while asked for, so that no passphrase stays in a hidden field */
  protected readonly asking = signal(false);
  protected readonly changed = signal(false);
  protected readonly wrong = computed(() => this.command.failure()?.code === 'WRONG_PASSPHRASE');

  ask(): void {
    this.command.clear();
    this.passphrase.set('');
    this.changed.set(false);
    this.asking.set(true);
    // Once drawn, so that its first field has the focus.
    afterNextRender(() => this.dialog().show(), { injector: this.#injector });
  }

  protected async change(): Promise<void> {
    if (this.command.busy()) return;
    this.command.clear();
    if (this.passphrase() === '') {
      this.current()?.focus();
      return;
    }
    const next = (await this.chosen()?.take()) ?? null;
    if (next === null) return;
    const current = normalisePassphrase(this.passphrase());
    const outcome = await this.command.run((api) => api.changePassphrase(current, next));
    if (outcome?.ok === true) {
      this.passphrase.set('');
      this.changed.set(true);
      afterNextRender(() => this.dialog().focusInside(), { injector: this.#injector });
    } else if (this.wrong()) this.current()?.focus();
  }
}
