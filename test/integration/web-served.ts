/** A build of the web client that a relay serves, and what it answers as it is on the wire. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';

export const CSP = {
  document: "default-src 'none'; script-src 'self'",
  worker: "script-src 'wasm-unsafe-eval'",
};
export const SCRIPT = 'export const said = "the same again and again";\n'.repeat(200);

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** as it came */
  readonly body: Buffer;
  /** decompressed, where it is a whole file */
  readonly text: string;
}

export const startOn = (web: string): Promise<RunningRelay> =>
  startRelay({ environment: { PORT: '0', WEB_DIR: web, LOG_LEVEL: 'silent' }, inMemory: true });

export class ServedBuild {
  readonly folder: string;
  /** the build */
  readonly web: string;
  readonly #relay: RunningRelay;

  private constructor(folder: string, web: string, relay: RunningRelay) {
    this.folder = folder;
    this.web = web;
    this.#relay = relay;
  }

  static async start(): Promise<ServedBuild> {
    const folder = await mkdtemp(join(tmpdir(), '0fc-web-files-'));
    const web = join(folder, 'web');
    await mkdir(join(web, 'media'), { recursive: true });
    const build = new ServedBuild(folder, web, await startOn(web));
    await build.put('index.html', `<!doctype html><title>client</title>${'<p>'.repeat(100)}`);
    await build.put('csp.json', JSON.stringify(CSP));
    await build.put('main-ABCDEF12.js', SCRIPT);
    await build.put('worker-ABCDEF12.js', SCRIPT);
    await build.put('libthemis.wasm', SCRIPT);
    await writeFile(join(web, 'plain.js'), SCRIPT);
    await writeFile(join(web, 'empty.txt'), '');
    await writeFile(join(web, 'media', 'font-ABCDEF12.woff2'), 'a font');
    await writeFile(join(web, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    return build;
  }

  get port(): number {
    return this.#relay.port;
  }

  async end(): Promise<void> {
    await this.#relay.stop();
    await rm(this.folder, { recursive: true });
  }

  /** Writes a file with both compressed forms. */
  async put(name: string, content: string): Promise<void> {
    await writeFile(join(this.web, name), content);
    await writeFile(join(this.web, `${name}.br`), brotliCompressSync(content));
    await writeFile(join(this.web, `${name}.gz`), gzipSync(content));
  }

  /** By a plain request: fetch would add headers of its own, and decompress. */
  ask(
    path: string,
    headers: Record<string, string> = {},
    { method = 'GET', port = this.#relay.port }: { method?: string; port?: number } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(parts);
          const { headers: got, statusCode: status = 0 } = response;
          resolve({ status, headers: got, body, text: textOf(body, status, got) });
        });
      });
      asked.on('error', reject).end();
    });
  }
}

function textOf(body: Buffer, status: number, headers: IncomingHttpHeaders): string {
  if (status !== 200 || body.length === 0) return body.toString();
  if (headers['content-encoding'] === 'br') return brotliDecompressSync(body).toString();
  if (headers['content-encoding'] === 'gzip') return gunzipSync(body).toString();
  return body.toString();
}

export const encodingOf = ({ headers }: Answer): string => headers['content-encoding'] ?? 'identity';
export const etagOf = ({ headers }: Answer): string => headers.etag ?? 'none';
