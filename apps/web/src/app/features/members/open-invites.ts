import { Component, inject, input, signal } from '@angular/core';
import type { Failure, InviteView } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';

@Component({
  selector: 'zfc-open-invites',
  imports: [ErrorMessage],
  host: { class: 'contents' },
  template: `
    <section class="card stack stack--2">
      <h2 class="title-card">{{ t('members.openInvites') }}</h2>
      @for (invite of invites(); track invite.inviteId) {
        @if (!$first) {
          <hr class="divider" />
        }
        <div
          class="row row--between"
          data-testid="open-invite"
          [attr.data-invite-id]="invite.inviteId"
          [attr.data-state]="invite.state"
        >
          <div class="wrap-anywhere">
            <p>{{ made(invite) }}</p>
            <p class="quiet">{{ state(invite) }}</p>
          </div>
          <button
            class="btn btn--danger btn--flush"
            type="button"
            data-testid="revoke-invite"
            [disabled]="busy() !== null"
            [attr.aria-busy]="busy() === invite.inviteId"
            (click)="revoke(invite.inviteId)"
          >
            @if (busy() === invite.inviteId) {
              <span class="spinner"></span>
            }
            {{ t('members.revoke') }}
          </button>
        </div>
      } @empty {
        <p class="quiet">{{ t('members.noInvites') }}</p>
      }
      <zfc-error [failure]="failure()" />
    </section>
  `,
})
export class OpenInvites {
  readonly #store = inject(AppStore);
  readonly #format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly roomId = input.required<string>();
  readonly invites = input.required<readonly InviteView[]>();
  protected readonly busy = signal<string | null>(null);
  protected readonly failure = signal<Failure | null>(null);

  protected made(invite: InviteView): string {
    const today = this.#format.sameDay(invite.made, Date.now());
    return this.t(today ? 'members.madeAt' : 'members.madeOn', { time: this.#format.moment(invite.made) });
  }

  protected state(invite: InviteView): string {
    if (invite.state === 'open')
      return this.t('members.unused', { relative: this.#format.relative(invite.expires) });
    if (invite.claimedBy === null) return this.t('members.usedByUnknown');
    return this.t(invite.state === 'claimed' ? 'members.usedBy' : `members.${invite.state}`, {
      name: invite.claimedBy,
    });
  }

  protected async revoke(inviteId: string): Promise<void> {
    this.busy.set(inviteId);
    this.failure.set(null);
    const outcome = await this.#store.run((api) => api.revokeInvite(this.roomId(), inviteId));
    this.busy.set(null);
    if (!outcome.ok) this.failure.set(outcome.error);
  }
}
