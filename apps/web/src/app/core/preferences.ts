import { Injectable, effect, signal } from '@angular/core';

export const LANGUAGES = ['fr', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const LANGUAGE_KEY = '0fc.language';
const THEME_KEY = '0fc.theme';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage may be refused altogether (private windows, policies): the defaults then hold.
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice still holds for this page's life; there is nowhere to keep it for longer.
  }
}

/** The first of the browser's languages that there is, else English. */
export function preferredLanguage(stored: string | null, browser: readonly string[]): Language {
  const wanted = [stored ?? '', ...browser].map((tag) => tag.slice(0, 2).toLowerCase());
  return (
    LANGUAGES.find(
      (language) => language === wanted.find((tag) => LANGUAGES.some((known) => known === tag)),
    ) ?? 'en'
  );
}

/** Language and theme: the only things that this app keeps in localStorage. */
@Injectable({ providedIn: 'root' })
export class Preferences {
  readonly #language = signal<Language>(preferredLanguage(read(LANGUAGE_KEY), navigator.languages));
  readonly #theme = signal<Theme>(THEMES.find((theme) => theme === read(THEME_KEY)) ?? 'system');

  readonly language = this.#language.asReadonly();
  readonly theme = this.#theme.asReadonly();

  constructor() {
    effect(() => {
      document.documentElement.lang = this.#language();
    });
    effect(() => {
      const { classList } = document.documentElement;
      classList.toggle('theme-light', this.#theme() === 'light');
      classList.toggle('theme-dark', this.#theme() === 'dark');
    });
    this.followOtherTabs();
  }

  /** A choice made in another tab holds in this one too. */
  private followOtherTabs(): void {
    addEventListener('storage', ({ key, newValue }) => {
      if (key === LANGUAGE_KEY) this.#language.set(preferredLanguage(newValue, navigator.languages));
      if (key === THEME_KEY) this.#theme.set(THEMES.find((theme) => theme === newValue) ?? 'system');
    });
  }

  chooseLanguage(language: Language): void {
    this.#language.set(language);
    write(LANGUAGE_KEY, language);
  }

  chooseTheme(theme: Theme): void {
    this.#theme.set(theme);
    write(THEME_KEY, theme);
  }
}
