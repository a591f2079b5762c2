import { Component, inject, input } from '@angular/core';
import type { RoomView } from '@0fc/client/api';

import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import { ForgetRoom } from '../../core/components/forget-room';

/** Replaces the composer once nothing can be sent any more. */
@Component({
  selector: 'zfc-room-ended',
  imports: [ForgetRoom, Icon],
  host: { class: 'contents' },
  template: `
    <div class="banner banner--foot" role="status" data-testid="room-ended" [attr.data-stage]="room().stage">
      <zfc-icon name="info" [small]="true" />
      <p class="banner__text">{{ t('room.' + (room().stage === 'member' ? 'unlisted' : room().stage)) }}</p>
      <div class="banner__acts"><zfc-forget-room [roomId]="room().roomId" /></div>
    </div>
  `,
})
export class RoomEnded {
  protected readonly t = inject(I18n).t;
  readonly room = input.required<RoomView>();
}
