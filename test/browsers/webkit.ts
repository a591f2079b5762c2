/** WebKitGTK, over W3C WebDriver: its driver starts the window of webkit-window.js, which has its data on the disk. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { BrowserOnDisk } from './browser-on-disk.js';
import { Page, type Driver } from './page.js';

const WINDOW = join(import.meta.dirname, 'webkit-window.js');
const SCRIPT_MS = 60_000;

interface Session {
  readonly sessionId: string;
}

class Classic implements Driver {
  readonly #address: string;
  #session = '';

  constructor(address: string) {
    this.#address = address;
  }

  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#address}/status`)).ok;
    } catch (error) {
      // By name: Jest runs this in a realm of its own, with its own TypeError.
      if ((error as Error).name === 'TypeError') return false; // nothing listens yet
      throw error;
    }
  }

  async begin(): Promise<void> {
    const options = { binary: WINDOW, args: [] };
    const { sessionId } = await this.#post<Session>('/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
    });
    this.#session = `/session/${sessionId}`;
    await this.#post(`${this.#session}/timeouts`, { script: SCRIPT_MS });
  }

  async #post<T>(path: string, body: object): Promise<T> {
    const response = await fetch(`${this.#address}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const { value } = (await response.json()) as { readonly value: T };
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(value)}`);
    return value;
  }

  async open(url: string): Promise<void> {
    await this.#post(`${this.#session}/url`, { url });
  }

  async evaluate(expression: string): Promise<string> {
    const script = `const tell = arguments[0];
      ${expression}.then((value) => tell({ value }), (error) => tell({ error: String(error) }));`;
    const { value, error } = await this.#post<{ readonly value?: string; readonly error?: string }>(
      `${this.#session}/execute/async`,
      { script, args: [] },
    );
    if (error !== undefined) throw new Error(error);
    return String(value);
  }

  async perform(sources: readonly object[]): Promise<void> {
    await this.#post(`${this.#session}/actions`, { actions: sources });
  }
}

/** A screen that nobody sees: it outlives the browsers on it. */
class Screen {
  readonly display: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, display: string) {
    this.#child = child;
    this.display = display;
  }

  static async start(): Promise<Screen> {
    // It chooses a display that is free, and says which on the fourth of its files.
    const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const [display] = (await once(child.stdio[3]!, 'data')) as [Buffer];
    return new Screen(child, `:${display.toString().trim()}`);
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

export class WebKit extends BrowserOnDisk {
  readonly #screen: Screen;

  private constructor(folder: string, screen: Screen) {
    super(folder);
    this.#screen = screen;
  }

  static async create(): Promise<WebKit> {
    const webkit = new WebKit(await WebKit.folder(), await Screen.start());
    await webkit.start();
    return webkit;
  }

  async start(): Promise<void> {
    const port = String(await freePort());
    this.spawn('WebKitWebDriver', [`--port=${port}`], {
      DISPLAY: this.#screen.display,
      XDG_RUNTIME_DIR: this.folder,
      // No graphics card to compose on, and no sandbox inside a container; nothing but this machine's own relay is visited.
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      PROFILE_FOLDER: this.folder,
    });
    const driver = new Classic(`http://127.0.0.1:${port}`);
    await until('the driver of WebKit to listen', async () => {
      this.expectRunning();
      return driver.isReady();
    });
    await driver.begin();
    this.page = new Page(driver);
  }

  override async remove(): Promise<void> {
    await super.remove();
    await this.#screen.end();
  }
}
