import { afterNextRender, Component, effect, inject, Injector, untracked } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { NavigationEnd, Router, RouterOutlet } from '@angular/router';
import { filter, skip } from 'rxjs';

import { AppStore } from './core/app-store';
import { I18n } from './core/i18n';
import { IdleLock } from './core/idle-lock';
import { Waking } from './core/waking';
import { Invites } from './core/invites';
import { KeptPage } from './core/kept-page';
import { Destination } from './core/vault-guard';
import { ErrorMessage } from './core/components/error-message';
import { PageBar } from './ui/page-bar';

@Component({
  selector: 'zfc-root',
  imports: [ErrorMessage, PageBar, RouterOutlet],
  template: `
    @if (store.broken(); as failure) {
      <div class="page">
        <zfc-page-bar />
        <main class="page__center page__center--mid">
          <section class="card card--float w-sm stack">
            <h1 class="title-page" tabindex="-1">{{ t('common.stoppedTitle') }}</h1>
            <zfc-error [failure]="failure" />
            <button class="btn btn--primary btn--wide" type="button" (click)="store.restart()">
              {{ t('common.startAgain') }}
            </button>
          </section>
        </main>
      </div>
    } @else {
      @if (store.app() === null) {
        <div class="page">
          <main class="page__center page__center--mid">
            <p class="waiting" role="status"><span class="spinner"></span>{{ t('common.starting') }}</p>
          </main>
        </div>
      }
      <router-outlet />
    }
  `,
})
export class App {
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;

  constructor() {
    // They watch from the first screen on.
    inject(IdleLock);
    inject(Waking);
    inject(KeptPage);
    const router = inject(Router);
    const destination = inject(Destination);
    const injector = inject(Injector);

    const invites = inject(Invites);

    // Another invite was opened in this tab: its screen reads it from memory.
    effect(() => {
      if ((invites.pending() !== null || invites.changed()) && untracked(this.store.vault) === 'open')
        void router.navigateByUrl('/join');
    });

    effect(() => {
      const vault = this.store.vault();
      if (vault !== null && vault !== 'open' && router.url !== '/unlock' && router.navigated) {
        destination.remember(router.url);
        void router.navigateByUrl('/unlock', { replaceUrl: true });
      }
    });

    // A focused heading makes a screen reader announce the new page; the first page is announced by the browser.
    router.events
      .pipe(
        filter((event) => event instanceof NavigationEnd),
        skip(1),
        takeUntilDestroyed(),
      )
      .subscribe(() => {
        afterNextRender(
          () => document.querySelector<HTMLElement>('main h1[tabindex]')?.focus({ preventScroll: true }),
          {
            injector,
          },
        );
      });
  }
}
