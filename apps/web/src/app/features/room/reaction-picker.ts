import type { ElementRef } from '@angular/core';
import { afterNextRender, Component, inject, input, signal, viewChild } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { I18n } from '../../core/i18n';
import { ConversationStore } from './conversation-store';

const COMMON = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;

/** The first sign that a reader sees as one, whatever it is made of. Empty for blank text. */
export function firstSign(text: string): string {
  const [first] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.trim());
  return first?.segment ?? '';
}

/** Six reactions, and a field for any other. */
@Component({
  selector: 'zfc-reaction-picker',
  host: {
    class: 'picker',
    role: 'group',
    'data-testid': 'reaction-picker',
    '[attr.aria-label]': "t('room.react')",
  },
  template: `
    @for (emoji of common; track emoji) {
      <button
        class="icon-btn"
        type="button"
        data-testid="pick"
        #choice
        [attr.aria-label]="t('room.reactWith', { emoji })"
        (click)="conversation.react(message(), emoji)"
      >
        {{ emoji }}
      </button>
    }
    <form class="picker__other" (submit)="$event.preventDefault(); other()">
      <input
        #field
        data-testid="pick-other"
        autocomplete="off"
        spellcheck="false"
        [attr.aria-label]="t('room.otherReaction')"
        [placeholder]="t('room.otherReaction')"
        [value]="typed()"
        (input)="typed.set(field.value)"
      />
    </form>
  `,
})
export class ReactionPicker {
  protected readonly conversation = inject(ConversationStore);
  protected readonly t = inject(I18n).t;
  readonly message = input.required<TimelineMessage>();
  protected readonly common = COMMON;
  protected readonly typed = signal('');
  private readonly choice = viewChild.required<ElementRef<HTMLElement>>('choice');

  constructor() {
    afterNextRender(() => this.choice().nativeElement.focus());
  }

  protected other(): void {
    const sign = firstSign(this.typed());
    if (sign !== '') void this.conversation.react(this.message(), sign);
  }
}
