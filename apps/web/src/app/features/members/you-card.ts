import { LiveAnnouncer } from '@angular/cdk/a11y';
import { Component, computed, inject, input, linkedSignal, signal } from '@angular/core';
import type { RoomView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { LeaveRoom } from './leave-room';

/** Oneself in this room: one's name here, and the way out. */
@Component({
  selector: 'zfc-you-card',
  imports: [ErrorMessage, LeaveRoom],
  host: { class: 'contents' },
  template: `
    <section class="card stack">
      <h2 class="title-card">{{ t('members.yours') }}</h2>
      <form class="stack stack--3" (submit)="$event.preventDefault(); rename()">
        <div class="field">
          <label for="my-name">{{ t('members.yourName') }}</label>
          <div class="field-pair">
            <div class="input" [class.input--error]="command.failure() !== null">
              <input
                #field
                id="my-name"
                data-testid="my-name"
                dir="auto"
                maxlength="64"
                autocomplete="off"
                [value]="name()"
                (input)="edit(field.value)"
                [attr.aria-invalid]="command.failure() === null ? null : 'true'"
                aria-describedby="my-name-hint my-name-error"
              />
            </div>
            <button
              class="btn btn--soft"
              type="submit"
              data-testid="rename-me"
              [disabled]="command.busy()"
              [attr.aria-busy]="command.busy()"
            >
              {{ t(command.busy() ? 'members.saving' : 'members.save') }}
            </button>
          </div>
          <p class="hint" id="my-name-hint">{{ t('join.nameHint') }}</p>
        </div>
        <zfc-error [failure]="command.failure()" id="my-name-error" />
        @if (saved()) {
          <p class="quiet" data-testid="my-name-saved">{{ t('members.saved') }}</p>
        }
      </form>
      <zfc-leave-room [room]="room()" />
    </section>
  `,
})
export class YouCard {
  readonly #announcer = inject(LiveAnnouncer);
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  readonly room = input.required<RoomView>();
  // Computed first: an update of the room without a change does not undo what is being typed.
  readonly #mine = computed(() => this.room().members.find(({ me }) => me)?.name ?? '');
  protected readonly name = linkedSignal(() => this.#mine());
  protected readonly saved = signal(false);

  protected edit(text: string): void {
    this.saved.set(false);
    this.command.clear();
    this.name.set(text);
  }

  protected async rename(): Promise<void> {
    const name = this.name().trim();
    if (name === '') {
      this.command.refuse('NAME_EMPTY');
      return;
    }
    const outcome = await this.command.run((api) => api.renameMe(this.room().roomId, name));
    if (outcome?.ok !== true) return;
    this.saved.set(true);
    await this.#announcer.announce(this.t('members.saved'));
  }
}
