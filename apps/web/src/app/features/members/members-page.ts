import { Component, computed, inject, input } from '@angular/core';
import { RouterLink } from '@angular/router';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { roomFailure } from '../../core/page-codes';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { Approvals } from './approvals';
import { CloseRoom } from './close-room';
import { OwnershipTransferCard } from './ownership-transfer-card';
import { mayAct } from './member-rules';
import { NewInvite } from './new-invite';
import { OpenInvites } from './open-invites';
import { PeopleList } from './people-list';
import { RoomKeyCard } from './room-key-card';
import { RoomSettings } from './room-settings';
import { YouCard } from './you-card';

@Component({
  selector: 'zfc-members-page',
  imports: [
    Approvals,
    CloseRoom,
    ErrorMessage,
    OwnershipTransferCard,
    Icon,
    NewInvite,
    OpenInvites,
    PeopleList,
    RoomKeyCard,
    RoomSettings,
    RouterLink,
    YouCard,
  ],
  host: { class: 'contents' },
  template: `
    <main class="pane pane--main">
      <header class="topbar">
        <a
          class="icon-btn"
          [routerLink]="['/room', id()]"
          [attr.aria-label]="t('common.back')"
          [title]="t('common.back')"
          data-testid="back-to-room"
          ><zfc-icon name="back"
        /></a>
        <div class="topbar__text">
          <h1 class="topbar__title" tabindex="-1">{{ t('members.title') }}</h1>
          @if (room(); as room) {
            <p class="topbar__sub" dir="auto">
              {{ room.owner ? t('members.subOwner', { room: room.name }) : room.name }}
            </p>
          }
        </div>
      </header>
      <div class="scroll body">
        @if (room(); as room) {
          <div class="columns" [class.columns--one]="!active()">
            <div class="stack">
              @if (room.stage !== 'member' && room.stage !== 'joining') {
                <p class="notice notice--caution" data-testid="room-ended" [attr.data-stage]="room.stage">
                  {{ t('members.ended.' + room.stage) }}
                </p>
              }
              @if (room.closing) {
                <p class="notice" role="status" data-testid="closing">{{ t('members.end.under') }}</p>
              }
              @if (manages()) {
                <zfc-approvals [roomId]="room.roomId" [approvals]="room.approvals" />
              }
              @if (active()) {
                <zfc-ownership-transfer-card [room]="room" />
              }
              <zfc-people-list [room]="room" />
              @if (room.stage === 'member') {
                <zfc-room-key-card [room]="room" />
              }
              @if (active() && !room.owner) {
                <p class="hint">{{ t('members.ownerOnly') }}</p>
              }
              @if (manages()) {
                <zfc-room-settings [room]="room" />
              }
            </div>
            @if (active()) {
              <div class="stack">
                @if (manages()) {
                  <zfc-new-invite [roomId]="room.roomId" />
                  <zfc-open-invites [roomId]="room.roomId" [invites]="room.invites" />
                }
                <zfc-you-card [room]="room" />
                @if (manages()) {
                  <zfc-close-room [room]="room" />
                }
              </div>
            }
          </div>
        } @else if (failure()) {
          <div class="card w-sm stack">
            <zfc-error [failure]="failure()" /><a class="btn btn--primary" routerLink="/">{{
              t('common.backToRooms')
            }}</a>
          </div>
        } @else {
          <p class="waiting" role="status"><span class="spinner"></span>{{ t('room.loading') }}</p>
        }
      </div>
    </main>
  `,
})
export class MembersPage {
  readonly #store = inject(AppStore);
  protected readonly t = inject(I18n).t;
  readonly id = input.required<string>();
  protected readonly room = computed(() => {
    const room = this.#store.room();
    return room?.roomId === this.id() ? room : null;
  });
  protected readonly active = computed(() => {
    const room = this.room();
    return room !== null && mayAct(room);
  });
  protected readonly manages = computed(() => this.active() && this.room()?.owner === true);
  protected readonly failure = computed(() => roomFailure(this.#store.watchFailure()));
}
