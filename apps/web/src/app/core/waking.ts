import { DOCUMENT, inject, Injectable } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { filter, fromEvent, merge } from 'rxjs';

import { AppStore } from './app-store';

/** Has links looked after once this page is shown again, comes back out of the browser's memory, or the network is back. */
@Injectable({ providedIn: 'root' })
export class Waking {
  constructor() {
    const document = inject(DOCUMENT);
    const store = inject(AppStore);
    merge(
      fromEvent(document, 'visibilitychange').pipe(filter(() => document.visibilityState === 'visible')),
      fromEvent(window, 'online'),
      fromEvent<PageTransitionEvent>(window, 'pageshow').pipe(filter(({ persisted }) => persisted)),
    )
      .pipe(takeUntilDestroyed())
      .subscribe(() => {
        if (store.vault() === 'open') void store.run((api) => api.wake());
      });
  }
}
