import { Component, computed, inject, input, output } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import type { IconName } from '../../ui/icons';
import { OwnershipTransferBanner } from './ownership-transfer-banner';
import { RoomStopped } from './room-stopped';

interface Line {
  readonly id: string;
  readonly icon: IconName;
  readonly text: string;
}

/** Codes after which the client reads the log again: the request is not refused for good. */
const MOVED: ReadonlySet<string> = new Set(['STALE_HEAD', 'STALE_EPOCH', 'EPOCH_AHEAD']);

/** What holds for the room as a whole at this moment, one line each. */
@Component({
  selector: 'zfc-room-banners',
  imports: [OwnershipTransferBanner, Icon, RoomStopped, RouterLink],
  host: { class: 'contents' },
  template: `
    @if (room().stopped; as stopped) {
      <zfc-room-stopped [room]="room()" [stopped]="stopped" />
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
    @if (open()) {
      @if (room().held[0]; as oldest) {
        <p class="banner" role="status" data-testid="held">
          <zfc-icon name="clock" [small]="true" /><span class="banner__text">{{
            i18n.count('room.held', room().held.length)
          }}</span>
          <button class="btn btn--flush" type="button" data-testid="show-held" (click)="show.emit(oldest)">
            {{ t('room.showHeld') }}
          </button>
        </p>
      }
      @if (room().ownershipTransfer; as offer) {
        <zfc-ownership-transfer-banner [roomId]="room().roomId" [offer]="offer" />
      }
      @for (line of lines(); track line.id) {
        <p class="banner" role="status" [attr.data-testid]="line.id">
          <zfc-icon [name]="line.icon" [small]="true" /><span>{{ line.text }}</span>
        </p>
      }
    }
  `,
})
export class RoomBanners {
  readonly #store = inject(AppStore);
  readonly #format = inject(Format);
  protected readonly i18n = inject(I18n);
  protected readonly t = this.i18n.t;
  readonly room = input.required<RoomView>();
  /** id of a message that is to be brought into view */
  readonly show = output<string>();
  protected readonly open = computed(() => this.room().stage === 'member');
  readonly #due = computed(
    () => this.#store.rooms().find(({ roomId }) => roomId === this.room().roomId)?.rotationDue ?? false,
  );
  /** What the relay refuses for now, where it is reached at all and nothing else holds sending up. */
  readonly #waiting = computed(() => {
    const { connection, stopped, paused, waiting } = this.room();
    if (waiting === null || stopped !== null || paused !== null || connection !== 'connected') return null;
    const key = `room.waitingFor.${waiting}`;
    if (this.i18n.has(key)) return this.t(key);
    return MOVED.has(waiting)
      ? this.t('room.waitingFor.other')
      : this.t('room.waitingFor.refused', { code: waiting });
  });
  protected readonly lines = computed<readonly Line[]>(() => {
    const { paused, leaving, closing, members, ownerAwaySince: away, owner } = this.room();
    const waiting = this.#waiting();
    const gone = members.filter((one) => one.leaving && !one.me);
    const names = gone.map(({ name }) => name || this.t('common.someone')).join(', ');
    const lines: (Line | null)[] = [
      closing ? { id: 'closing', icon: 'lock', text: this.t('room.closingNow') } : null,
      leaving ? { id: 'leaving', icon: 'personMinus', text: this.t('room.leavingNow') } : null,
      paused === null ? null : { id: 'paused', icon: 'clock', text: this.t(`room.pausedBy.${paused}`) },
      waiting === null ? null : { id: 'waiting', icon: 'clock', text: waiting },
      gone.length === 0
        ? null
        : {
            id: 'others-leaving',
            icon: 'eye',
            text: this.i18n.count('room.stillReads', gone.length, { names }),
          },
      away === null
        ? null
        : {
            id: 'owner-away',
            icon: 'clock',
            text: this.t('room.ownerAway', { time: this.#format.moment(away) }),
          },
      this.#due()
        ? { id: 'rotation-due', icon: 'key', text: this.t(owner ? 'room.dueOwner' : 'room.due') }
        : null,
    ];
    return lines.filter((line) => line !== null);
  });
}
