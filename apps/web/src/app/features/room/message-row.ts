import { Component, computed, inject, input } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Icon } from '../../ui/icon';
import type { IconName } from '../../ui/icons';
import { RichText } from '../../ui/rich-text';

/** One message as a row of the log: who, when, what, and how far it has come. */
@Component({
  // The row is the list item itself: a list may have no other children.
  selector: 'li[zfcMessage]',
  imports: [Avatar, Icon, RichText],
  host: {
    class: 'msg',
    'data-testid': 'message',
    '[class.msg--start]': 'start()',
    '[class.msg--mine]': 'message().mine',
    '[class.msg--unsupported]': 'message().unsupported',
    '[attr.data-id]': 'message().id',
    '[attr.data-state]': 'message().state',
    '[attr.data-order]': 'message().order',
  },
  template: `
    <time class="msg__time" [attr.datetime]="format.iso(message().time)">{{
      format.time(message().time)
    }}</time>
    @if (start()) {
      <zfc-avatar [name]="message().senderName" [identity]="message().fingerprint" />
    }
    <div class="msg__body">
      @if (start()) {
        <span class="msg__name">
          <bdi>{{ message().mine ? t('common.you') : message().senderName || t('common.someone') }}</bdi>
          @if (message().verified && !message().mine) {
            <span class="verified" role="img" [attr.aria-label]="t('common.verified')"
              ><zfc-icon name="verified" [small]="true"
            /></span>
          }
          <time class="msg__time" [attr.datetime]="format.iso(message().time)">{{
            format.time(message().time)
          }}</time>
        </span>
      } @else {
        <span class="sr-only">{{ message().mine ? t('common.you') : message().senderName }}</span>
      }
      <p class="msg__text" dir="auto">
        <zfc-rich-text [text]="message().unsupported ? t('room.unsupported') : message().text" />
      </p>
      @if (message().mine && end()) {
        <span class="msg__state"><zfc-icon [name]="stateIcon()" [small]="true" />{{ stateText() }}</span>
      }
    </div>
  `,
})
export class MessageRow {
  readonly #i18n = inject(I18n);
  protected readonly format = inject(Format);
  protected readonly t = this.#i18n.t;
  readonly message = input.required<TimelineMessage>();
  readonly start = input(true);
  readonly end = input(true);
  /** members other than the sender */
  readonly others = input.required<number>();

  protected readonly stateIcon = computed<IconName>(() => {
    const { state } = this.message();
    if (state === 'sending') return 'clock';
    return state === 'read' ? 'checks' : 'check';
  });
  protected readonly stateText = computed(() => {
    const { state, readBy } = this.message();
    if (state !== 'read') return this.t(`room.${state}`);
    return readBy >= this.others()
      ? this.t('room.readByAll')
      : this.t('room.readBy', { count: readBy, total: this.others() });
  });
}
