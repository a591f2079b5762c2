import type { OnDestroy } from '@angular/core';
import { Component, computed, effect, inject } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { NgTemplateOutlet } from '@angular/common';
import { NavigationEnd, Router, RouterLink, RouterOutlet } from '@angular/router';
import { filter, map, startWith } from 'rxjs';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { Brand } from '../../ui/page-bar';
import { ConnectionMark } from '../../core/components/connection-mark';
import { RelayChanged } from '../../core/components/relay-changed';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';
import { narrowScreen } from '../../core/narrow-screen';
import { AppToolbar } from '../../core/components/app-toolbar';
import { RoomList } from './room-list';

const ROOM_URL = /^\/room\/([\w~-]+)(\/members|\/relay|\/verify)?/;

/** The frame around everything but unlock and join: the rooms on the left, one page beside them. */
@Component({
  selector: 'zfc-shell',
  imports: [
    Brand,
    ConnectionMark,
    Fingerprint,
    Icon,
    NgTemplateOutlet,
    RelayChanged,
    RoomList,
    RouterLink,
    RouterOutlet,
    AppToolbar,
  ],
  host: { class: 'contents' },
  template: `
    <div
      class="shell"
      [class.shell--three]="inRoom()"
      [class.shell--list]="atHome() && !bare()"
      [class.shell--main]="!atHome()"
      [class.shell--empty]="bare()"
    >
      @if (listIsMain()) {
        <main class="pane pane--list">
          <h1 class="sr-only" tabindex="-1">{{ t('common.rooms') }}</h1>
          <ng-container [ngTemplateOutlet]="list" />
        </main>
      } @else if (!bare()) {
        <nav class="pane pane--list" [attr.aria-label]="t('common.rooms')">
          <ng-container [ngTemplateOutlet]="list" />
        </nav>
      }
      <router-outlet />
    </div>
    <ng-template #list>
      <div class="topbar"><zfc-brand /><span class="grow"></span><zfc-app-toolbar /></div>
      @if (store.app()?.relay; as relay) {
        <div class="list-tools">
          <div class="row row--between row--wrap">
            <zfc-connection [state]="relay.state" />
            @if (relay.fingerprint; as fingerprint) {
              <span class="quiet"
                >{{ t('common.relay') }} <zfc-fingerprint [value]="fingerprint" [small]="true"
              /></span>
            }
          </div>
        </div>
      }
      <zfc-relay-changed />
      <div class="scroll"><zfc-room-list [current]="roomId()" /></div>
      <div class="list-foot">
        <a class="btn btn--soft" routerLink="/new" data-testid="new-room"
          ><zfc-icon name="plus" />{{ t('common.newRoom') }}</a
        >
        <a class="btn btn--line" routerLink="/join" data-testid="join-room"
          ><zfc-icon name="door" />{{ t('common.join') }}</a
        >
      </div>
    </ng-template>
  `,
})
export class Shell implements OnDestroy {
  readonly #router = inject(Router);
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;
  readonly #url = toSignal(
    this.#router.events.pipe(
      filter((event) => event instanceof NavigationEnd),
      map((event) => event.urlAfterRedirects),
      startWith(this.#router.url),
    ),
    { requireSync: true },
  );
  readonly #match = computed(() => ROOM_URL.exec(this.#url()));
  protected readonly roomId = computed(() => this.#match()?.[1] ?? null);
  protected readonly inRoom = computed(() => this.#match() !== null && this.#match()?.[2] === undefined);
  protected readonly atHome = computed(() => this.#url() === '/');
  /** no room yet: the first step has the whole page */
  protected readonly bare = computed(() => this.atHome() && this.store.empty());

  readonly #narrow = narrowScreen();
  /** on one column the list is the page, so it carries the page's heading */
  protected readonly listIsMain = computed(() => this.#narrow() && this.atHome() && !this.bare());

  constructor() {
    effect(() => void this.store.watch(this.roomId()));
  }

  ngOnDestroy(): void {
    void this.store.watch(null);
  }
}
