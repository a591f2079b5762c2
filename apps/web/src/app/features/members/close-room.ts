import type { ElementRef } from '@angular/core';
import { Component, computed, inject, input, signal, viewChild } from '@angular/core';
import type { RoomView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Modal } from '../../ui/modal';
import { isolated } from '../../core/names';

/** How much of a room's id stands in for a name that is not known. */
const ID_LENGTH = 8;

function comparable(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/g, ' ').toLocaleLowerCase();
}

/** The end of a room for everyone: the room's name has to be typed, since nothing brings it back. */
@Component({
  selector: 'zfc-close-room',
  imports: [ErrorMessage, Modal],
  host: { class: 'contents' },
  template: `
    <div>
      <button class="btn btn--danger" type="button" data-testid="close-room" (click)="ask()">
        {{ t('members.end.open') }}
      </button>
    </div>
    <zfc-modal #modal [heading]="t('members.end.title')">
      <p>{{ t('members.end.text') }}</p>
      <form class="stack" (submit)="$event.preventDefault(); close()">
        <div class="field">
          <label for="close-word" class="wrap-anywhere">{{ t('members.end.type', { name: shown() }) }}</label>
          <div class="input">
            <input
              #word
              id="close-word"
              data-testid="close-word"
              dir="auto"
              autocomplete="off"
              spellcheck="false"
              [value]="typed()"
              (input)="typed.set(word.value)"
            />
          </div>
        </div>
        <zfc-error [failure]="command.failure()" />
        <div class="dialog__actions">
          <button class="btn btn--line" type="button" (click)="modal.close()">
            {{ t('common.cancel') }}
          </button>
          <button
            class="btn btn--alarm"
            type="submit"
            data-testid="close-confirm"
            [disabled]="!confirmed() || command.busy()"
            [attr.aria-busy]="command.busy()"
          >
            {{ t('members.end.confirm') }}
          </button>
        </div>
      </form>
    </zfc-modal>
  `,
})
export class CloseRoom {
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  private readonly dialog = viewChild.required(Modal);
  private readonly field = viewChild.required<ElementRef<HTMLInputElement>>('word');
  readonly room = input.required<RoomView>();
  protected readonly typed = signal('');
  readonly #word = computed(() => this.room().name.trim() || this.room().roomId.slice(0, ID_LENGTH));
  protected readonly shown = computed(() => isolated(this.#word()));
  protected readonly confirmed = computed(() => comparable(this.typed()) === comparable(this.#word()));

  protected ask(): void {
    this.command.clear();
    this.typed.set('');
    this.dialog().show();
    this.field().nativeElement.focus();
  }

  protected async close(): Promise<void> {
    if (!this.confirmed()) return;
    const outcome = await this.command.run((api) => api.closeRoom(this.room().roomId));
    if (outcome?.ok === true) this.dialog().close();
  }
}
