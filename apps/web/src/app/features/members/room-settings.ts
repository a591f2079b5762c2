import { LiveAnnouncer } from '@angular/cdk/a11y';
import { Component, computed, inject, input, linkedSignal, signal } from '@angular/core';
import type { RoomView } from '@0fc/client/api';

import { act } from '../../core/act';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../ui/error-message';

const MOST = 1_000_000;

/** A whole number within the bounds of the protocol, however it is grouped; null for anything else. */
export function rotationOf(text: string): number | null {
  const plain = text.trim();
  const whole = /^(\d{1,7}|\d{1,3}([\s\u00a0\u202f.,’']\d{3})+)$/.test(plain);
  const value = whole ? Number(plain.replace(/\D/g, '')) : 0;
  return value >= 1 && value <= MOST ? value : null;
}

/** What the owner may change of a room: its name, its rotation, and whether each entry is approved. */
@Component({
  selector: 'zfc-room-settings',
  imports: [ErrorMessage],
  host: { class: 'contents' },
  template: `
    <form class="card stack" (submit)="$event.preventDefault(); save()">
      <h2 class="title-card">{{ t('members.set.title') }}</h2>
      <div class="field">
        <label for="set-name">{{ t('members.set.name') }}</label>
        <div class="input" [class.input--error]="wrongName()">
          <input
            #nameField
            id="set-name"
            data-testid="set-name"
            dir="auto"
            maxlength="64"
            autocomplete="off"
            [value]="name()"
            (input)="edit(); name.set(nameField.value)"
            [attr.aria-invalid]="wrongName() ? 'true' : null"
            aria-describedby="set-name-error set-name-hint"
          />
        </div>
        @if (wrongName()) {
          <zfc-error [failure]="act.failure()" id="set-name-error" />
        }
        <p class="hint" id="set-name-hint">{{ t('members.set.nameHint') }}</p>
      </div>
      <div class="field">
        <label for="set-every">{{ t('members.set.every') }}</label>
        <div class="field-pair">
          <div class="input" [class.input--error]="wrongRange()">
            <input
              #everyField
              class="num"
              id="set-every"
              data-testid="set-every"
              inputmode="numeric"
              autocomplete="off"
              [value]="every()"
              (input)="edit(); every.set(everyField.value)"
              [attr.aria-invalid]="wrongRange() ? 'true' : null"
              aria-describedby="set-every-error set-every-hint"
            />
          </div>
          <span class="muted">{{ t('members.set.unit') }}</span>
        </div>
        @if (wrongRange()) {
          <zfc-error [failure]="act.failure()" id="set-every-error" />
        }
        <p class="hint" id="set-every-hint">{{ t('members.set.everyHint') }}</p>
      </div>
      <div>
        <label class="switch">
          <span class="label">{{ t('members.set.approval') }}</span>
          <input
            #approvalField
            type="checkbox"
            role="switch"
            data-testid="set-approval"
            [checked]="approval()"
            (change)="edit(); approval.set(approvalField.checked)"
            aria-describedby="set-approval-hint"
          />
        </label>
        <p class="hint" id="set-approval-hint">{{ t('members.set.approvalHint') }}</p>
      </div>
      @if (!wrongName() && !wrongRange()) {
        <zfc-error [failure]="act.failure()" />
      }
      <div class="row">
        <button
          class="btn btn--soft"
          type="submit"
          data-testid="save-settings"
          [disabled]="act.busy()"
          [attr.aria-busy]="act.busy()"
        >
          @if (act.busy()) {
            <span class="spinner"></span>
          }
          {{ t(act.busy() ? 'members.saving' : 'members.save') }}
        </button>
        @if (saved()) {
          <span class="quiet" data-testid="settings-saved">{{ t('members.saved') }}</span>
        }
      </div>
    </form>
  `,
})
export class RoomSettings {
  readonly #announcer = inject(LiveAnnouncer);
  readonly #i18n = inject(I18n);
  protected readonly t = this.#i18n.t;
  protected readonly act = act();
  readonly room = input.required<RoomView>();
  // Computed first: a room that is told again unchanged does not undo what is being typed.
  readonly #name = computed(() => this.room().name);
  readonly #every = computed(() => this.room().settings.rotateEvery);
  readonly #approval = computed(() => this.room().settings.approval);
  protected readonly name = linkedSignal(() => this.#name());
  protected readonly every = linkedSignal(() => this.#i18n.number(this.#every()));
  protected readonly approval = linkedSignal(() => this.#approval());
  protected readonly saved = signal(false);
  protected readonly wrongName = computed(() => this.act.failure()?.code.startsWith('NAME_') === true);
  protected readonly wrongRange = computed(() => this.act.failure()?.code === 'OUT_OF_RANGE');

  protected edit(): void {
    this.saved.set(false);
    this.act.clear();
  }

  protected async save(): Promise<void> {
    const name = this.name().trim();
    const rotateEvery = rotationOf(this.every());
    const approval = this.approval();
    this.saved.set(false);
    if (name === '') {
      this.act.refuse('NAME_EMPTY');
      return;
    }
    if (rotateEvery === null) {
      this.act.refuse('OUT_OF_RANGE');
      return;
    }
    const { roomId } = this.room();
    const renames = name !== this.#name();
    const changes = rotateEvery !== this.#every() || approval !== this.#approval();
    if (renames && !(await this.act.run((api) => api.renameRoom(roomId, name)))?.ok) return;
    if (changes) {
      const outcome = await this.act.run((api) => api.changeSettings(roomId, { rotateEvery, approval }));
      if (!outcome?.ok) return;
    }
    this.act.clear();
    this.saved.set(true);
    await this.#announcer.announce(this.t('members.saved'));
  }
}
