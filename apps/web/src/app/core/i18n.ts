import { Injectable, computed, inject } from '@angular/core';
import { TranslocoService } from '@jsverse/transloco';

import { LANGUAGES, Preferences } from './preferences';
import { TRANSLATIONS } from './translations';

export type Params = Readonly<Record<string, string | number>>;

/** A stretch of a sentence; `strong` marks what was filled in. */
export interface Part {
  readonly text: string;
  readonly strong: boolean;
}

// First strong isolate and its end: a name in another script cannot reorder the sentence around it.
const ISOLATE = '\u2068';
const END = '\u2069';
const PARTS = /\u2068([^\u2069]*)\u2069/;
const MARKS = /[\u2066-\u2069\u202a-\u202e]/g;

/**
 * Sentences in the chosen language. A template that calls `t` is drawn again when the language
 * changes, since `t` reads it as a signal.
 */
@Injectable({ providedIn: 'root' })
export class I18n {
  readonly #transloco = inject(TranslocoService);
  readonly #preferences = inject(Preferences);

  readonly language = this.#preferences.language;
  readonly #numbers = computed(() => new Intl.NumberFormat(this.language()));
  readonly #plurals = computed(() => new Intl.PluralRules(this.language()));

  constructor() {
    for (const language of LANGUAGES) this.#transloco.setTranslation(TRANSLATIONS[language], language);
  }

  readonly t = (key: string, params: Params = {}): string =>
    this.#transloco.translate(
      key,
      this.#filled(params, (text) => text),
      this.language(),
    );

  /** `key.one` or `key.other`, with `count` filled in. */
  readonly count = (key: string, count: number, params: Params = {}): string =>
    this.t(`${key}.${this.#plurals().select(count) === 'one' ? 'one' : 'other'}`, { ...params, count });

  /** A sentence cut at the names filled in, so that these can stand out without any HTML. */
  readonly parts = (key: string, names: Params, others: Params = {}): readonly Part[] => {
    const plain = this.#filled(others, (text) => text.replace(MARKS, ''));
    const isolated = {
      ...plain,
      ...this.#filled(names, (text) => `${ISOLATE}${text.replace(MARKS, '')}${END}`),
    };
    return this.#transloco
      .translate(key, isolated, this.language())
      .split(PARTS)
      .map((text, index) => ({ text, strong: index % 2 === 1 }))
      .filter((part) => part.text !== '');
  };

  /** Whether there is a sentence under this key. */
  readonly has = (key: string): boolean =>
    Object.hasOwn(this.#transloco.getTranslation(this.language()), key);

  number(value: number): string {
    return this.#numbers().format(value);
  }

  #filled(params: Params, each: (text: string) => string): Record<string, string> {
    return Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        name,
        each(typeof value === 'number' ? this.number(value) : value),
      ]),
    );
  }
}
