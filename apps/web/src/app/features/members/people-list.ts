import { Component, inject, input } from '@angular/core';
import type { MemberView } from '@0fc/client/api';

import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { Fingerprint } from '../../ui/fingerprint';
import { Icon } from '../../ui/icon';

@Component({
  selector: 'zfc-people-list',
  imports: [Avatar, Fingerprint, Icon],
  host: { class: 'contents' },
  template: `
    <section class="card card--flush" [attr.aria-label]="t('members.title')">
      <ul class="people">
        @for (member of members(); track member.memberId) {
          <li data-testid="member" [attr.data-member-id]="member.memberId">
            <zfc-avatar [name]="member.name" [identity]="member.fingerprint" />
            <div>
              <p class="people__name">
                <bdi class="wrap-anywhere">{{ member.name || t('members.nameless') }}</bdi>
                @if (member.verified) {
                  <span class="verified" role="img" [attr.aria-label]="t('common.verified')"
                    ><zfc-icon name="verified" [small]="true"
                  /></span>
                }
                @if (member.owner) {
                  <span class="chip">{{ t(member.me ? 'room.youOwner' : 'room.owner') }}</span>
                } @else if (member.me) {
                  <span class="chip">{{ t('room.you') }}</span>
                }
              </p>
              <p class="people__meta quiet">
                @if (member.leaving) {
                  <span class="mark mark--caution"
                    ><zfc-icon name="personMinus" [small]="true" />{{ t('members.leaving') }}</span
                  >
                }
                @if (!member.me) {
                  @if (presence(member); as presence) {
                    <span>{{ presence }}</span>
                  }
                  @if (!member.verified) {
                    <span>{{ t('members.notVerified') }}</span>
                  }
                }
                <zfc-fingerprint [value]="member.fingerprint" [small]="true" />
              </p>
            </div>
          </li>
        }
      </ul>
    </section>
  `,
})
export class PeopleList {
  readonly #format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly members = input.required<readonly MemberView[]>();

  /** nothing while a member has not been heard of: nothing is shown before it is known */
  protected presence(member: MemberView): string | null {
    if (member.here) return this.t('members.hereNow');
    return member.lastSeen === null
      ? null
      : this.t('members.awaySince', { time: this.#format.moment(member.lastSeen) });
  }
}
