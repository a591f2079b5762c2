import { Component, inject } from '@angular/core';
import { Router } from '@angular/router';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { Invites } from '../../core/invites';
import { CreateRoom } from './create-room';
import { EmptyHome } from './empty-home';
import { PasteInvite } from '../../core/components/paste-invite';

@Component({
  selector: 'zfc-home-page',
  imports: [CreateRoom, EmptyHome, PasteInvite],
  host: { class: 'contents' },
  template: `
    @if (store.empty()) {
      <zfc-empty-home />
    } @else {
      <main class="pane pane--main">
        <div class="scroll body">
          <div class="stack stack--6">
            <div class="stack stack--2">
              <h1 class="title-page" tabindex="-1">{{ t('home.title') }}</h1>
              <p class="muted">{{ t('home.lead') }}</p>
            </div>
            <div class="choices">
              <zfc-create-room />
              <zfc-paste-invite (pasted)="join($event)" />
            </div>
          </div>
        </div>
      </main>
    }
  `,
})
export class HomePage {
  readonly #router = inject(Router);
  readonly #invites = inject(Invites);
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;

  protected async join(text: string): Promise<void> {
    this.#invites.offer(text);
    await this.#router.navigateByUrl('/join');
  }
}
