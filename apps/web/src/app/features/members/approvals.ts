import { Component, inject, input, signal } from '@angular/core';
import type { ApprovalView, Failure } from '@0fc/client/api';

import { AppStore } from '../../core/app-store';
import { Format } from '../../core/format';
import { I18n } from '../../core/i18n';
import { Avatar } from '../../ui/avatar';
import { ErrorMessage } from '../../core/components/error-message';
import { Fingerprint } from '../../ui/fingerprint';
import { SafetyNumber } from '../../ui/safety-number';

/** Joins that wait for the owner's word. */
@Component({
  selector: 'zfc-approvals',
  imports: [Avatar, ErrorMessage, Fingerprint, SafetyNumber],
  host: { class: 'contents' },
  template: `
    @for (approval of approvals(); track approval.inviteId) {
      <section
        class="card card--caution ask card--flush"
        [attr.aria-label]="t('members.waiting')"
        data-testid="approval-request"
        [attr.data-invite-id]="approval.inviteId"
      >
        <zfc-avatar [name]="approval.name" [identity]="approval.fingerprint" />
        <div>
          <h2 class="ask__name">
            <bdi>{{ t('members.asks', { name: approval.name }) }}</bdi>
          </h2>
          <p>
            {{ t('members.asksFrom', { time: format.moment(approval.invited) }) }}
            <zfc-fingerprint class="nowrap" [value]="approval.fingerprint" [small]="true" />
          </p>
        </div>
        <div class="ask__number stack stack--2">
          <p class="label">{{ t('members.numberWith', { name: approval.name }) }}</p>
          <zfc-safety-number [digits]="approval.safetyNumber" [small]="true" />
          <p>{{ t('members.asksHint') }}</p>
        </div>
        <div class="row ask__actions">
          <button
            class="btn btn--line"
            type="button"
            data-testid="decline-join"
            [disabled]="busy() !== null"
            (click)="decide(approval.inviteId, false)"
          >
            {{ t('members.decline') }}
          </button>
          <button
            class="btn btn--primary"
            type="button"
            data-testid="admit-join"
            [disabled]="busy() !== null"
            [attr.aria-busy]="busy() === approval.inviteId"
            (click)="decide(approval.inviteId, true)"
          >
            @if (busy() === approval.inviteId) {
              <span class="spinner"></span>
            }
            {{ t('members.admit') }}
          </button>
        </div>
      </section>
    }
    <zfc-error [failure]="failure()" />
  `,
})
export class Approvals {
  readonly #store = inject(AppStore);
  protected readonly format = inject(Format);
  protected readonly t = inject(I18n).t;
  readonly roomId = input.required<string>();
  readonly approvals = input.required<readonly ApprovalView[]>();
  protected readonly busy = signal<string | null>(null);
  protected readonly failure = signal<Failure | null>(null);

  protected async decide(inviteId: string, admit: boolean): Promise<void> {
    this.busy.set(inviteId);
    this.failure.set(null);
    const outcome = await this.#store.run((api) => api.decideJoin(this.roomId(), inviteId, admit));
    this.busy.set(null);
    if (!outcome.ok) this.failure.set(outcome.error);
  }
}
