import type { ApplicationConfig } from '@angular/core';
import { provideBrowserGlobalErrorListeners, provideZonelessChangeDetection } from '@angular/core';
import { provideRouter, TitleStrategy, withComponentInputBinding } from '@angular/router';
import { provideTransloco } from '@jsverse/transloco';

import { routes } from './app.routes';
import { OPEN_CLIENT } from './core/client-connection';
import { PageTitles } from './core/page-titles';
import { LANGUAGES } from './core/preferences';
import { openClient } from './core/worker-door';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideZonelessChangeDetection(),
    provideRouter(routes, withComponentInputBinding()),
    provideTransloco({ config: { availableLangs: [...LANGUAGES], defaultLang: 'en', prodMode: true } }),
    { provide: OPEN_CLIENT, useValue: openClient },
    { provide: TitleStrategy, useExisting: PageTitles },
  ],
};
