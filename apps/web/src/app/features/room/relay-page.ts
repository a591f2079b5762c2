import { Component, computed, effect, inject, input, signal, untracked } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { Failure, RelayRow } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { roomFailure } from '../../core/page-codes';
import { CopyButton } from '../../core/components/copy-button';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { RelayEntry } from './relay-entry';

/** Entries that are shown, from the newest back. */
const NEWEST = 100;

/** One line for each entry, with nothing that this device alone knows. */
export function asStored(rows: readonly RelayRow[]): string {
  return rows
    .map(({ position, kind, sender, time, clearBytes, payloadBytes, sample }) =>
      JSON.stringify({ position, kind, sender, time, clearBytes, payloadBytes, sample }),
    )
    .join('\n');
}

/** This room as the relay has it, beside what this device reads in it: how one checks the promise. */
@Component({
  selector: 'zfc-relay-page',
  imports: [CopyButton, ErrorMessage, Icon, RelayEntry, RouterLink],
  host: { class: 'contents' },
  template: `
    <main class="pane pane--main">
      <header class="topbar">
        <a
          class="icon-btn"
          [routerLink]="['/room', id()]"
          data-testid="back-to-room"
          [attr.aria-label]="t('room.backToRoom')"
          [title]="t('room.backToRoom')"
          ><zfc-icon name="back"
        /></a>
        <div class="topbar__text">
          <h1 class="topbar__title" tabindex="-1">{{ t('room.relaySees') }}</h1>
          <p class="topbar__sub">
            {{ t('room.roomNumber') }} <span class="fp fp--sm">{{ id() }}</span>
          </p>
        </div>
        @if (rows(); as rows) {
          <zfc-copy [text]="stored()" [label]="t('room.copyStored')" (failed)="failure.set($event)" />
        }
      </header>
      <div class="knows">
        <div>
          <p>
            <b>{{ t('room.youRead') }}</b>
          </p>
          <p class="quiet">{{ t('room.youReadText') }}</p>
        </div>
        <div>
          <p>
            <b>{{ t('room.relayHolds') }}</b>
          </p>
          <p class="quiet">{{ t('room.relayHoldsText') }}</p>
        </div>
      </div>
      @if (shownFailure(); as failure) {
        <div class="body"><zfc-error [failure]="failure" /></div>
      }
      @if (rows(); as rows) {
        <div class="relay-scroll" tabindex="0" role="region" [attr.aria-label]="t('room.relaySees')">
          <ol class="relay">
            @for (row of rows; track row.position.g + '.' + row.position.s) {
              <li zfcRelayEntry [row]="row"></li>
            } @empty {
              <li class="relay__none quiet">{{ t('room.relayNothing') }}</li>
            }
          </ol>
        </div>
      } @else if (shownFailure() === null) {
        <p class="waiting feed__fill" role="status"><span class="spinner"></span>{{ t('room.loading') }}</p>
      }
    </main>
  `,
})
export class RelayPage {
  readonly #store = inject(AppStore);
  protected readonly format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly id = input.required<string>();
  protected readonly rows = signal<readonly RelayRow[] | null>(null);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly shownFailure = computed(() => this.failure() ?? roomFailure(this.#store.watchFailure()));
  protected readonly stored = computed(() => asStored(this.rows() ?? []));
  /** a reading is under way, and whether the room has changed since it began */
  #reading = false;
  #again = false;

  constructor() {
    effect(() => {
      this.id();
      this.#store.timeline();
      if (this.#store.loaded()) untracked(() => void this.#read());
    });
  }

  /** One reading at a time; changes that come meanwhile make one more. */
  async #read(): Promise<void> {
    this.#again = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    const roomId = this.id();
    const outcome = await this.#store.run((api) => api.relaySees(roomId, NEWEST));
    this.#reading = false;
    if (roomId === this.id()) {
      this.failure.set(outcome.ok ? null : outcome.error);
      if (outcome.ok) this.rows.set(outcome.value);
    }
    if (this.#again) await this.#read();
  }
}
