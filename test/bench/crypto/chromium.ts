/** The same in a dedicated worker of a real Chromium, bundled as the page's is and under the policy of its worker. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { launch } from '../../e2e/profile.js';
import type { Measured, Word } from './bench.worker.js';

const WORKER = '/bench.worker.js';

/** Milliseconds for the same signatures to each worker: one of them alone, and two at once. */
export interface Verifiers {
  readonly alone: number;
  readonly both: number;
}

export async function measureInChromium(): Promise<Measured & { readonly verifiers: Verifiers }> {
  const themis = dirname(createRequire(import.meta.url).resolve('wasm-themis'));
  const policies = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../apps/web/csp.json'), 'utf8'),
  ) as {
    readonly document: string;
    readonly worker: string;
  };
  const worker = await bundled();
  const files: Readonly<Record<string, readonly [type: string, policy: string, body: string | Uint8Array]>> =
    {
      '/': [
        'text/html',
        "default-src 'none'; script-src 'self'; worker-src 'self'",
        '<!doctype html><title>bench</title>',
      ],
      [WORKER]: ['text/javascript', policies.worker, worker],
      '/libthemis.wasm': ['application/wasm', policies.worker, readFileSync(join(themis, 'libthemis.wasm'))],
    };
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const [type, policy, body] = file;
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
    const verifiers = await page.evaluate(runVerifiers, WORKER);
    const word = await page.evaluate(
      (path) =>
        new Promise<Word>((resolve, reject) => {
          const started = new Worker(path, { type: 'module' });
          started.onmessage = ({ data }) => resolve(data as Word);
          started.onerror = ({ message }) => reject(new Error(message));
        }),
      WORKER,
    );
    if (!('measured' in word))
      throw new Error(`in the worker: ${'error' in word ? word.error : 'no measure'}`);
    return { ...word.measured, verifiers };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Stands alone, so that a page can evaluate it: the least of several rounds. */
async function runVerifiers(path: string): Promise<Verifiers> {
  const told = (worker: Worker, begin: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        const word = data as Word;
        if ('error' in word) reject(new Error(word.error));
        else resolve();
      };
      worker.onerror = ({ message }) => reject(new Error(message));
      begin();
    });
  const workers = [0, 1].map(() => new Worker(path, { type: 'module', name: 'verify' }));
  await Promise.all(workers.map((worker) => told(worker, () => undefined)));
  const least = async (some: readonly Worker[]): Promise<number> => {
    const rounds: number[] = [];
    while (rounds.length < 5) {
      const began = performance.now();
      await Promise.all(some.map((worker) => told(worker, () => worker.postMessage(null))));
      rounds.push(performance.now() - began);
    }
    return Math.min(...rounds);
  };
  const measured = { alone: await least(workers.slice(0, 1)), both: await least(workers) };
  for (const worker of workers) worker.terminate();
  return measured;
}

async function bundled(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'bench.worker.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    // What wasm-themis asks for on Node alone.
    external: ['crypto', 'fs', 'path', 'util', 'ws'],
    // The libraries as they are built, as the benchmarks on Node have them.
    tsconfigRaw: {},
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('no worker was built');
  return file.contents;
}
