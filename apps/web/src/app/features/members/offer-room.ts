import { Component, computed, inject, input, output, signal, viewChild } from '@angular/core';
import type { MemberView, RoomView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Fingerprint } from '../../ui/fingerprint';
import { Modal } from '../../ui/modal';
import { isolated, named } from '../../core/names';

/** Offering the room to a member: what it means, and to which key. */
@Component({
  selector: 'zfc-offer-room',
  imports: [ErrorMessage, Fingerprint, Modal],
  host: { class: 'contents' },
  template: `
    <zfc-modal #modal [heading]="t('members.hand.title', { name: name() })">
      <p>{{ t('members.hand.text') }}</p>
      <p class="muted">{{ t('members.hand.invites') }}</p>
      @if (member(); as member) {
        <zfc-fingerprint [value]="member.fingerprint" />
        @if (!member.verified) {
          <p class="notice notice--caution" data-testid="hand-unverified">
            {{ t('members.hand.unverified') }}
          </p>
        }
      }
      @if (other(); as other) {
        <p class="notice notice--caution">{{ t('members.hand.replaces', { other }) }}</p>
      }
      <zfc-error [failure]="command.failure()" />
      <div class="dialog__actions">
        <button class="btn btn--line" type="button" (click)="modal.close()">{{ t('common.cancel') }}</button>
        <button
          class="btn btn--primary"
          type="button"
          data-testid="transfer-ownership-confirm"
          [disabled]="command.busy()"
          [attr.aria-busy]="command.busy()"
          (click)="offer()"
        >
          @if (command.busy()) {
            <span class="spinner"></span>
          }
          {{ t('members.hand.confirm') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class OfferRoom {
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  private readonly dialog = viewChild.required(Modal);
  readonly room = input.required<RoomView>();
  readonly offered = output();
  readonly #member = signal<MemberView | null>(null);
  protected readonly member = this.#member.asReadonly();
  protected readonly name = computed(() => named(this.#member()?.name, this.t('members.nameless')));
  /** whose offer ends with this one */
  protected readonly other = computed(() => {
    const transfer = this.room().ownershipTransfer;
    const replaced = transfer?.role === 'offering' && transfer.memberId !== this.#member()?.memberId;
    return replaced ? isolated(transfer.name) : null;
  });

  ask(member: MemberView): void {
    this.command.clear();
    this.#member.set(member);
    this.dialog().show();
  }

  protected async offer(): Promise<void> {
    const member = this.#member();
    if (member === null) return;
    const outcome = await this.command.run((api) => api.offerOwnership(this.room().roomId, member.memberId));
    if (outcome?.ok !== true) return;
    this.dialog().close();
    this.offered.emit();
  }
}
