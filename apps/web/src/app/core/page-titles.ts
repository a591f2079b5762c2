import { effect, inject, Injectable, signal } from '@angular/core';
import { Title } from '@angular/platform-browser';
import type { RouterStateSnapshot } from '@angular/router';
import { TitleStrategy } from '@angular/router';

import { AppStore } from './app-store';
import { I18n } from './i18n';

/**
 * Titles of the browser's tab, in the chosen language: routes name a key. The name of a room is
 * never in the title, which history and other programs can read.
 */
@Injectable({ providedIn: 'root' })
export class PageTitles extends TitleStrategy {
  readonly #title = inject(Title);
  readonly #i18n = inject(I18n);
  readonly #store = inject(AppStore);
  readonly #key = signal<string | undefined>(undefined);

  constructor() {
    super();
    effect(() => {
      const key = this.#key();
      const unread = this.#store.rooms().reduce((sum, room) => sum + room.unread, 0);
      const page = key === undefined ? '0FC' : `${this.#i18n.t(key)} – 0FC`;
      this.#title.setTitle(unread > 0 ? `(${this.#i18n.number(unread)}) ${page}` : page);
    });
  }

  override updateTitle(snapshot: RouterStateSnapshot): void {
    this.#key.set(this.buildTitle(snapshot));
  }
}
