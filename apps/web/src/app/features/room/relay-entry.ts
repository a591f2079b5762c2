import { Component, computed, inject, input } from '@angular/core';
import type { RelayRow } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import type { IconName } from '../../ui/icons';

const KNOTS: Readonly<Record<RelayRow['kind'], IconName | null>> = {
  message: null,
  rotation: 'key',
  roster: 'people',
  leaveRequest: 'personMinus',
};
/** Characters of a member id that tell members apart at a glance. */
const SHORT = 8;

/** One entry of the log: what this device reads, and what the relay has. */
@Component({
  selector: 'li[zfcRelayEntry]',
  imports: [Icon],
  host: { class: 'relay__row', 'data-testid': 'relay-row', '[attr.data-kind]': 'row().kind' },
  template: `
    <div class="clear">
      @if (knot(); as knot) {
        <p class="row">
          <span class="sys__knot"><zfc-icon [name]="knot" [small]="true" /></span>
          <span class="sys__text"
            ><b>{{ what() }}</b
            >&ngsp;<bdi>{{ row().senderName }}</bdi></span
          >
        </p>
      } @else {
        <p class="msg__name">
          <bdi>{{ row().senderName || t('common.someone') }}</bdi>&ngsp;<span class="quiet num">{{
            format.time(row().time)
          }}</span>
        </p>
        @if (row().says !== '') {
          <p class="msg__text" dir="auto">{{ row().says }}</p>
        }
        @if (row().what !== 'text') {
          <p class="quiet">{{ what() }}</p>
        }
      }
    </div>
    <div class="sealed">
      <p class="sealed__meta">
        <span>#{{ row().position.g }}.{{ row().position.s }}</span
        >&ngsp; <span>{{ row().kind }}</span>&ngsp; <span [title]="row().sender">{{ sender() }}</span>&ngsp;
        <time [attr.datetime]="format.iso(row().time)">{{ format.seconds(row().time) }}</time>&ngsp;
        <span>{{ t('room.bytes', { clear: row().clearBytes, sealed: row().payloadBytes }) }}</span>
      </p>
      @if (row().timeDoubtful) {
        <p class="sealed__meta" data-testid="time-doubtful">{{ t('room.doubtfulRelayTime') }}</p>
      }
      <p class="sealed__blob">{{ row().sample }}…</p>
    </div>
  `,
})
export class RelayEntry {
  readonly #i18n = inject(I18n);
  protected readonly format = inject(Format);
  protected readonly t = this.#i18n.t;
  readonly row = input.required<RelayRow>();
  protected readonly knot = computed(() => KNOTS[this.row().kind]);
  protected readonly sender = computed(() => {
    const { sender } = this.row();
    return sender.length > SHORT ? `${sender.slice(0, SHORT)}…` : sender;
  });
  protected readonly what = computed(() => {
    const { kind, what } = this.row();
    const key = `room.what.${what}`;
    return this.t(this.#i18n.has(key) ? key : `room.what.${kind}`);
  });
}
