import { Component, inject, input } from '@angular/core';
import type { ReactionView, TimelineMessage } from '@0fc/client/api';

import { I18n } from '../../core/i18n';
import { Conversation } from './conversation';

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
        [attr.aria-label]="label(reaction)"
        [title]="label(reaction)"
        [disabled]="!conversation.writable()"
        (click)="conversation.react(message(), reaction.emoji)"
      >
        <span aria-hidden="true">{{ reaction.emoji }}</span><span aria-hidden="true">{{
          i18n.number(reaction.count)
        }}</span>
      </button>
    }
  `,
})
export class Reactions {
  protected readonly conversation = inject(Conversation);
  protected readonly i18n = inject(I18n);
  readonly message = input.required<TimelineMessage>();

  protected label({ emoji, names }: ReactionView): string {
    const known = names.map((name) => name || this.i18n.t('common.someone'));
    return this.i18n.t('room.reactedBy', { emoji, names: known.join(', ') });
  }
}
