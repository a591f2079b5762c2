import { Component, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { I18n } from '../../core/i18n';
import { Icon } from '../../ui/icon';
import { CreateRoom } from './create-room';

@Component({
  selector: 'zfc-new-room-page',
  imports: [CreateRoom, Icon, RouterLink],
  host: { class: 'contents' },
  template: `
    <main class="pane pane--main">
      <header class="topbar">
        <a
          class="icon-btn"
          routerLink="/"
          [attr.aria-label]="t('common.backToRooms')"
          [title]="t('common.backToRooms')"
          ><zfc-icon name="back"
        /></a>
        <h1 class="topbar__title" tabindex="-1">{{ t('common.newRoom') }}</h1>
      </header>
      <div class="scroll body">
        <div class="w-md"><zfc-create-room /></div>
      </div>
    </main>
  `,
})
export class NewRoomPage {
  protected readonly t = inject(I18n).t;
}
