import type { ApplicationConfig } from '@angular/core';
import { provideBrowserGlobalErrorListeners, provideZonelessChangeDetection } from '@angular/core';
import { TitleStrategy } from '@angular/router';

import { routes } from './app.routes';
import { provideAddresses } from './core/addresses';
import { OPEN_CLIENT } from './core/client-connection';
import { PageTitles } from './core/page-titles';
import { provideSentences } from './core/sentences';
import { openClient } from './core/worker-door';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideZonelessChangeDetection(),
    provideAddresses(routes),
    provideSentences(),
    { provide: OPEN_CLIENT, useValue: openClient },
    { provide: TitleStrategy, useExisting: PageTitles },
  ],
};
