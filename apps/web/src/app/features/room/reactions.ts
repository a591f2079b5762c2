import { Component, inject, input } from '@angular/core';
import type { ReactionView, TimelineMessage } from '@0fc/client/api';

import { I18n } from '../../core/i18n';
import { ConversationStore } from './conversation-store';

/** The reactions to a message: a press adds or takes back one's own. */
@Component({
  selector: 'zfc-reactions',
  host: { class: 'reactions' },
  template: `
    @for (reaction of message().reactions; track reaction.emoji) {
      <button
        class="reaction"
        type="button"
        data-testid="reaction"
        [attr.aria-pressed]="reaction.mine"
        [title]="names(reaction)"
        [disabled]="!conversation.writable()"
        (click)="conversation.react(message(), reaction.emoji)"
      >
        <span>{{ reaction.emoji }}</span>&ngsp;<span>{{ i18n.number(reaction.count) }}</span
        >&ngsp;<span class="sr-only">{{ names(reaction) }}</span>
      </button>
    }
  `,
})
export class Reactions {
  protected readonly conversation = inject(ConversationStore);
  protected readonly i18n = inject(I18n);
  readonly message = input.required<TimelineMessage>();

  protected names({ names }: ReactionView): string {
    return names.map((name) => name || this.i18n.t('common.someone')).join(', ');
  }
}
