import { Component, computed, inject, input } from '@angular/core';
import type { TimelineAlarm } from '@0fc/client/api';

import { Explain } from '../../core/explain';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';

/** A safety alarm where it belongs in the conversation: never swallowed, never fatal to the rest. */
@Component({
  selector: 'li[zfcAlarm]',
  imports: [Icon],
  host: {
    class: 'alarm-li',
    tabindex: '-1',
    'data-testid': 'alarm',
    '[class.alarm-li--settled]': 'alarm().settled',
    '[attr.data-code]': 'alarm().code',
    '[id]': "'item-' + alarm().id",
  },
  template: `
    <time class="msg__time only-wide" [attr.datetime]="format.iso(alarm().time)">{{
      format.time(alarm().time)
    }}</time>
    <span class="alarm-knot"><zfc-icon name="alarm" [small]="true" /></span>
    <section class="alarm" [attr.role]="alarm().settled ? null : 'alert'">
      <h2>{{ words().title }}</h2>
      <p>{{ words().text }}</p>
      @if (alarm().params['times']) {
        <p data-testid="alarm-times">{{ t('room.alarmTimes', alarm().params) }}</p>
      }
      <p class="only-phone-block quiet">{{ t('room.alarmAt', { time: format.time(alarm().time) }) }}</p>
      @if (alarm().timeDoubtful) {
        <p class="quiet" data-testid="time-doubtful">{{ t('room.doubtfulRelayTime') }}</p>
      }
      @if (alarm().settled) {
        <p class="quiet">{{ t('room.settled') }}</p>
      }
    </section>
  `,
})
export class AlarmRow {
  readonly #explain = inject(Explain);
  protected readonly format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly alarm = input.required<TimelineAlarm>();
  protected readonly words = computed(() => this.#explain.alarm(this.alarm().code, this.alarm().params));
}
