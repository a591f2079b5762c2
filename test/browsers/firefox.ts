/** Firefox, over W3C WebDriver BiDi: it speaks it itself. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf } from '../support/carving.js';
import { Devtools } from '../support/devtools.js';
import { until } from '../support/wait.js';
import { BrowserOnDisk } from './browser-on-disk.js';
import { Page, type Driver } from './page.js';

const FIREFOX = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';

/** After a kill it asks nothing, and opens what it is told to alone. Nobody is looked for on the network. */
const PREFERENCES = {
  'browser.sessionstore.resume_from_crash': false,
  'toolkit.startup.max_resumed_crashes': -1,
  'browser.startup.page': 0,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'app.normandy.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'intl.accept_languages': 'en-GB',
};

interface Evaluated {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string };
}

class Bidi implements Driver {
  readonly #socket: Devtools;
  readonly #context: string;

  private constructor(socket: Devtools, context: string) {
    this.#socket = socket;
    this.#context = context;
  }

  static async connect(address: string): Promise<Bidi> {
    const socket = await Devtools.open(`${address}/session`);
    await socket.send('session.new', { capabilities: {} });
    const { contexts } = await socket.send<{ readonly contexts: readonly { readonly context: string }[] }>(
      'browsingContext.getTree',
    );
    return new Bidi(socket, contexts[0]!.context);
  }

  async open(url: string): Promise<void> {
    await this.#socket.send('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  async evaluate(expression: string): Promise<string> {
    const { result, exceptionDetails } = await this.#socket.send<Evaluated>('script.evaluate', {
      expression,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return String(result?.value);
  }

  async perform(sources: readonly object[]): Promise<void> {
    await this.#socket.send('input.performActions', { context: this.#context, actions: sources });
  }
}

export class Firefox extends BrowserOnDisk {
  /** @param windows whether all of its windows are private ones */
  static async create(windows: 'ordinary' | 'private' = 'ordinary'): Promise<Firefox> {
    const firefox = new Firefox(await Firefox.folder());
    const preferences = { ...PREFERENCES, 'browser.privatebrowsing.autostart': windows === 'private' };
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    await writeFile(join(firefox.folder, 'user.js'), lines.join(''));
    await firefox.start();
    return firefox;
  }

  async start(): Promise<void> {
    const told = join(this.folder, 'WebDriverBiDiServer.json');
    await rm(told, { force: true });
    this.spawn(FIREFOX, ['--headless', '--profile', this.folder, '--remote-debugging-port=0'], {});
    const address = await until('Firefox to say its port', async () => {
      this.expectRunning();
      const text = (await bytesOf(told)).toString();
      if (!text.endsWith('}')) return null;
      const { ws_host: host, ws_port: port } = JSON.parse(text) as { ws_host: string; ws_port: number };
      return `${host}:${String(port)}`;
    });
    this.page = new Page(await Bidi.connect(address));
  }
}
