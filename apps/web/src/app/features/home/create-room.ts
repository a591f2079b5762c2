import { Component, computed, inject, signal } from '@angular/core';
import { Router } from '@angular/router';
import type { Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';

const DEFAULT_ROTATION = '100';
const MOST = 1_000_000;

@Component({
  selector: 'zfc-create-room',
  imports: [ErrorMessage],
  host: { class: 'contents' },
  template: `
    <form class="card stack" (submit)="$event.preventDefault(); create()">
      <h2 class="title-card">{{ t('home.createTitle') }}</h2>
      <div class="field">
        <label for="room-name">{{ t('home.roomName') }}</label>
        <div class="input" [class.input--error]="tried() && name().trim() === ''">
          <input
            #roomName
            id="room-name"
            data-testid="room-name"
            maxlength="64"
            autocomplete="off"
            [value]="name()"
            (input)="name.set(roomName.value)"
            aria-describedby="room-name-hint"
          />
        </div>
        <p class="hint" id="room-name-hint">{{ t('home.roomNameHint') }}</p>
      </div>
      <div class="field">
        <label for="display-name">{{ t('home.displayName') }}</label>
        <div class="input" [class.input--error]="tried() && displayName().trim() === ''">
          <input
            #display
            id="display-name"
            data-testid="display-name"
            maxlength="64"
            autocomplete="off"
            [value]="displayName()"
            (input)="displayName.set(display.value)"
            aria-describedby="display-name-hint"
          />
        </div>
        <p class="hint" id="display-name-hint">{{ t('home.displayNameHint') }}</p>
      </div>
      <div class="field">
        <label for="rotate-every">{{ t('home.rotate') }}</label>
        <div class="field-pair">
          <div class="input" [class.input--error]="rotation() === null">
            <input
              #every
              class="num"
              id="rotate-every"
              data-testid="rotate-every"
              inputmode="numeric"
              autocomplete="off"
              [value]="rotateEvery()"
              (input)="rotateEvery.set(every.value)"
              aria-describedby="rotate-hint"
            />
          </div>
          <span class="muted">{{ t('home.rotateUnit') }}</span>
        </div>
        @if (rotation() === null) {
          <p class="error" id="rotate-hint">{{ t('home.rotateWrong') }}</p>
        } @else {
          <p class="hint" id="rotate-hint">{{ t('home.rotateHint') }}</p>
        }
      </div>
      <label class="switch">
        <span class="label">{{ t('home.approval') }}</span>
        <input
          #ask
          type="checkbox"
          role="switch"
          data-testid="approval"
          [checked]="approval()"
          (change)="approval.set(ask.checked)"
        />
      </label>
      <p class="hint">{{ t('home.ownerHint') }}</p>
      @if (missing()) {
        <p class="error" role="alert">{{ t('home.nameMissing') }}</p>
      }
      <zfc-error [failure]="failure()" />
      <button
        class="btn btn--primary"
        type="submit"
        data-testid="create"
        [disabled]="busy()"
        [attr.aria-busy]="busy()"
      >
        @if (busy()) {
          <span class="spinner"></span>
        }
        {{ t(busy() ? 'home.creating' : 'home.create') }}
      </button>
    </form>
  `,
})
export class CreateRoom {
  readonly #store = inject(AppStore);
  readonly #router = inject(Router);
  protected readonly t = inject(I18n).t;
  protected readonly name = signal('');
  protected readonly displayName = signal('');
  protected readonly rotateEvery = signal(DEFAULT_ROTATION);
  protected readonly approval = signal(true);
  protected readonly tried = signal(false);
  protected readonly busy = signal(false);
  protected readonly failure = signal<Failure | null>(null);
  protected readonly rotation = computed(() => {
    const text = this.rotateEvery().replace(/[\s\u00a0\u202f]/g, '');
    const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    return value >= 1 && value <= MOST ? value : null;
  });
  protected readonly missing = computed(
    () => this.tried() && (this.name().trim() === '' || this.displayName().trim() === ''),
  );

  protected async create(): Promise<void> {
    this.tried.set(true);
    const rotateEvery = this.rotation();
    if (this.busy() || rotateEvery === null || this.missing()) return;
    this.busy.set(true);
    this.failure.set(null);
    const outcome = await this.#store.run((api) =>
      api.createRoom({
        name: this.name().trim(),
        displayName: this.displayName().trim(),
        rotateEvery,
        approval: this.approval(),
      }),
    );
    this.busy.set(false);
    if (outcome.ok) await this.#router.navigate(['/room', outcome.value.roomId]);
    else this.failure.set(outcome.error);
  }
}
