import { Component, computed, inject, input } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { RoomView } from '@0fc/client/api';

import { Explain } from '../../core/explain';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';

/** What holds for the room as a whole at this moment, one line each. */
@Component({
  selector: 'zfc-room-banners',
  imports: [Icon, RouterLink],
  host: { class: 'contents' },
  template: `
    @if (room().stopped; as stopped) {
      <p class="banner banner--alarm" role="alert" data-testid="room-stopped" [attr.data-code]="stopped.code">
        <zfc-icon name="alarm" [small]="true" /><span
          >{{ t('room.stoppedLead') }} {{ explain.sentence(stopped) }}</span
        >
      </p>
    } @else if (open() && room().connection !== 'connected') {
      <p class="banner" role="status" data-testid="connection" [attr.data-state]="room().connection">
        <zfc-icon name="offline" [small]="true" /><span>{{
          t(room().connection === 'connecting' ? 'room.connecting' : 'room.offline')
        }}</span>
      </p>
    } @else if (room().catchingUp) {
      <p class="banner" role="status">
        <span class="spinner"></span><span>{{ t('room.catchingUp') }}</span>
      </p>
    }
    @for (asking of room().approvals; track asking.inviteId) {
      <p class="banner" role="status" data-testid="asks-to-enter">
        <zfc-icon name="people" [small]="true" /><span>{{ t('members.asks', { name: asking.name }) }}</span>
        <a class="btn btn--flush" [routerLink]="['/room', room().roomId, 'members']">{{
          t('room.decide')
        }}</a>
      </p>
    }
    @if (open() && room().paused) {
      <p class="banner" role="status">
        <zfc-icon name="clock" [small]="true" /><span>{{ t('room.paused') }}</span>
      </p>
    }
    @if (open() && away(); as away) {
      <p class="banner" role="status">
        <zfc-icon name="clock" [small]="true" /><span>{{ away }}</span>
      </p>
    }
  `,
})
export class RoomBanners {
  readonly #format = inject(Format);
  protected readonly explain = inject(Explain);
  protected readonly t = inject(I18n).t;
  readonly room = input.required<RoomView>();
  protected readonly open = computed(() => this.room().stage === 'member');
  protected readonly away = computed(() => {
    const since = this.room().ownerAwaySince;
    return since === null ? null : this.t('room.ownerAway', { time: this.#format.moment(since) });
  });
}
