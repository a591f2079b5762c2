import { Component, computed, inject, input } from '@angular/core';
import type { TimelineSystem } from '@0fc/client/api';
import { SETTINGS_FIELDS, type RoomSettings } from '@0fc/protocol';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import type { IconName } from '../../ui/icons';

const KNOTS: Readonly<Record<TimelineSystem['event'], IconName>> = {
  created: 'room',
  admitted: 'personPlus',
  removed: 'personMinus',
  leaving: 'personMinus',
  left: 'personMinus',
  transferred: 'people',
  settings: 'settings',
  closed: 'close',
  rotated: 'key',
  missed: 'clock',
  closedAgain: 'clock',
  joinDropped: 'personMinus',
  joinEnded: 'personMinus',
  name: 'text',
  inviteRefused: 'info',
  inviteBurnt: 'info',
  inviteAltered: 'info',
  inviteFull: 'people',
  keyAsked: 'key',
  keyGranted: 'key',
  keyGiven: 'key',
  rotatedCold: 'key',
  imported: 'device',
  prekeyBehind: 'info',
  unwrapped: 'info',
  offered: 'people',
  offerWithdrawn: 'people',
  joinExpired: 'clock',
  settingsRefused: 'info',
  placesRefused: 'info',
};

/** The sentence of a line that its numbers make another one; null: the one of its event. */
function variantOf({ event, params }: TimelineSystem): string | null {
  if (event === 'missed' && params.from === params.to) return 'missedOne';
  if (event === 'inviteRefused' && Number(params.tries ?? 1) > 1) return 'inviteRefusedMore';
  if (event === 'offered' && params.actorMe === 1) return 'offeredByMe';
  if (event === 'offerWithdrawn' && params.actorMe === 1) return 'offerWithdrawnByMe';
  if (event !== 'rotated') return null;
  if (params.times !== undefined) return 'rotatedTimes';
  if (params.unwrapped === undefined) return null;
  if (params.mine === 1) return 'rotatedWithoutMe';
  return params.unwrapped === 1 ? 'rotatedWithoutOne' : 'rotatedWithout';
}

/** Something that the room agreed on: a knot on its thread. */
@Component({
  selector: 'li[zfcSystem]',
  imports: [Icon],
  host: {
    class: 'sys',
    'data-testid': 'system-line',
    '[class.sys--key]': "line().event === 'rotated'",
    '[attr.data-event]': 'line().event',
  },
  template: `
    <time class="msg__time" [attr.datetime]="format.iso(line().time)">{{ format.time(line().time) }}</time>
    <span class="sys__knot"><zfc-icon [name]="knot()" [small]="true" /></span>
    <p class="sys__text">
      @for (part of parts(); track $index) {
        @if (part.strong) {
          <b [textContent]="part.text"></b>
        } @else {
          <span [textContent]="part.text"></span>
        }
      }
      @for (change of changes(); track change.name) {
        <span class="hint" data-testid="setting-changed" [attr.data-name]="change.name">{{
          change.text
        }}</span>
        @if (change.warning !== null) {
          <b class="hint" data-testid="setting-low" [attr.data-name]="change.name">{{ change.warning }}</b>
        }
      }
      @if (line().timeDoubtful) {
        <span class="hint" data-testid="time-doubtful">{{ t('room.doubtfulRelayTime') }}</span>
      }
    </p>
  `,
})
export class SystemRow {
  readonly #i18n = inject(I18n);
  protected readonly format = inject(Format);
  protected readonly t = this.#i18n.t;
  readonly line = input.required<TimelineSystem>();
  protected readonly knot = computed(() => KNOTS[this.line().event]);
  protected readonly parts = computed(() => {
    const { event, me, params, time } = this.line();
    // An empty name is one that this device does not know.
    const named = (name: string | number | undefined): string =>
      name === undefined || name === '' ? this.#i18n.t('common.someone') : String(name);
    const names = {
      actor: params.actorMe === 1 ? this.#i18n.t('room.byYou') : named(params.actor),
      member: named(params.member),
      name: params.name ?? '',
      key: this.#i18n.t('room.key', { epoch: params.epoch ?? '' }),
    };
    const key = variantOf(this.line()) ?? `${event}${me ? 'Me' : ''}`;
    return this.#i18n.parts(`room.system.${key}`, names, {
      ...params,
      ...names,
      time: this.format.time(time),
    });
  });

  /** Of a change of the settings: each value that changed, what it was, and what a low one does. */
  protected readonly changes = computed(() => {
    const { event, params } = this.line();
    if (event !== 'settings') return [];
    return SETTINGS_FIELDS.flatMap((name) => {
      const [now, was] = [params[name], params[`${name}Was`]];
      if (typeof now !== 'number' || typeof was !== 'number') return [];
      const text = this.t(`room.setting.${name}`, {
        now: this.#settingText(name, now),
        was: this.#settingText(name, was),
      });
      return [{ name, text, warning: params[`${name}Low`] === 1 ? this.t(`room.settingLow.${name}`) : null }];
    });
  });

  #settingText(name: keyof RoomSettings, value: number): string {
    if (name === 'approval') return this.t(value === 1 ? 'room.settingOn' : 'room.settingOff');
    return this.#i18n.number(name === 'joinDeadline' ? Math.round(value / 60_000) : value);
  }
}
