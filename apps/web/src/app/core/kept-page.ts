import { DestroyRef, inject, Injectable } from '@angular/core';

import { AppStore } from './app-store';

/**
 * A browser may keep a page that was left, to show it again as it was. WebKit keeps its worker too, with the keys that it holds
 * and the vault's lock: whatever page comes next finds the vault in use elsewhere. So the worker ends with the leaving, and
 * another one begins where the page is shown again.
 */
@Injectable({ providedIn: 'root' })
export class KeptPage {
  constructor() {
    const store = inject(AppStore);
    const left = ({ persisted }: PageTransitionEvent): void => {
      if (persisted) store.leave();
    };
    const shown = ({ persisted }: PageTransitionEvent): void => {
      if (persisted) store.restart();
    };
    addEventListener('pagehide', left);
    addEventListener('pageshow', shown);
    inject(DestroyRef).onDestroy(() => {
      removeEventListener('pagehide', left);
      removeEventListener('pageshow', shown);
    });
  }
}
