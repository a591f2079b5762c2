import { Component, computed, inject, input, signal } from '@angular/core';
import type { Failure, RoomView, StopReason } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Explain } from '../../core/explain';
import { I18n } from '../../core/i18n';
import { isOtherRelay } from '../../core/other-relay';
import { ErrorMessage } from '../../core/components/error-message';
import { Icon } from '../../ui/icon';
import { ForgetRoom } from '../../core/components/forget-room';
import { RelayDiffers } from './relay-differs';

/** A room whose connection has stopped: why, whether it is retried automatically, and what the user can do. */
@Component({
  selector: 'zfc-room-stopped',
  imports: [ErrorMessage, ForgetRoom, Icon, RelayDiffers],
  host: { class: 'contents' },
  template: `
    <div
      class="banner banner--alarm"
      [attr.role]="stopped().resumes ? 'status' : 'alert'"
      data-testid="room-stopped"
      [attr.data-code]="stopped().code"
    >
      <zfc-icon name="alarm" [small]="true" />
      @if (resumable()) {
        <p class="banner__text">{{ words() }}</p>
      } @else {
        <zfc-relay-differs [why]="stopped()" />
      }
      <div class="banner__acts">
        @if (gone()) {
          <button
            class="btn btn--flush"
            type="button"
            data-testid="restore-room"
            [disabled]="busy()"
            [attr.aria-busy]="busy()"
            (click)="restore()"
          >
            {{ t('room.restore') }}
          </button>
          <zfc-forget-room [roomId]="room().roomId" />
        }
        @if (resumable()) {
          <button
            class="btn btn--flush"
            type="button"
            data-testid="resume-room"
            [disabled]="busy()"
            [attr.aria-busy]="busy()"
            (click)="resume()"
          >
            {{ label() }}
          </button>
        }
      </div>
    </div>
    @if (failure()) {
      <div class="banner banner--alarm"><zfc-error [failure]="failure()" /></div>
    }
  `,
})
export class RoomStopped {
  readonly #store = inject(AppStore);
  readonly #explain = inject(Explain);
  protected readonly t = inject(I18n).t;
  readonly room = input.required<RoomView>();
  readonly stopped = input.required<StopReason>();
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly gone = computed(() => this.stopped().code === 'ROOM_UNKNOWN');
  protected readonly resumable = computed(() => !isOtherRelay(this.stopped().code));
  protected readonly label = computed(() => {
    if (this.stopped().code === 'REPLACED') return this.t('room.useHere');
    return this.t(this.stopped().resumes ? 'room.tryNow' : 'room.tryAgain');
  });
  protected readonly words = computed(() => {
    const why = this.#why();
    return this.stopped().resumes ? `${why} ${this.t('room.triesAgain')}` : why;
  });
  readonly #why = computed(() => {
    const { code } = this.stopped();
    if (code === 'ROOM_UNKNOWN') return this.t('room.gone');
    if (code === 'REPLACED') return this.t('room.elsewhere');
    if (code === 'BAD_KEY') return this.t('room.ownKeyBad');
    // Said by the relay alone: the owner's signature would have ended the room, not stopped it.
    if (code === 'ROOM_CLOSED') return this.t('room.saidClosed');
    const lead = this.t(this.stopped().resumes ? 'room.stoppedForNow' : 'room.stoppedLead');
    return `${lead} ${this.#explain.sentence(this.stopped())}`;
  });

  protected resume(): Promise<void> {
    return this.#act('resumeRoom');
  }

  protected restore(): Promise<void> {
    return this.#act('restoreRoom');
  }

  async #act(act: 'resumeRoom' | 'restoreRoom'): Promise<void> {
    this.busy.set(true);
    this.failure.set(null);
    const outcome = await this.#store.run((api) => api[act](this.room().roomId));
    this.busy.set(false);
    if (!outcome.ok) this.failure.set(outcome.error);
  }
}
