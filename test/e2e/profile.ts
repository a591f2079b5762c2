/** A person at the page: one browser profile of its own, driven as a hand would. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { until } from '../support/wait.js';

/**
 * Pictures of every screen, for a person to look at: not in the repository. By default two of each, in which every
 * size, language and theme is seen once; `PICTURES=all` takes all eight.
 */
export const PICTURES = join(import.meta.dirname, '../../test-results/screens');

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } } as const;
type Look = readonly [language: 'en' | 'fr', theme: 'light' | 'dark', size: keyof typeof SIZES];
const LOOKS: readonly Look[] =
  process.env.PICTURES === 'all'
    ? (['en', 'fr'] as const).flatMap((language) =>
        (['light', 'dark'] as const).flatMap((theme) =>
          (['phone', 'desktop'] as const).map((size): Look => [language, theme, size]),
        ),
      )
    : [
        ['en', 'light', 'desktop'],
        ['fr', 'dark', 'phone'],
      ];

export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** No sandbox inside a container run as root; nothing but this machine's own relay is visited. */
export const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @param more switches of Chromium's, beside those of every test */
export function launch(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...SWITCHES, ...more] });
}

export class Profile {
  readonly name: string;
  readonly passphrase: string;
  readonly url: string;
  readonly context: BrowserContext;
  page!: Page;
  /** what a strict page must never say: errors and violations of its policies */
  readonly complaints: string[] = [];

  readonly #language: string;

  private constructor(name: string, url: string, context: BrowserContext, language: string) {
    this.name = name;
    this.#language = language;
    this.url = url;
    this.context = context;
    this.passphrase = `correct horse battery ${name}`;
  }

  static async create(browser: Browser, name: string, url: string, locale = 'en-GB'): Promise<Profile> {
    const context = await browser.newContext({ locale, viewport: SIZES.desktop });
    return new Profile(name, url, context, locale.slice(0, 2));
  }

  /** In a profile on disk (browser-profile.ts), whose one context there is. */
  static on(browser: Browser, name: string, url: string): Profile {
    const [context] = browser.contexts();
    if (context === undefined) throw new Error('no context');
    return new Profile(name, url, context, 'en');
  }

  /** Another tab of the same browser profile, which is not open yet. */
  tab(): Profile {
    return new Profile(this.name, this.url, this.context, this.#language);
  }

  /** Opens the page at a path (or a whole link), as a new tab does. */
  async open(path = '/'): Promise<void> {
    this.page = await this.context.newPage();
    this.page.setDefaultTimeout(60_000);
    this.page.on('pageerror', (error) => this.complaints.push(error.message));
    this.page.on('console', (message) => {
      const text = message.text();
      // A socket that finds no relay is the browser's own remark, and expected while one is stopped.
      if (
        message.type() === 'error' &&
        !/WebSocket connection|ERR_CONNECTION|Failed to load resource/.test(text)
      ) {
        this.complaints.push(text);
      }
    });
    await this.page.goto(path.startsWith('http') ? path : `${this.url}${path}`);
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  at(id: string) {
    return this.page.getByTestId(id);
  }

  async firstPassphrase(): Promise<void> {
    await this.at('passphrase').fill(this.passphrase);
    await this.at('passphrase-again').fill(this.passphrase);
    await this.at('unlock').click();
  }

  async unlock(passphrase = this.passphrase): Promise<void> {
    await this.at('passphrase').fill(passphrase);
    await this.at('unlock').click();
  }

  async createRoom(name: string, rotateEvery: number): Promise<void> {
    await this.at('new-room').first().click();
    await this.at('room-name').fill(name);
    await this.at('display-name').fill(this.name);
    await this.at('rotate-every').fill(String(rotateEvery));
    await this.at('create').click();
    await this.at('composer').waitFor();
  }

  async makeInvite(): Promise<string> {
    await this.openMembers();
    const another = this.at('another-invite');
    if (await another.isVisible()) await another.click();
    await this.at('make-invite').click();
    const link = await this.at('invite-link').inputValue();
    await this.at('back-to-room').click();
    await this.at('composer').waitFor();
    return link;
  }

  /** The owner's word on whoever asks, from the room's own notice on. */
  async admit(): Promise<void> {
    await this.at('asks-to-enter').first().waitFor();
    await this.openMembers();
    await this.at('admit-join').first().click();
    await this.at('approval-request').first().waitFor({ state: 'detached' });
    await this.at('back-to-room').click();
    await this.at('composer').waitFor();
  }

  /** From the join's last step into the room. */
  async enter(): Promise<void> {
    const [enter, room] = [this.at('join-enter'), this.at('composer')];
    await enter.or(room).first().waitFor();
    // Once, and not waiting for it: it may go by itself, and stands for a moment after it was pressed.
    await enter.evaluateAll((buttons) => {
      for (const button of buttons) (button as unknown as { click(): void }).click();
    });
    await room.waitFor();
  }

  async openMembers(): Promise<void> {
    await this.at('open-members').first().click();
    await this.at('key-epoch').first().waitFor();
  }

  async startJoin(): Promise<void> {
    await this.at('join-name').fill(this.name);
    await this.at('join-start').click();
  }

  async openRoom(): Promise<void> {
    await this.at('room-link').first().click();
    await this.at('composer').waitFor();
  }

  /** A room that can be read, and nothing more. */
  async openEndedRoom(name: string): Promise<void> {
    await this.at('room-link').filter({ hasText: name }).click();
    await this.at('room-ended').waitFor();
  }

  async say(text: string): Promise<void> {
    await this.at('composer').fill(text);
    await this.at('composer').press('Enter');
  }

  /** Texts on the screen that the relay has, in the order shown. */
  async texts(): Promise<readonly string[]> {
    const rows = this.page.locator('[data-testid="message"]:not([data-state="sending"]) .msg__text');
    // Not the inner text: what is scrolled out of sight is not laid out, and has none.
    return (await rows.allTextContents()).map((text) => text.trim());
  }

  async has(...texts: readonly string[]): Promise<void> {
    await until(
      `${this.name} to see ${texts.join(', ')}`,
      async () => {
        const shown = await this.texts();
        return texts.every((text) => shown.includes(text));
      },
      120_000,
    );
  }

  async alarms(): Promise<number> {
    return this.page.getByTestId('alarm').count();
  }

  /** Pictures of the screen as it is. */
  async picture(screen: string): Promise<void> {
    await mkdir(PICTURES, { recursive: true });
    for (const [language, theme, size] of LOOKS) {
      await this.#dress(language, theme);
      await this.page.setViewportSize(SIZES[size]);
      await this.page.screenshot({ path: join(PICTURES, `${screen}-${size}-${theme}-${language}.png`) });
    }
    await this.page.setViewportSize(SIZES.desktop);
    await this.#dress(this.#language, 'light');
  }

  /** Language and theme as chosen in a second tab: without leaving the screen. */
  async #dress(language: string, theme: string): Promise<void> {
    await this.page.emulateMedia({ reducedMotion: 'reduce' });
    for (const [key, newValue] of [
      ['0fc.language', language],
      ['0fc.theme', theme],
    ]) {
      const change = JSON.stringify({ key, newValue });
      await this.page.evaluate(`window.dispatchEvent(new StorageEvent('storage', ${change}))`);
    }
  }
}
