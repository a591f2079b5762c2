import { Component, inject, input } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import { ConversationStore } from './conversation-store';

/** What can be done with one message. Drawn only for the message that is pointed at, touched or in focus. */
@Component({
  selector: 'zfc-message-tools',
  imports: [Icon],
  host: { class: 'msg__tools', role: 'toolbar', '[attr.aria-label]': "t('room.acts')" },
  template: `
    @if (conversation.writable()) {
      <button
        class="icon-btn"
        type="button"
        data-testid="act-reply"
        [attr.aria-label]="t('room.reply')"
        [title]="t('room.reply')"
        (click)="conversation.replyTo(message())"
      >
        <zfc-icon name="reply" [small]="true" />
      </button>
      <button
        class="icon-btn"
        type="button"
        data-testid="act-react"
        [attr.aria-label]="t('room.react')"
        [title]="t('room.react')"
        [attr.aria-expanded]="conversation.picking() === message().id"
        (click)="conversation.pick(conversation.picking() === message().id ? null : message().id)"
      >
        <zfc-icon name="react" [small]="true" />
      </button>
    }
    <button
      class="icon-btn"
      type="button"
      data-testid="act-copy"
      [attr.aria-label]="t('common.copy')"
      [title]="t('common.copy')"
      (click)="conversation.copy(message())"
    >
      <zfc-icon name="copy" [small]="true" />
    </button>
    @if (conversation.mayEdit(message())) {
      <button
        class="icon-btn"
        type="button"
        data-testid="act-edit"
        [attr.aria-label]="t('room.edit')"
        [title]="t('room.edit')"
        (click)="conversation.edit(message())"
      >
        <zfc-icon name="edit" [small]="true" />
      </button>
    }
    @if (conversation.mayDelete(message())) {
      <button
        class="icon-btn"
        type="button"
        data-testid="act-delete"
        [attr.aria-label]="t('room.delete')"
        [title]="t('room.delete')"
        (click)="conversation.askDelete(message())"
      >
        <zfc-icon name="trash" [small]="true" />
      </button>
    }
  `,
})
export class MessageTools {
  protected readonly conversation = inject(ConversationStore);
  protected readonly t = inject(I18n).t;
  readonly message = input.required<TimelineMessage>();
}
