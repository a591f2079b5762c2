import { Component, computed, inject, input } from '@angular/core';
import type { TimelineMessage } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';
import type { IconName } from '../../ui/icons';
import { RichText } from '../../ui/rich-text';
import { ConversationStore, isUnsent } from './conversation-store';
import { MessageTools } from './message-tools';
import { Quote } from './quote';
import { QuoteSeeker } from './quote-seeker';
import { ReactionPicker } from './reaction-picker';
import { Reactions } from './reactions';
import { UnsentLine } from './unsent-line';

/** One message as a row of the log: who, when, what, and how far it has come. */
@Component({
  // The row is the list item itself: a list may have no other children.
  selector: 'li[zfcMessage]',
  imports: [Avatar, Fingerprint, Icon, MessageTools, Quote, ReactionPicker, Reactions, RichText, UnsentLine],
  host: {
    class: 'msg',
    tabindex: '-1',
    'data-testid': 'message',
    '[id]': "'item-' + message().id",
    '[class.msg--start]': 'start()',
    '[class.msg--mine]': 'message().mine',
    '[class.msg--unsupported]': 'message().unsupported',
    '[class.msg--deleted]': 'message().deleted',
    '[class.msg--active]': 'active()',
    '[class.msg--marked]': 'marked()',
    '[attr.data-id]': 'message().id',
    '[attr.data-state]': 'message().state',
    '[attr.data-order]': 'message().order',
  },
  template: `
    <time class="msg__time" [attr.datetime]="format.iso(message().time)">{{
      format.time(message().time)
    }}</time>
    @if (start()) {
      <zfc-avatar [name]="message().senderName" [identity]="message().fingerprint" [here]="here()" />
    }
    <div class="msg__body">
      @if (start()) {
        <span class="msg__name">
          <bdi>{{ sender() }}</bdi>
          @if (message().verified && !message().mine) {
            <span class="verified" role="img" [attr.aria-label]="t('common.verified')"
              ><zfc-icon name="verified" [small]="true"
            /></span>
          }
          @if (message().confusable || message().senderName === '') {
            <zfc-fingerprint class="nowrap" [value]="message().fingerprint" [small]="true" />
          }
          <time class="msg__time" [attr.datetime]="format.iso(message().time)">{{
            format.time(message().time)
          }}</time>
        </span>
      } @else {
        <span class="sr-only">{{ sender() }}</span>
      }
      @if (message().deleted) {
        <p class="msg__text" data-testid="deleted">
          {{ t(message().mine ? 'room.deletedMine' : 'room.deleted') }}
        </p>
      } @else {
        <zfc-quote [message]="message()" />
        <p class="msg__text" dir="auto">
          <zfc-rich-text [text]="message().unsupported ? t('room.unsupported') : message().text" />
          @if (message().edited) {
            <span class="msg__edited" data-testid="edited">{{ t('room.edited') }}</span>
          }
        </p>
        @if (message().reactions.length > 0) {
          <zfc-reactions [message]="message()" />
        }
        @if (conversation.picking() === message().id) {
          <zfc-reaction-picker [message]="message()" />
        }
      }
      @if (message().timeDoubtful) {
        <p class="hint" data-testid="time-doubtful">{{ t('room.doubtfulTime') }}</p>
      }
      @if (message().late) {
        <p class="hint" data-testid="late">{{ t('room.late') }}</p>
      }
      @if (message().again) {
        <p class="hint" data-testid="again">{{ t('room.again') }}</p>
      }
      @if (message().orderUnknown) {
        <p class="hint" data-testid="order-unknown">{{ t('room.orderUnknown') }}</p>
      }
      @if (unsent()) {
        <zfc-unsent-line [message]="message()" />
      } @else if (message().mine && end() && !message().deleted) {
        @if (message().state === 'sending') {
          <span class="msg__state" data-testid="message-state"
            ><zfc-icon [name]="stateIcon()" [small]="true" />{{ stateText() }}</span
          >
        } @else {
          <button
            class="msg__state"
            type="button"
            data-testid="message-state"
            aria-haspopup="dialog"
            [title]="readers()"
            (click)="conversation.askReaders(message().id)"
          >
            <zfc-icon [name]="stateIcon()" [small]="true" /><span>{{ stateText() }}</span>
          </button>
        }
      }
    </div>
    @if (active() && !message().deleted) {
      <zfc-message-tools [message]="message()" />
    }
  `,
})
export class MessageRow {
  readonly #i18n = inject(I18n);
  readonly #seeker = inject(QuoteSeeker);
  protected readonly conversation = inject(ConversationStore);
  protected readonly format = inject(Format);
  protected readonly t = this.#i18n.t;
  readonly message = input.required<TimelineMessage>();
  readonly start = input(true);
  readonly end = input(true);
  /** members other than the sender */
  readonly others = input.required<number>();
  protected readonly active = computed(() => this.conversation.active() === this.message().id);
  protected readonly marked = computed(() => this.#seeker.marked() === this.message().id);
  protected readonly here = computed(() => this.conversation.here().has(this.message().sender));
  /** A lost line that its sender has deleted is missed by nobody; one that waits holds up what follows. */
  protected readonly unsent = computed(
    () => isUnsent(this.message()) && (this.message().state === 'waiting' || !this.message().deleted),
  );
  protected readonly sender = computed(() =>
    this.message().mine ? this.t('common.you') : this.message().senderName || this.t('common.someone'),
  );
  protected readonly readers = computed(() => this.message().readers.join(', '));
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
