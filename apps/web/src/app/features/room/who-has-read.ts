import { Component, computed, effect, inject, input, viewChild } from '@angular/core';
import type { RoomView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Fingerprint } from '../../ui/fingerprint';
import { Modal } from '../../ui/modal';
import { ConversationStore } from './conversation-store';
import type { Reader, Readers } from './readers';
import { readersOf } from './readers';

/** Most of a message that is named in a line, in code points. */
const NAMED_CHARS = 60;

const NOBODY: Readers = { read: [], unread: [] };

/** Names who has read a message of one's own, who has not, and up to where each is known to have read. */
@Component({
  selector: 'zfc-who-has-read',
  imports: [Avatar, Fingerprint, Modal],
  host: { class: 'contents' },
  template: `
    <zfc-modal [heading]="t('room.whoHasRead')" (closed)="conversation.askReaders(null)">
      @if (message(); as message) {
        <p class="quote" dir="auto">{{ shortened(message.text) }}</p>
        @for (list of lists(); track list.id) {
          @if (list.readers.length > 0) {
            <section class="stack stack--1" [attr.data-testid]="list.id">
              <h3 class="title-section">{{ t('room.' + list.id) }}</h3>
              <ul>
                @for (reader of list.readers; track reader.name) {
                  <li class="member-line">
                    <zfc-avatar [name]="reader.name" [identity]="identity(reader)" />
                    <div class="member-line__name">
                      <bdi>{{ reader.name }}</bdi>&ngsp;
                      @if (marked(reader); as fingerprint) {
                        <zfc-fingerprint class="nowrap" [value]="fingerprint" [small]="true" />
                      }
                      <p class="hint" dir="auto">{{ known(reader) }}</p>
                    </div>
                  </li>
                }
              </ul>
            </section>
          }
        }
        <p class="hint">{{ t('room.readHint') }}</p>
      }
      <div class="dialog__actions">
        <button
          class="btn btn--line"
          type="button"
          data-testid="readers-close"
          (click)="conversation.askReaders(null)"
        >
          {{ t('common.close') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class WhoHasRead {
  readonly #store = inject(AppStore);
  readonly #format = inject(Format);
  readonly #i18n = inject(I18n);
  protected readonly conversation = inject(ConversationStore);
  protected readonly t = this.#i18n.t;
  private readonly modal = viewChild.required(Modal);
  readonly room = input.required<RoomView>();

  /** As it is now: who reads meanwhile changes the list. */
  protected readonly message = computed(() => {
    const id = this.conversation.readersOf();
    const item = id === null ? undefined : this.#store.timeline().find((one) => one.id === id);
    return item?.type === 'message' && !item.deleted ? item : null;
  });
  readonly #open = computed(() => this.message() !== null);
  readonly #readers = computed(() => {
    const message = this.message();
    return message === null ? NOBODY : readersOf(message, this.room().members, this.#store.timeline());
  });
  protected readonly lists = computed(() => [
    { id: 'readers', readers: this.#readers().read },
    { id: 'notYet', readers: this.#readers().unread },
  ]);

  constructor() {
    effect(() => {
      if (this.#open()) this.modal().show();
      else this.modal().close();
    });
  }

  protected identity({ members, name }: Reader): string {
    return members.at(0)?.fingerprint ?? name;
  }

  /** The fingerprint of a member whose name looks like another one's. */
  protected marked({ members }: Reader): string | null {
    const [only, ...others] = members;
    return only?.confusable === true && others.length === 0 ? only.fingerprint : null;
  }

  protected known({ members, read, upTo }: Reader): string {
    if (members.length === 0) return this.t('room.readGone');
    if (members.length > 1) return this.t('room.readSameName', { count: read, total: members.length });
    if (upTo === null) return this.t('room.readUnknown');
    if (upTo.id === this.message()?.id) return this.t('room.readUpToThis');
    return this.t('room.readUpTo', {
      text: this.shortened(upTo.text || this.t('room.quoteEmpty')),
      time: this.#format.moment(upTo.time),
    });
  }

  protected shortened(text: string): string {
    const points = [...text];
    return points.length <= NAMED_CHARS ? text : `${points.slice(0, NAMED_CHARS).join('')}…`;
  }
}
