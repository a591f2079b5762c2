import { Component, computed, inject, input } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { JoinView, RoomSummary } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Icon } from '../../ui/icon';
import { ForgetRoom } from '../../core/components/forget-room';

/** The rooms of this device, the newest activity first, and the joins under way. */
@Component({
  selector: 'zfc-room-list',
  imports: [Avatar, ForgetRoom, Icon, RouterLink],
  host: { class: 'contents' },
  template: `
    <ul class="rooms">
      @for (join of joins(); track join.roomId) {
        <li>
          <a
            class="room"
            routerLink="/join"
            [queryParams]="{ room: join.roomId }"
            data-testid="join-link"
            [attr.data-room-id]="join.roomId"
          >
            <zfc-avatar [name]="'?'" [identity]="join.roomId" [room]="true" />
            <span class="room__name">{{ t('home.unnamed') }}</span>
            <span class="room__time"></span>
            <span class="room__last">{{
              t(join.failure === null ? 'home.joining' : 'home.joinStopped')
            }}</span>
            <span class="room__side">
              @if (join.failure !== null) {
                <span class="mark mark--caution"><zfc-icon name="info" [small]="true" /></span>
              }
            </span>
          </a>
        </li>
      }
      @for (room of rooms(); track room.roomId) {
        <li>
          <a
            class="room"
            [class.room--unread]="room.unread > 0"
            [routerLink]="['/room', room.roomId]"
            [attr.aria-current]="room.roomId === current() ? 'page' : null"
            data-testid="room-link"
            [attr.data-room-id]="room.roomId"
          >
            <zfc-avatar [name]="room.name" [identity]="room.roomId" [room]="true" />
            <span class="room__name" dir="auto">{{ room.name || t('home.unnamed') }}</span>
            <time class="room__time num" [attr.datetime]="format.iso(room.time)">{{
              format.short(room.time)
            }}</time>
            <span class="room__last" data-testid="room-last"
              ><bdi>{{ last(room) }}</bdi></span
            >
            <span class="room__side">
              @if (room.stopped !== null) {
                <span class="mark mark--caution" role="img" [attr.aria-label]="t('common.stopped')"
                  ><zfc-icon name="offline" [small]="true"
                /></span>
              }
              @if (room.alarms > 0) {
                <span
                  class="room__alarm"
                  role="img"
                  [attr.aria-label]="i18n.count('common.alarms', room.alarms)"
                  ><zfc-icon name="alarm" [small]="true"
                /></span>
              }
              @if (room.rotationDue) {
                <span class="mark mark--caution" role="img" [attr.aria-label]="t('home.rotationDue')"
                  ><zfc-icon name="clock" [small]="true"
                /></span>
              }
              @if (room.unread > 0) {
                <span class="badge" [attr.aria-label]="i18n.count('home.unread', room.unread)" role="img">{{
                  i18n.number(room.unread)
                }}</span>
              }
            </span>
          </a>
        </li>
      }
      @for (room of store.damaged(); track room.roomId) {
        <li class="room room--damaged" data-testid="damaged-room" [attr.data-room-id]="room.roomId">
          <zfc-avatar [name]="'?'" [identity]="room.roomId" [room]="true" />
          <span class="room__name">{{ t('home.damaged') }}</span>
          <span class="room__text">{{ t('home.damagedText', { store: room.store }) }}</span>
          <span class="room__side"><zfc-forget-room [roomId]="room.roomId" /></span>
        </li>
      }
    </ul>
  `,
})
export class RoomList {
  protected readonly store = inject(AppStore);
  protected readonly i18n = inject(I18n);
  protected readonly format = inject(Format);
  protected readonly t = this.i18n.t;
  readonly current = input<string | null>(null);

  // A room that is being joined has its line among the joins, which say how far it is.
  protected readonly joins = computed<readonly JoinView[]>(() => {
    const members = new Set(
      this.store
        .rooms()
        .filter((room) => room.stage !== 'joining')
        .map((room) => room.roomId),
    );
    return this.store.joins().filter((join) => !members.has(join.roomId));
  });
  protected readonly rooms = computed(() => this.store.rooms().filter((room) => room.stage !== 'joining'));

  protected last(room: RoomSummary): string {
    if (room.stage !== 'member') return this.t(`home.${room.stage}`);
    if (room.draft.trim() !== '' && room.roomId !== this.current())
      return this.t('home.draft', { text: room.draft });
    if (room.last === null) return this.t('home.noMessage');
    const sender = room.last.mine ? this.t('common.you') : room.last.sender || this.t('common.someone');
    return this.t('home.last', { sender, text: room.last.text });
  }
}
