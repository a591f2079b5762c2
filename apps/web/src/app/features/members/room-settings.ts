import { LiveAnnouncer } from '@angular/cdk/a11y';
import { Component, computed, inject, input, linkedSignal, signal, type WritableSignal } from '@angular/core';
import type { Failure, RoomSettingsView, RoomView } from '@0fc/client/api';
import { SETTINGS_BOUNDS } from '@0fc/protocol';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';

/** A whole number within its bounds, however it is grouped; null for anything else. */
export function wholeOf(text: string, min: number, max: number): number | null {
  const plain = text.trim();
  const whole = /^(\d{1,7}|\d{1,3}([\s\u00a0\u202f.,’']\d{3})+)$/.test(plain);
  const value = whole ? Number(plain.replace(/\D/g, '')) : NaN;
  return value >= min && value <= max ? value : null;
}

type NumberName = keyof typeof SETTINGS_BOUNDS;

/** A number among the settings as it is typed: in units of so many of the protocol's. */
interface NumberField {
  readonly name: NumberName;
  /** begins its keys and ids */
  readonly id: string;
  readonly per: number;
  readonly min: number;
  readonly max: number;
  readonly text: WritableSignal<string>;
}

const MINUTE = 60_000;

/** What the owner may change of a room: its name and every field of its settings. */
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
          <zfc-error [failure]="command.failure()" id="set-name-error" />
        }
        <p class="hint" id="set-name-hint">{{ t('members.set.nameHint') }}</p>
      </div>
      @for (field of numbers; track field.name) {
        <div class="field">
          <label [attr.for]="'set-' + field.id">{{ t('members.set.' + field.id) }}</label>
          <div class="field-pair">
            <div class="input" [class.input--error]="wrong(field)">
              <input
                #numberField
                class="num"
                [id]="'set-' + field.id"
                [attr.data-testid]="'set-' + field.id"
                inputmode="numeric"
                autocomplete="off"
                [value]="field.text()"
                (input)="edit(); field.text.set(numberField.value)"
                [attr.aria-invalid]="wrong(field) ? 'true' : null"
                [attr.aria-describedby]="'set-' + field.id + '-error set-' + field.id + '-hint'"
              />
            </div>
            <span class="muted">{{ t('members.set.' + field.id + 'Unit') }}</span>
          </div>
          @if (wrong(field)) {
            <zfc-error
              [failure]="outOfRange"
              [instead]="t('members.set.range', { min: field.min, max: field.max })"
              [id]="'set-' + field.id + '-error'"
            />
          }
          <p class="hint" [id]="'set-' + field.id + '-hint'">{{ t('members.set.' + field.id + 'Hint') }}</p>
        </div>
      }
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
      @if (room().settingsWished !== null) {
        <p class="hint" data-testid="settings-wait">{{ t('members.set.wait') }}</p>
      }
      @if (!wrongName()) {
        <zfc-error [failure]="command.failure()" />
      }
      <div class="row">
        <button
          class="btn btn--soft"
          type="submit"
          data-testid="save-settings"
          [disabled]="command.busy()"
          [attr.aria-busy]="command.busy()"
        >
          @if (command.busy()) {
            <span class="spinner"></span>
          }
          {{ t(command.busy() ? 'members.saving' : 'members.save') }}
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
  protected readonly command = commandState();
  readonly room = input.required<RoomView>();
  // Computed first: an update of the room without a change does not undo what is being typed.
  readonly #name = computed(() => this.room().name);
  /** as they are to be */
  readonly #settings = computed(() => this.room().settingsWished ?? this.room().settings);
  readonly #approval = computed(() => this.#settings().approval);
  protected readonly name = linkedSignal(() => this.#name());
  protected readonly numbers = [
    this.#number('rotateEvery', 'every'),
    this.#number('history', 'history'),
    this.#number('maxMembers', 'members'),
    this.#number('joinDeadline', 'deadline', MINUTE),
  ];
  protected readonly approval = linkedSignal(() => this.#approval());
  protected readonly saved = signal(false);
  protected readonly wrongName = computed(() => this.command.failure()?.code.startsWith('NAME_') === true);
  protected readonly outOfRange: Failure = { code: 'OUT_OF_RANGE' };

  #number(name: NumberName, id: string, per = 1): NumberField {
    const [least, most] = SETTINGS_BOUNDS[name];
    const current = computed(() => this.#settings()[name]);
    const text = linkedSignal(() => this.#i18n.number(Math.round(current() / per)));
    return { name, id, per, min: least / per, max: most / per, text };
  }

  protected wrong({ text, min, max }: NumberField): boolean {
    return wholeOf(text(), min, max) === null;
  }

  /** What is typed differs from what is to be; a value between two units stays where nobody touched it. */
  #changes(): Partial<RoomSettingsView> {
    const settings = this.#settings();
    const numbers = this.numbers.flatMap(({ name, per, min, max, text }) => {
      const value = wholeOf(text(), min, max);
      return value === null || value === Math.round(settings[name] / per)
        ? []
        : [[name, value * per] as const];
    });
    const approval = this.approval();
    return { ...Object.fromEntries(numbers), ...(approval === settings.approval ? {} : { approval }) };
  }

  protected edit(): void {
    this.saved.set(false);
    this.command.clear();
  }

  protected async save(): Promise<void> {
    const name = this.name().trim();
    this.saved.set(false);
    if (name === '') {
      this.command.refuse('NAME_EMPTY');
      return;
    }
    if (this.numbers.some((field) => this.wrong(field))) return;
    const { roomId } = this.room();
    const renames = name !== this.#name();
    const changes = this.#changes();
    if (renames && !(await this.command.run((api) => api.renameRoom(roomId, name)))?.ok) return;
    if (Object.keys(changes).length > 0) {
      const outcome = await this.command.run((api) => api.changeSettings(roomId, changes));
      if (!outcome?.ok) return;
    }
    this.command.clear();
    this.saved.set(true);
    await this.#announcer.announce(this.t('members.saved'));
  }
}
