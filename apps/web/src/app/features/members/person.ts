import { Component, computed, inject, input, output } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { MemberView, RoomView } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';
import { named } from '../../core/names';
import { mayAct } from './member-rules';

/** One member: who, since when, in which state, and what can be done about it. */
@Component({
  selector: 'zfc-person',
  imports: [Avatar, Fingerprint, Icon, RouterLink],
  host: { class: 'contents' },
  template: `
    <zfc-avatar [name]="member().name" [identity]="member().fingerprint" />
    <div>
      <p class="people__name">
        <bdi class="wrap-anywhere">{{ member().name || t('members.nameless') }}</bdi>
        @if (member().verified) {
          <span class="verified" role="img" [attr.aria-label]="t('common.verified')"
            ><zfc-icon name="verified" [small]="true"
          /></span>
        }
        @if (member().owner) {
          <span class="chip">{{ t(member().me ? 'room.youOwner' : 'room.owner') }}</span>
        } @else if (member().me) {
          <span class="chip">{{ t('room.you') }}</span>
        }
      </p>
      <p class="people__meta quiet">
        @if (member().removing) {
          <span class="mark mark--caution" data-testid="member-removing"
            ><zfc-icon name="renew" [small]="true" />{{
              t(offline() ? 'members.removingLater' : 'members.removing')
            }}</span
          >
        } @else if (member().leaving) {
          <span class="mark mark--caution" data-testid="member-leaving"
            ><zfc-icon name="personMinus" [small]="true" />{{ t('members.leaving') }}</span
          >
        }
        @if (member().confusable) {
          <span class="mark mark--caution" data-testid="member-confusable"
            ><zfc-icon name="info" [small]="true" />{{ t('members.confusable') }}</span
          >
        }
        @if (member().oldPrekey) {
          <span class="mark mark--caution" data-testid="member-old-prekey"
            ><zfc-icon name="clock" [small]="true" />{{ t('members.oldPrekey') }}</span
          >
        }
        @if (!member().me) {
          @if (presence(); as presence) {
            <span>{{ presence }}</span>
          }
          @if (receipts()) {
            <span data-testid="member-receipt">{{ t('members.receipt.' + member().receipt) }}</span>
          }
          @if (!member().verified) {
            <span>{{ t('members.notVerified') }}</span>
          }
        }
        <zfc-fingerprint [value]="member().fingerprint" [small]="true" />
      </p>
    </div>
    @if (actable()) {
      <button
        class="icon-btn"
        type="button"
        data-testid="member-actions"
        [attr.aria-expanded]="open()"
        [attr.aria-label]="toggleLabel()"
        [title]="toggleLabel()"
        (click)="toggled.emit()"
      >
        <zfc-icon [name]="open() ? 'close' : 'more'" />
      </button>
      @if (open()) {
        <div class="people__actions">
          <a
            class="btn btn--soft"
            data-testid="verify"
            [routerLink]="['/room', room().roomId, 'verify', member().memberId]"
            ><zfc-icon name="verified" />{{ t(member().verified ? 'members.number' : 'members.verify') }}</a
          >
          @if (room().owner && !member().removing) {
            @if (!member().leaving) {
              <button
                class="btn btn--line"
                type="button"
                data-testid="transfer-ownership"
                [disabled]="offered()"
                (click)="transferOwnership.emit()"
              >
                <zfc-icon name="transferOwnership" />{{ t('members.hand.open') }}
              </button>
            }
            <button
              class="btn btn--danger"
              type="button"
              data-testid="remove-member"
              (click)="removal.emit()"
            >
              <zfc-icon name="personMinus" />{{ t('members.removal.open') }}
            </button>
          }
        </div>
      }
    }
  `,
})
export class Person {
  readonly #format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly member = input.required<MemberView>();
  readonly room = input.required<RoomView>();
  /** whether it has applied the last departure is shown of each member */
  readonly receipts = input(false);
  readonly open = input(false);
  readonly toggled = output();
  readonly transferOwnership = output();
  readonly removal = output();

  protected readonly actable = computed(() => mayAct(this.room()) && !this.member().me);
  protected readonly offline = computed(() => this.room().connection !== 'connected');
  protected readonly offered = computed(
    () => this.room().ownershipTransfer?.memberId === this.member().memberId,
  );
  protected readonly toggleLabel = computed(() =>
    this.open()
      ? this.t('members.closeActions')
      : this.t('members.actionsFor', { name: named(this.member().name, this.t('members.nameless')) }),
  );
  /** empty while no signal of the member has arrived */
  protected readonly presence = computed(() => {
    const { online, lastSeen } = this.member();
    if (this.room().stage !== 'member') return null;
    if (online) return this.t('members.hereNow');
    return lastSeen === null ? null : this.t('members.awaySince', { time: this.#format.moment(lastSeen) });
  });
}
