import { Component, computed, ElementRef, inject, input, signal, viewChild } from '@angular/core';
import type { MemberView, RoomView } from '@0fc/client/api';

import { I18n } from '../../core/i18n';
import { OfferRoom } from './offer-room';
import { Person } from './person';
import { RemoveMember } from './remove-member';

@Component({
  selector: 'zfc-people-list',
  imports: [OfferRoom, Person, RemoveMember],
  host: { class: 'contents', '(keydown.escape)': 'closeActions($event)' },
  template: `
    <section class="card card--flush" [attr.aria-label]="t('members.title')">
      <ul class="people">
        @for (member of room().members; track member.memberId) {
          <li
            data-testid="member"
            [class.open]="opened() === member.memberId"
            [attr.data-member-id]="member.memberId"
            [attr.data-removing]="member.removing ? '' : null"
          >
            <zfc-person
              [member]="member"
              [room]="room()"
              [receipts]="receipts()"
              [open]="opened() === member.memberId"
              (toggled)="toggle(member)"
              (transferOwnership)="offer().ask(member)"
              (removal)="remove().ask(member)"
            />
          </li>
        }
      </ul>
    </section>
    <zfc-remove-member [room]="room()" (asked)="put()" />
    <zfc-offer-room [room]="room()" (offered)="put()" />
  `,
})
export class PeopleList {
  readonly #host = inject<ElementRef<HTMLElement>>(ElementRef);
  protected readonly t = inject(I18n).t;
  readonly room = input.required<RoomView>();
  protected readonly remove = viewChild.required(RemoveMember);
  protected readonly offer = viewChild.required(OfferRoom);
  protected readonly opened = signal<string | null>(null);
  /** until each member has applied the last departure, by the log: before that it may write for who has left (G10) */
  protected readonly receipts = computed(
    () => this.room().stage === 'member' && this.room().members.some(({ receipt }) => receipt !== 'log'),
  );

  protected toggle({ memberId }: MemberView): void {
    this.opened.update((opened) => (opened === memberId ? null : memberId));
  }

  /** Escape in a dialog closes only the dialog. */
  protected closeActions({ target }: Event): void {
    if (target instanceof Element && target.closest('dialog') === null) this.put();
  }

  /** Puts the acts away; the focus goes back to the button that showed them. */
  protected put(): void {
    if (this.opened() === null) return;
    this.#host.nativeElement.querySelector<HTMLElement>('[aria-expanded="true"]')?.focus();
    this.opened.set(null);
  }
}
