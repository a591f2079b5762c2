import { Injectable, effect, signal } from '@angular/core';
import type { Sharing } from '@0fc/client/api';

export const LANGUAGES = ['fr', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const LANGUAGE_KEY = '0fc.language';
const THEME_KEY = '0fc.theme';
const FORMER = {
  receipts: '0fc.readReceipts',
  typing: '0fc.typing',
  presence: '0fc.presence',
} as const satisfies Record<keyof Sharing, string>;
const SPELLING_KEY = '0fc.spelling';
const LOCK_KEY = '0fc.lockAfterMinutes';
/** Minutes without a sign of the user; 0: never. */
export const LOCK_DELAYS = [0, 1, 5, 15, 60] as const;
export type LockDelay = (typeof LOCK_DELAYS)[number];

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

function remove(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // It could not be read either.
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

const themeOf = (stored: string | null): Theme => THEMES.find((theme) => theme === stored) ?? 'system';
/** Some browsers send what is typed to a server to check it. */
const spellingOf = (stored: string | null): boolean => stored === 'on';
const onOff = (on: boolean): string => (on ? 'on' : 'off');
const lockDelayOf = (stored: string | null): LockDelay =>
  LOCK_DELAYS.find((minutes) => String(minutes) === stored) ?? 15;

/** What the user chose for this browser: the only things that this app keeps in localStorage. */
@Injectable({ providedIn: 'root' })
export class Preferences {
  readonly #language = signal<Language>(preferredLanguage(read(LANGUAGE_KEY), navigator.languages));
  readonly #theme = signal<Theme>(themeOf(read(THEME_KEY)));
  readonly #spelling = signal(spellingOf(read(SPELLING_KEY)));
  readonly #lockAfterMinutes = signal<LockDelay>(lockDelayOf(read(LOCK_KEY)));

  readonly language = this.#language.asReadonly();
  readonly theme = this.#theme.asReadonly();
  /** whether the browser checks the spelling of what is written */
  readonly spelling = this.#spelling.asReadonly();
  /** minutes without a sign of the user after which the vault locks; 0: never */
  readonly lockAfterMinutes = this.#lockAfterMinutes.asReadonly();

  constructor() {
    effect(() => {
      document.documentElement.lang = this.#language();
    });
    effect(() => {
      document.documentElement.spellcheck = this.#spelling();
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
      if (key === THEME_KEY) this.#theme.set(themeOf(newValue));
      if (key === SPELLING_KEY) this.#spelling.set(spellingOf(newValue));
      if (key === LOCK_KEY) this.#lockAfterMinutes.set(lockDelayOf(newValue));
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

  /** What an earlier version of this page was told not to share, which lies in the vault today. */
  formerSharing(): Partial<Sharing> {
    const refused = Object.entries(FORMER).filter(([, key]) => read(key) === 'off');
    return Object.fromEntries(refused.map(([name]) => [name, false]));
  }

  /** The vault has it. */
  forgetFormerSharing(): void {
    for (const key of Object.values(FORMER)) remove(key);
  }

  chooseSpelling(check: boolean): void {
    this.#spelling.set(check);
    write(SPELLING_KEY, onOff(check));
  }

  chooseLockAfterMinutes(minutes: LockDelay): void {
    this.#lockAfterMinutes.set(minutes);
    write(LOCK_KEY, String(minutes));
  }
}
