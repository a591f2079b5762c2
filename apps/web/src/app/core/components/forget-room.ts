import { Component, inject, input, signal, viewChild } from '@angular/core';
import { Router } from '@angular/router';
import type { Failure } from '@0fc/client/api';

import { AppStore } from '../app-store';
import { I18n } from '../i18n';
import { ErrorMessage } from './error-message';
import { Modal } from '../../ui/modal';

/** Deletes a room that is over, or that is to be left and nobody confirms it, from this device, once that is confirmed. */
@Component({
  selector: 'zfc-forget-room',
  imports: [ErrorMessage, Modal],
  host: { class: 'contents' },
  template: `
    <button class="btn btn--flush" type="button" data-testid="forget-room" (click)="ask()">
      {{ t(unconfirmed() ? 'room.forgetLeaving' : 'room.forget') }}
    </button>
    <zfc-modal [heading]="t('room.forgetTitle')">
      @if (unconfirmed()) {
        <p data-testid="forget-unconfirmed">{{ t('room.forgetLeavingText') }}</p>
      }
      <p>{{ t('room.forgetText') }}</p>
      <zfc-error [failure]="failure()" />
      <div class="dialog__actions">
        <button class="btn btn--line" type="button" (click)="modal().close()">
          {{ t('common.cancel') }}
        </button>
        <button
          class="btn btn--alarm"
          type="button"
          data-testid="forget-confirm"
          [disabled]="busy()"
          [attr.aria-busy]="busy()"
          (click)="forget()"
        >
          {{ t('room.forget') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class ForgetRoom {
  readonly #store = inject(AppStore);
  readonly #router = inject(Router);
  protected readonly modal = viewChild.required(Modal);
  protected readonly t = inject(I18n).t;
  readonly roomId = input.required<string>();
  /** the room was asked to be left, and the log does not say so yet */
  readonly unconfirmed = input(false);
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);

  protected ask(): void {
    this.failure.set(null);
    this.modal().show();
  }

  protected async forget(): Promise<void> {
    this.busy.set(true);
    const outcome = await this.#store.run((api) => api.forgetRoom(this.roomId(), this.unconfirmed()));
    this.busy.set(false);
    if (!outcome.ok) {
      this.failure.set(outcome.error);
      return;
    }
    this.modal().close();
    await this.#router.navigateByUrl('/');
  }
}
