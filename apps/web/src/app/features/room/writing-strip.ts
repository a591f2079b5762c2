import { Component, computed, inject } from '@angular/core';

import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import { ConversationStore } from './conversation-store';

/** Above the composer: what is being answered or changed, and the way out of it. */
@Component({
  selector: 'zfc-writing-strip',
  imports: [Icon],
  host: { class: 'contents' },
  template: `
    @if (about(); as about) {
      <div class="composer__about" data-testid="writing" [attr.data-kind]="about.kind">
        <zfc-icon [name]="about.kind" [small]="true" />
        <p class="composer__quote" id="composer-about">
          <b>{{ about.title }}</b>&ngsp;<bdi>{{ about.text }}</bdi>
        </p>
        <button
          class="icon-btn"
          type="button"
          data-testid="writing-cancel"
          [attr.aria-label]="t('common.cancel')"
          [title]="t('room.cancelHint')"
          (click)="conversation.writeNew()"
        >
          <zfc-icon name="close" [small]="true" />
        </button>
      </div>
    }
  `,
})
export class WritingStrip {
  protected readonly conversation = inject(ConversationStore);
  protected readonly t = inject(I18n).t;
  protected readonly about = computed(() => {
    const writing = this.conversation.writing();
    if (writing.kind === 'new') return null;
    const { mine, senderName, text } = writing.message;
    const name = mine ? this.t('room.yourself') : senderName || this.t('common.someone');
    return writing.kind === 'edit'
      ? { kind: 'edit' as const, title: this.t('room.editing'), text }
      : { kind: 'reply' as const, title: this.t('room.replyingTo', { name }), text };
  });
}
