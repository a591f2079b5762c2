import type { EnvironmentProviders, Provider } from '@angular/core';
import { Injectable } from '@angular/core';
import type { TranslocoTranspiler, TranspileParams } from '@jsverse/transloco';
import { provideTransloco, provideTranslocoTranspiler } from '@jsverse/transloco';

import { LANGUAGES } from './preferences';

const BLANK = /\{\{(\w+)\}\}/g;

/**
 * Fills the blanks of a sentence, each once. What is put in is other people's text: it is never read again, neither
 * for blanks nor for keys (transloco's own transpiler does both, and over `{{name}}` as a name without end).
 */
@Injectable()
class FillOnce implements TranslocoTranspiler {
  transpile({ value, params = {} }: TranspileParams): unknown {
    if (typeof value !== 'string') return value;
    return value.replace(BLANK, (_blank, name: string) =>
      Object.hasOwn(params, name) ? String(params[name]) : '',
    );
  }
}

/** The sentences of the page, of which I18n is the only reader. */
export function provideSentences(): (Provider | EnvironmentProviders)[] {
  return [
    provideTransloco({ config: { availableLangs: [...LANGUAGES], defaultLang: 'en', prodMode: true } }),
    provideTranslocoTranspiler(FillOnce),
  ];
}
