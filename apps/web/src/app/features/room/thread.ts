import type { ElementRef } from '@angular/core';
import {
  afterNextRender,
  Component,
  computed,
  inject,
  Injector,
  input,
  signal,
  viewChild,
} from '@angular/core';
import type { RoomView, TimelineItem } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import { AlarmRow } from './alarm-row';
import { MessageRow } from './message-row';
import { QuoteSeeker } from './quote-seeker';
import { rowsOf } from './rows';
import { SystemRow } from './system-row';
import { ThreadKeys } from './thread-keys';

/** Items drawn at first, and how many more each "show earlier" adds. */
const WINDOW = 200;
/** Pixels from the end within which the reader counts as being there. */
const NEAR = 80;

/** The conversation: one thread, the newest at the bottom, which stays in view while one is there. */
@Component({
  selector: 'zfc-thread',
  imports: [AlarmRow, Icon, MessageRow, SystemRow, ThreadKeys],
  providers: [QuoteSeeker],
  host: { class: 'feed__wrap' },
  template: `
    <div
      class="feed"
      #feed
      zfcThreadKeys
      role="log"
      tabindex="0"
      [attr.aria-label]="t('room.conversation')"
      (scroll)="scrolled()"
    >
      <ol class="thread" [class.thread--broken]="brokenBefore()">
        @for (row of rows(); track row.key) {
          @switch (row.kind) {
            @case ('day') {
              <li class="sep">
                <span>{{ format.day(row.time) }}</span>
              </li>
            }
            @case ('unread') {
              <li class="unread" data-testid="unread-line">
                <span>{{ t('room.newSince', { time: format.moment(row.time) }) }}</span><i></i>
              </li>
            }
            @case ('message') {
              <li
                zfcMessage
                [message]="row.item"
                [start]="row.start"
                [end]="row.end"
                [others]="others()"
              ></li>
            }
            @case ('system') {
              <li zfcSystem [line]="row.item"></li>
            }
            @case ('alarm') {
              <li zfcAlarm [alarm]="row.item"></li>
            }
          }
        }
      </ol>
      @if (hidden() > 0 || room().earlier) {
        <div class="earlier">
          <button
            class="btn btn--line"
            type="button"
            data-testid="show-earlier"
            [attr.aria-busy]="loading()"
            (click)="showEarlier()"
          >
            @if (loading()) {
              <span class="spinner"></span>
            } @else {
              <zfc-icon name="up" [small]="true" />
            }
            {{ t('room.earlier') }}
          </button>
        </div>
      }
    </div>
    @if (!atEnd()) {
      <button class="btn btn--line jump" type="button" data-testid="jump" (click)="toEnd()">
        <zfc-icon name="newest" [small]="true" />{{ jumpText() }}
      </button>
    }
  `,
})
export class Thread {
  readonly #i18n = inject(I18n);
  readonly #injector = inject(Injector);
  protected readonly format = inject(Format);
  protected readonly t = this.#i18n.t;
  private readonly feed = viewChild.required<ElementRef<HTMLElement>>('feed');
  readonly items = input.required<readonly TimelineItem[]>();
  readonly unreadFrom = input.required<TimelineItem | null>();
  readonly room = input.required<RoomView>();

  readonly #store = inject(AppStore);
  readonly #window = signal(WINDOW);
  /** order of the oldest row while one reads further up: what arrives below takes nothing away above */
  readonly #floor = signal<number | null>(null);
  protected readonly loading = signal(false);
  /** order of the newest item that was in view, to count what came since */
  readonly #seen = signal<number | null>(null);
  readonly atEnd = signal(true);

  readonly #start = computed(() => {
    const items = this.items();
    const start = Math.max(0, items.length - this.#window());
    const floor = this.#floor();
    const held = floor === null ? -1 : items.findIndex((item) => item.order >= floor);
    return held === -1 ? start : Math.min(start, held);
  });
  protected readonly hidden = this.#start;
  protected readonly rows = computed(() =>
    rowsOf(this.items().slice(this.#start()), this.unreadFrom(), (a, b) => this.format.sameDay(a, b)),
  );
  /** an unsettled alarm above the window keeps the thread dashed */
  protected readonly brokenBefore = computed(() =>
    this.items()
      .slice(0, this.#start())
      .some((item) => item.type === 'alarm' && !item.settled),
  );
  protected readonly others = computed(() => Math.max(1, this.room().members.length - 1));
  protected readonly jumpText = computed(() => {
    const seen = this.#seen();
    const came =
      seen === null
        ? 0
        : this.items().filter((item) => item.type === 'message' && !item.mine && item.order > seen).length;
    return came === 0 ? this.t('room.jump') : this.#i18n.count('room.jumpNew', came);
  });

  readonly #seeker = inject(QuoteSeeker);

  constructor() {
    this.#seeker.onFound((id) => this.toItem(id));
  }

  /** Brings a message into view, however far up, and marks it. */
  toMessage(id: string): void {
    void this.#seeker.seek(id, id);
  }

  /** What the page has already is drawn at once; then the vault is asked, a window at a time. */
  protected async showEarlier(): Promise<void> {
    if (this.loading()) return;
    const known = this.hidden() > 0;
    this.#window.update((size) => Math.max(size, this.items().length - this.#start()) + WINDOW);
    if (known) return;
    const { roomId } = this.room();
    this.loading.set(true);
    await this.#store.run((api) => api.loadEarlier(roomId));
    this.loading.set(false);
  }

  toEnd(): void {
    this.feed().nativeElement.scrollTop = 0;
    this.#window.set(WINDOW);
    this.#floor.set(null);
    this.atEnd.set(true);
  }

  /** Brings the first unsettled alarm into view and gives it the focus. */
  toAlarm(): void {
    const alarm = this.items().find((item) => item.type === 'alarm' && !item.settled);
    if (alarm !== undefined) this.toItem(alarm.id);
  }

  /** Brings one item into view and gives it the focus. */
  private toItem(id: string): void {
    // The store's, not the input's: what has just been loaded comes with the next look at the page.
    const items = this.#store.timeline();
    const index = items.findIndex((item) => item.id === id);
    if (index === -1) return;
    const fromEnd = items.length - index;
    if (fromEnd > this.#window()) this.#window.set(fromEnd + NEAR);
    afterNextRender(
      () => {
        const row = document.getElementById(`item-${id}`);
        row?.scrollIntoView({ block: 'center' });
        row?.focus({ preventScroll: true });
      },
      { injector: this.#injector },
    );
  }

  protected scrolled(): void {
    // The feed grows upwards from its end: its scroll position is 0 there and negative above.
    const atEnd = -this.feed().nativeElement.scrollTop < NEAR;
    if (atEnd === this.atEnd()) return;
    this.atEnd.set(atEnd);
    this.#floor.set(atEnd ? null : (this.items()[this.#start()]?.order ?? null));
    this.#seen.set(this.items().at(-1)?.order ?? null);
  }
}
