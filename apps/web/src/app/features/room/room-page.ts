import { Component, computed, effect, inject, input, viewChild } from '@angular/core';
import { Router, RouterLink } from '@angular/router';
import { fromEvent } from 'rxjs';
import { takeUntilDestroyed, toSignal } from '@angular/core/rxjs-interop';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { roomFailure } from '../../core/page-codes';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { Composer } from './composer';
import { ConversationStore } from './conversation-store';
import { DeleteMessage } from './delete-message';
import { DetailsPane } from './details-pane';
import { RoomBanners } from './room-banners';
import { RoomEnded } from './room-ended';
import { Shortcuts } from './shortcuts';
import { Thread } from './thread';
import { WhoHasRead } from './who-has-read';

@Component({
  selector: 'zfc-room-page',
  imports: [
    Composer,
    DeleteMessage,
    DetailsPane,
    ErrorMessage,
    Icon,
    RoomBanners,
    RoomEnded,
    RouterLink,
    Shortcuts,
    Thread,
    WhoHasRead,
  ],
  providers: [ConversationStore],
  host: { class: 'contents' },
  template: `
    <main class="pane pane--main">
      @if (room(); as room) {
        <header class="topbar">
          <a class="icon-btn only-phone" routerLink="/" [attr.aria-label]="t('common.backToRooms')"
            ><zfc-icon name="back"
          /></a>
          <div class="topbar__text">
            <h1 class="topbar__title" tabindex="-1" dir="auto">{{ room.name || t('home.unnamed') }}</h1>
            <p class="topbar__sub">
              {{ i18n.count('room.members', room.members.length) }}
              @if (here(); as here) {
                · <span class="nowrap">{{ i18n.count('room.here', here) }}</span>
              }
            </p>
          </div>
          @if (room.alarms > 0) {
            <button
              class="alarm-chip"
              type="button"
              (click)="toAlarm()"
              [attr.aria-label]="i18n.count('room.alarms', room.alarms) + '. ' + t('room.toAlarm')"
            >
              <zfc-icon name="alarm" /><span class="only-phone" aria-hidden="true">{{
                i18n.number(room.alarms)
              }}</span
              ><span class="only-wide" aria-hidden="true">{{ i18n.count('room.alarms', room.alarms) }}</span>
            </button>
          }
          <a
            class="icon-btn"
            [routerLink]="['/room', room.roomId, 'relay']"
            data-testid="open-relay"
            [attr.aria-label]="t('room.relaySees')"
            [title]="t('room.relaySees')"
            ><zfc-icon name="eye"
          /></a>
          <a
            class="icon-btn"
            [routerLink]="['/room', room.roomId, 'members']"
            data-testid="open-members"
            [attr.aria-label]="t('room.open')"
            [title]="t('room.open')"
            ><zfc-icon name="people"
          /></a>
        </header>
        <zfc-room-banners [room]="room" (show)="thread()?.toMessage($event)" />
        @if (!store.loaded()) {
          <p class="waiting feed__fill" role="status"><span class="spinner"></span>{{ t('room.loading') }}</p>
        } @else {
          <zfc-thread [items]="store.timeline()" [unreadFrom]="store.unreadFrom()" [room]="room" />
          @if (silent() && room.stage === 'member') {
            <div class="feed__empty stack stack--3">
              <p>{{ t(room.members.length < 2 && room.owner ? 'room.emptyAlone' : 'room.empty') }}</p>
              @if (room.owner && room.members.length < 2) {
                <p>
                  <a class="btn btn--soft" [routerLink]="['/room', room.roomId, 'members']"
                    ><zfc-icon name="personPlus" />{{ t('room.invite') }}</a
                  >
                </p>
              }
            </div>
          }
        }
        @if (typing(); as typing) {
          <p class="typing" role="status">
            <svg viewBox="0 0 20 8" aria-hidden="true">
              <circle cx="3" cy="4" r="2" />
              <circle cx="10" cy="4" r="2" />
              <circle cx="17" cy="4" r="2" /></svg
            >{{ typing }}
          </p>
        }
        @if (room.stage === 'member' && !room.unlisted) {
          <zfc-composer [room]="room" (sent)="sent()" (keys)="shortcuts.show()" />
        } @else if (room.stage !== 'joining') {
          <zfc-room-ended [room]="room" />
        }
      } @else if (failure()) {
        <div class="scroll body">
          <div class="card w-sm stack">
            <zfc-error [failure]="failure()" /><a class="btn btn--primary" routerLink="/">{{
              t('common.backToRooms')
            }}</a>
          </div>
        </div>
      } @else {
        <p class="waiting feed__fill" role="status"><span class="spinner"></span>{{ t('room.loading') }}</p>
      }
    </main>
    <zfc-delete-message />
    <zfc-shortcuts #shortcuts />
    @if (room(); as room) {
      <zfc-who-has-read [room]="room" />
      <zfc-details-pane [room]="room" />
    }
  `,
})
export class RoomPage {
  readonly #router = inject(Router);
  protected readonly store = inject(AppStore);
  protected readonly i18n = inject(I18n);
  protected readonly t = this.i18n.t;
  protected readonly thread = viewChild(Thread);
  private readonly composer = viewChild(Composer);
  readonly id = input.required<string>();

  protected readonly room = computed(() => {
    const room = this.store.room();
    return room?.roomId === this.id() ? room : null;
  });
  readonly #summary = computed(() => this.store.rooms().find((room) => room.roomId === this.id()) ?? null);
  protected readonly failure = computed(() => roomFailure(this.store.watchFailure()));
  /** how many members are online, this one included; 0 while no presence signal has arrived */
  protected readonly here = computed(() => {
    const others = this.room()?.members.filter((member) => !member.me) ?? [];
    const heard = others.some((member) => member.online || member.lastSeen !== null);
    return heard ? others.filter((member) => member.online).length + 1 : 0;
  });
  protected readonly silent = computed(() => !this.store.timeline().some((item) => item.type === 'message'));
  protected readonly typing = computed(() => {
    const names = this.room()?.typing ?? [];
    if (names.length === 0) return null;
    if (names.length > 2) return this.i18n.t('room.typing.other', { names: this.t('room.several') });
    const [first = '', second] = names;
    return second === undefined
      ? this.t('room.typing.one', { names: first })
      : this.t('room.typing.other', { names: this.t('room.and', { first, second }) });
  });
  readonly #visible = toSignal(
    fromEvent(document, 'visibilitychange', () => document.visibilityState).pipe(takeUntilDestroyed()),
    {
      initialValue: document.visibilityState,
    },
  );

  constructor() {
    effect(() => {
      // Following a join belongs to its own screen.
      if (this.#summary()?.stage === 'joining')
        void this.#router.navigate(['/join'], { queryParams: { room: this.id() }, replaceUrl: true });
    });
    effect(() => {
      // Read means: on screen, at the end, in a window that is in view.
      const reading =
        this.#visible() === 'visible' && this.store.loaded() && (this.thread()?.atEnd() ?? false);
      if (reading && (this.#summary()?.unread ?? 0) > 0) void this.store.markRead(this.id());
    });
    effect(() => {
      const composer = this.composer();
      if (composer !== undefined && matchMedia('(pointer: fine)').matches) composer.focus();
    });
  }

  protected toAlarm(): void {
    this.thread()?.toAlarm();
  }

  protected sent(): void {
    this.store.clearUnreadLine();
    this.thread()?.toEnd();
  }
}
