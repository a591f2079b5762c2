import { Component, inject, viewChild } from '@angular/core';

import { I18n } from '../../core/i18n';
import { Modal } from '../../ui/modal';

/** The keys of a room, in the order in which one meets them. `name`s are of keys that differ by language. */
const KEYS = [
  { keys: ['enter'], does: 'send' },
  { keys: ['shift', 'enter'], does: 'newLine' },
  { keys: ['up'], does: 'editLast' },
  { keys: ['escape'], does: 'cancel' },
  { keys: ['up', 'down'], does: 'move' },
  { keys: ['enter'], does: 'tools' },
  { keys: ['R'], does: 'reply' },
  { keys: ['+'], does: 'react' },
  { keys: ['E'], does: 'edit' },
  { keys: ['C'], does: 'copy' },
  { keys: ['delete'], does: 'delete' },
  { keys: ['?'], does: 'list' },
] as const;

/** Lists the keys when ? is pressed outside a field. */
@Component({
  selector: 'zfc-shortcuts',
  imports: [Modal],
  host: { class: 'contents', '(document:keydown)': 'pressed($event)' },
  template: `
    <zfc-modal [heading]="t('room.keys.title')">
      <dl class="keys" data-testid="shortcuts">
        @for (entry of entries; track entry.does) {
          <div>
            <dt>
              @for (key of entry.keys; track key) {
                <kbd>{{ named(key) }}</kbd>
              }
            </dt>
            <dd>{{ t('room.keys.' + entry.does) }}</dd>
          </div>
        }
      </dl>
      <div class="dialog__actions">
        <button class="btn btn--line" type="button" (click)="modal().close()">
          {{ t('common.close') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class Shortcuts {
  readonly #i18n = inject(I18n);
  protected readonly t = this.#i18n.t;
  protected readonly modal = viewChild.required(Modal);
  protected readonly entries = KEYS;

  protected named(key: string): string {
    const name = `room.keyNames.${key}`;
    return this.#i18n.has(name) ? this.t(name) : key;
  }

  protected pressed(event: KeyboardEvent): void {
    const field = event.target instanceof Element && event.target.closest('input, textarea, dialog') !== null;
    if (event.key !== '?' || field || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.show();
  }

  show(): void {
    this.modal().show();
  }
}
