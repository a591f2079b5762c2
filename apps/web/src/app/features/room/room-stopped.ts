import { Component, computed, inject, input, signal } from '@angular/core';
import type { Failure, RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Explain } from '../../core/explain';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../ui/error-message';
import { Icon } from '../../ui/icon';
import { ForgetRoom } from './forget-room';
import { RelayDiffers } from './relay-differs';

/** The stop that no press of a button lifts: another relay's key. What a relay lied about moved nothing. */
const FINAL = 'RELAY_KEY_MISMATCH';

/** A room whose link is closed until somebody acts: why, and what can be done. */
@Component({
  selector: 'zfc-room-stopped',
  imports: [ErrorMessage, ForgetRoom, Icon, RelayDiffers],
  host: { class: 'contents' },
  template: `
    <div
      class="banner banner--alarm"
      role="alert"
      data-testid="room-stopped"
      [attr.data-code]="stopped().code"
    >
      <zfc-icon name="alarm" [small]="true" />
      @if (resumable()) {
        <p class="banner__text">{{ words() }}</p>
      } @else {
        <zfc-relay-differs />
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
        } @else if (resumable()) {
          <button
            class="btn btn--flush"
            type="button"
            data-testid="resume-room"
            [disabled]="busy()"
            [attr.aria-busy]="busy()"
            (click)="resume()"
          >
            {{ t(stopped().code === 'REPLACED' ? 'room.useHere' : 'room.tryAgain') }}
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
  readonly stopped = input.required<Failure>();
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly gone = computed(() => this.stopped().code === 'ROOM_UNKNOWN');
  protected readonly resumable = computed(() => this.stopped().code !== FINAL);
  protected readonly words = computed(() => {
    const { code } = this.stopped();
    if (code === 'ROOM_UNKNOWN') return this.t('room.gone');
    if (code === 'REPLACED') return this.t('room.elsewhere');
    // Said by the relay alone: the owner's signature would have ended the room, not stopped it.
    if (code === 'ROOM_CLOSED') return this.t('room.saidClosed');
    return `${this.t('room.stoppedLead')} ${this.#explain.sentence(this.stopped())}`;
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
