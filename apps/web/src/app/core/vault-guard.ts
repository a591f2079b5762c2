import { inject, Injectable } from '@angular/core';
import { toObservable } from '@angular/core/rxjs-interop';
import type { CanActivateFn, UrlTree } from '@angular/router';
import { Router } from '@angular/router';
import { filter, map, take } from 'rxjs';

import { AppStore } from './app-store';

/** Where to go once the vault is open: kept in memory, so that a deep link survives the unlock screen. */
@Injectable({ providedIn: 'root' })
export class Destination {
  #url = '/';

  remember(url: string): void {
    this.#url = url;
  }

  take(): string {
    const url = this.#url;
    this.#url = '/';
    return url;
  }
}

/** Waits for the worker's first word; without an open vault there is only the unlock screen. */
export const vaultIsOpen: CanActivateFn = (_route, state) => {
  const router = inject(Router);
  const destination = inject(Destination);
  return toObservable(inject(AppStore).vault).pipe(
    filter((vault) => vault !== null),
    take(1),
    map((vault): boolean | UrlTree => {
      if (vault === 'open') return true;
      destination.remember(state.url);
      return router.parseUrl('/unlock');
    }),
  );
};
