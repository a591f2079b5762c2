import { Component, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { ConnectionMark } from '../../core/components/connection-mark';
import { PageBar } from '../../ui/page-bar';
import { PageFoot } from '../../core/components/page-foot';
import { AppToolbar } from '../../core/components/app-toolbar';

/** No room yet: the first step, explained. */
@Component({
  selector: 'zfc-empty-home',
  imports: [ConnectionMark, PageBar, PageFoot, RouterLink, AppToolbar],
  host: { class: 'contents' },
  template: `
    <div class="page">
      <zfc-page-bar>
        <div class="row">
          @if (store.app()?.relay; as relay) {
            <span class="only-wide"><zfc-connection [state]="relay.state" /></span>
          }
          <zfc-app-toolbar />
        </div>
      </zfc-page-bar>
      <main class="page__center page__center--mid">
        <div class="w-lg stack stack--6">
          <div class="stack stack--3">
            <h1 class="title-page" tabindex="-1">{{ t('home.emptyTitle') }}</h1>
            <p class="lead">{{ t('home.emptyLead') }}</p>
          </div>
          <div class="choices">
            <section class="card card--float stack stack--3">
              <h2 class="title-card">{{ t('home.gatherTitle') }}</h2>
              <p class="muted">{{ t('home.gatherText') }}</p>
              <a class="btn btn--primary" routerLink="/new" data-testid="new-room">{{
                t('home.gatherAction')
              }}</a>
            </section>
            <section class="card card--float stack stack--3">
              <h2 class="title-card">{{ t('home.invitedTitle') }}</h2>
              <p class="muted">{{ t('home.invitedText') }}</p>
              <a class="btn btn--soft" routerLink="/join" data-testid="join-room">{{
                t('home.invitedAction')
              }}</a>
            </section>
          </div>
          <ol class="path" [attr.aria-label]="t('home.pathLabel')">
            @for (step of ['path1', 'path2', 'path3']; track step) {
              <li>
                <b>{{ t('home.' + step) }}</b>{{ t('home.' + step + 'Text') }}
              </li>
            }
          </ol>
        </div>
      </main>
      <zfc-page-foot />
    </div>
  `,
})
export class EmptyHome {
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;
}
