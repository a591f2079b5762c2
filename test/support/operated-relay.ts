/** A real relay, in this process, that its operator stops and starts again with other settings. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase64Url } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { freePort } from './relay-process.js';

/** Always at the same address and with the same key. */
export class OperatedRelay {
  readonly url: string;
  readonly #port: number;
  /** the key that it starts with unless settings say another */
  readonly pair = generateKeyPair();
  #folder: string;
  #running: RunningRelay | null = null;

  private constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${String(port)}`;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<OperatedRelay> {
    const operated = new OperatedRelay(await freePort(), await mkdtemp(join(tmpdir(), '0fc-relay-')));
    await operated.restart(settings);
    return operated;
  }

  /** As a build has it compiled in. */
  get publicKey(): string {
    return toBase64Url(this.pair.publicKey);
  }

  async restart(settings: Readonly<Record<string, string>>): Promise<void> {
    await this.#running?.stop();
    this.#running = await startRelay({
      environment: {
        PORT: String(this.#port),
        DATA_DIR: this.#folder,
        RELAY_PRIVATE_KEY: writeKey(this.pair),
        LOG_LEVEL: 'silent',
        SERVE_WEB: 'false',
        SHUTDOWN_GRACE_MS: '0',
        ...settings,
      },
    });
  }

  /** The store is lost with everything in it. */
  async loseStore(settings: Readonly<Record<string, string>>): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = await mkdtemp(join(tmpdir(), '0fc-relay-'));
    await this.restart(settings);
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
