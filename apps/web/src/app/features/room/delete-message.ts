import { Component, effect, inject, viewChild } from '@angular/core';

import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Modal } from '../../ui/modal';
import { ConversationStore } from './conversation-store';

/** Asks before a message is deleted, and says what a deletion cannot do. */
@Component({
  selector: 'zfc-delete-message',
  imports: [ErrorMessage, Modal],
  host: { class: 'contents' },
  template: `
    <zfc-modal [heading]="t('room.deleteTitle')" (closed)="conversation.askDelete(null)">
      <p>{{ t('room.deleteText') }}</p>
      @if (conversation.deleting(); as message) {
        <p class="quote" dir="auto">{{ message.text }}</p>
        <zfc-error [failure]="conversation.failure()" />
      }
      <div class="dialog__actions">
        <button class="btn btn--line" type="button" (click)="conversation.askDelete(null)">
          {{ t('common.cancel') }}
        </button>
        <button
          class="btn btn--alarm"
          type="button"
          data-testid="delete-confirm"
          (click)="conversation.confirmDelete()"
        >
          {{ t('room.deleteConfirm') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class DeleteMessage {
  protected readonly conversation = inject(ConversationStore);
  protected readonly t = inject(I18n).t;
  private readonly modal = viewChild.required(Modal);

  constructor() {
    effect(() => {
      if (this.conversation.deleting() === null) this.modal().close();
      else this.modal().show();
    });
  }
}
