import { LiveAnnouncer } from '@angular/cdk/a11y';
import { Component, computed, inject, input, signal } from '@angular/core';
import type { Failure, RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';

/** The key in force, and the count to the next one (docs/protocol.md section 7). */
@Component({
  selector: 'zfc-room-key-card',
  imports: [ErrorMessage, Icon],
  host: { class: 'contents' },
  template: `
    <section class="card stack stack--3">
      <div class="row row--between row--wrap">
        <div class="row">
          <h2 class="title-card">{{ t('members.roomKey') }}</h2>
          @if (room().key; as key) {
            <span class="chip chip--accent" data-testid="key-epoch" [attr.data-epoch]="key.epoch">{{
              t('room.key', { epoch: key.epoch })
            }}</span>
          }
        </div>
        @if (room().owner && room().stage === 'member') {
          <button
            class="btn btn--line"
            type="button"
            data-testid="rotate-now"
            [disabled]="renewing()"
            [attr.aria-busy]="renewing()"
            (click)="rotate()"
          >
            @if (renewing()) {
              <span class="spinner"></span>
            } @else {
              <zfc-icon name="renew" />
            }
            {{ t(renewing() ? 'members.renewing' : 'members.renew') }}
          </button>
        }
      </div>
      @if (room().key; as key) {
        <progress
          class="bar"
          [value]="key.messages"
          [max]="key.rotateEvery"
          [attr.aria-label]="t('members.roomKey')"
        ></progress>
        <p
          class="quiet num"
          data-testid="key-count"
          [attr.data-messages]="key.messages"
          [attr.data-rotate-every]="key.rotateEvery"
        >
          {{ countdown() }}
        </p>
      } @else {
        <p class="quiet">{{ t('room.noKey') }}</p>
      }
      <zfc-error [failure]="failure()" />
    </section>
  `,
})
export class RoomKeyCard {
  readonly #store = inject(AppStore);
  readonly #format = inject(Format);
  readonly #i18n = inject(I18n);
  readonly #announcer = inject(LiveAnnouncer);
  protected readonly t = this.#i18n.t;
  readonly room = input.required<RoomView>();
  readonly #busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly renewing = computed(() => this.#busy() || (this.room().key?.rotating ?? false));
  protected readonly countdown = computed(() => {
    const key = this.room().key;
    if (key === null) return '';
    const left = key.rotateEvery - key.messages;
    return left > 0
      ? this.#i18n.count('members.until', left, {
          next: key.epoch + 1,
          epoch: key.epoch,
          time: this.#format.moment(key.since),
        })
      : this.t('members.due', { next: key.epoch + 1 });
  });

  protected async rotate(): Promise<void> {
    if (this.renewing()) return;
    this.#busy.set(true);
    this.failure.set(null);
    // The answer may be here before the view that has the next key.
    const next = (this.room().key?.epoch ?? 0) + 1;
    const outcome = await this.#store.run((api) => api.rotateNow(this.room().roomId));
    this.#busy.set(false);
    if (!outcome.ok) {
      this.failure.set(outcome.error);
      return;
    }
    await this.#announcer.announce(
      this.t('members.renewed', { epoch: Math.max(next, this.room().key?.epoch ?? 0) }),
    );
  }
}
