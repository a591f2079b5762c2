import { Component, computed, inject, input } from '@angular/core';
import type { RoomView } from '@0fc/client/api';

import { commandState } from '../../core/command-state';
import { I18n } from '../../core/i18n';
import { ErrorMessage } from '../../core/components/error-message';
import { Modal } from '../../ui/modal';
import { ForgetRoom } from '../../core/components/forget-room';

/** Leaves the room. An owner has to hand the room over, or to close it, first. */
@Component({
  selector: 'zfc-leave-room',
  imports: [ErrorMessage, ForgetRoom, Modal],
  host: { class: 'contents' },
  template: `
    @if (room().leaving) {
      <p class="notice notice--caution" role="status" data-testid="leaving-me">
        {{ t('members.leave.under') }}
      </p>
      <div><zfc-forget-room [roomId]="room().roomId" [unconfirmed]="true" /></div>
    } @else {
      <div>
        <button
          class="btn btn--danger btn--flush"
          type="button"
          data-testid="leave-room"
          (click)="command.clear(); modal.show()"
        >
          {{ t('members.leave.open') }}
        </button>
      </div>
    }
    <zfc-modal #modal [heading]="t(room().owner ? 'members.leave.ownerTitle' : 'members.leave.title')">
      @if (room().owner) {
        <p data-testid="leave-owner">
          {{ t(alone() ? 'members.leave.ownerAlone' : 'members.leave.ownerText') }}
        </p>
        <div class="dialog__actions">
          <button class="btn btn--primary" type="button" (click)="modal.close()">
            {{ t('common.close') }}
          </button>
        </div>
      } @else {
        <p>{{ t('members.leave.text') }}</p>
        <p class="muted">{{ t('members.leave.until') }}</p>
        <zfc-error [failure]="command.failure()" />
        <div class="dialog__actions">
          <button class="btn btn--line" type="button" (click)="modal.close()">
            {{ t('common.cancel') }}
          </button>
          <button
            class="btn btn--alarm"
            type="button"
            data-testid="leave-confirm"
            [disabled]="command.busy()"
            [attr.aria-busy]="command.busy()"
            (click)="leave(modal)"
          >
            @if (command.busy()) {
              <span class="spinner"></span>
            }
            {{ t('members.leave.confirm') }}
          </button>
        </div>
      }
    </zfc-modal>
  `,
})
export class LeaveRoom {
  protected readonly t = inject(I18n).t;
  protected readonly command = commandState();
  readonly room = input.required<RoomView>();
  protected readonly alone = computed(() => this.room().members.length < 2);

  protected async leave(modal: Modal): Promise<void> {
    const outcome = await this.command.run((api) => api.leaveRoom(this.room().roomId));
    if (outcome?.ok === true) modal.close();
  }
}
