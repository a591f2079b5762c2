import { DOCUMENT, inject, Injectable } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { filter, fromEvent, merge, throttleTime } from 'rxjs';

import { AppStore } from './app-store';

/** Milliseconds between two of them, at least. */
const APART_MS = 1_000;

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
      // After sleep they come together, and each would begin another attempt.
      .pipe(throttleTime(APART_MS, undefined, { leading: true, trailing: true }), takeUntilDestroyed())
      .subscribe(() => {
        if (store.vault() === 'open') void store.run((api) => api.wake());
      });
  }
}
