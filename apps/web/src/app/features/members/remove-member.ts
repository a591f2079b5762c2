import { Component, computed, inject, input, output, signal, viewChild } from '@angular/core';
import type { MemberView, RoomView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { groupedFingerprint } from '../../ui/fingerprint';
import { Modal } from '../../ui/modal';
import { named } from '../../core/names';

/** Shutting somebody out: asked once more, with the key, since names can look alike. */
@Component({
  selector: 'zfc-remove-member',
  imports: [ErrorMessage, Modal],
  host: { class: 'contents' },
  template: `
    <zfc-modal #modal [heading]="t('members.removal.title', { name: name() })">
      <p>{{ t('members.removal.text') }}</p>
      <p class="muted">{{ t('members.removal.return', { fingerprint: fingerprint() }) }}</p>
      @if (room().connection !== 'connected') {
        <p class="notice notice--caution" data-testid="remove-offline">{{ t('members.removal.offline') }}</p>
      }
      <zfc-error [failure]="command.failure()" />
      <div class="dialog__actions">
        <button class="btn btn--line" type="button" (click)="modal.close()">{{ t('common.cancel') }}</button>
        <button
          class="btn btn--alarm"
          type="button"
          data-testid="remove-confirm"
          [disabled]="command.busy()"
          [attr.aria-busy]="command.busy()"
          (click)="remove()"
        >
          @if (command.busy()) {
            <span class="spinner"></span>
          }
          {{ t('members.removal.confirm') }}
        </button>
      </div>
    </zfc-modal>
  `,
})
export class RemoveMember {
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  private readonly dialog = viewChild.required(Modal);
  readonly room = input.required<RoomView>();
  /** the removal is stored, and is carried out by the client */
  readonly asked = output();
  readonly #member = signal<MemberView | null>(null);
  protected readonly name = computed(() => named(this.#member()?.name, this.t('members.nameless')));
  protected readonly fingerprint = computed(() => groupedFingerprint(this.#member()?.fingerprint ?? ''));

  ask(member: MemberView): void {
    this.command.clear();
    this.#member.set(member);
    this.dialog().show();
  }

  protected async remove(): Promise<void> {
    const member = this.#member();
    if (member === null) return;
    const outcome = await this.command.run((api) => api.removeMember(this.room().roomId, member.memberId));
    if (outcome?.ok !== true) return;
    this.dialog().close();
    this.asked.emit();
  }
}
