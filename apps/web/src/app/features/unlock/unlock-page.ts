import {
  afterNextRender,
  Component,
  effect,
  ElementRef,
  inject,
  Injector,
  signal,
  untracked,
} from '@angular/core';
import { Router } from '@angular/router';

import { AppStore } from '../../core/app-store';
import { I18n } from '../../core/i18n';
import { Invites } from '../../core/invites';
import { Destination } from '../../core/vault-guard';
import { LanguageSwitch } from '../../core/components/language-switch';
import { PageBar } from '../../ui/page-bar';
import { PageFoot } from '../../core/components/page-foot';
import { FirstPassphrase } from './first-passphrase';
import { ImportVault } from './import-vault';
import { ReturnPassphrase } from './return-passphrase';

@Component({
  selector: 'zfc-unlock-page',
  imports: [FirstPassphrase, ImportVault, LanguageSwitch, PageBar, PageFoot, ReturnPassphrase],
  host: { class: 'contents' },
  template: `
    @if (store.vault(); as vault) {
      <div class="page">
        <zfc-page-bar><zfc-language-switch [short]="true" /></zfc-page-bar>
        <main class="page__center" [class.page__center--mid]="vault !== 'absent'">
          @switch (vault) {
            @case ('absent') {
              @if (importing()) {
                <zfc-import-vault (back)="bring(false)" />
              } @else {
                <zfc-first-passphrase (haveExport)="bring(true)" />
              }
            }
            @case ('locked') {
              <zfc-return-passphrase />
            }
            @case ('elsewhere') {
              <section class="card card--float w-sm stack stack--6" data-testid="elsewhere">
                <div class="stack stack--2">
                  <h1 class="title-page" tabindex="-1">{{ t('unlock.elsewhereTitle') }}</h1>
                  <p class="muted">{{ t('unlock.elsewhereLead') }}</p>
                </div>
                <button class="btn btn--primary btn--wide" type="button" (click)="store.restart()">
                  {{ t('unlock.elsewhereRetry') }}
                </button>
              </section>
            }
          }
        </main>
        <zfc-page-foot />
      </div>
    }
  `,
})
export class UnlockPage {
  protected readonly store = inject(AppStore);
  protected readonly t = inject(I18n).t;
  /** an exported vault is brought here instead of a new one made */
  protected readonly importing = signal(false);

  readonly #injector = inject(Injector);
  readonly #host = inject<ElementRef<HTMLElement>>(ElementRef);

  constructor() {
    const router = inject(Router);
    const destination = inject(Destination);
    const invites = inject(Invites);
    effect(() => {
      if (this.store.vault() !== 'open') return;
      // An invite that was opened with this page comes first, wherever the page was going.
      const url = destination.take();
      void router.navigateByUrl(untracked(invites.pending) === null ? url : '/join', { replaceUrl: true });
    });
  }

  /** Focuses the heading of the other form, so that a screen reader announces it. */
  protected bring(importing: boolean): void {
    this.importing.set(importing);
    afterNextRender(() => this.#host.nativeElement.querySelector<HTMLElement>('h1[tabindex]')?.focus(), {
      injector: this.#injector,
    });
  }
}
