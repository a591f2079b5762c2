/**
 * index.html of the build names everything that the page runs (docs/decisions/0039-one-lie-does-not-last.md): what the
 * browser checks by `integrity`, what the page checks itself, and the one script that stands in it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const BUILD = resolve(import.meta.dirname, '../../apps/web/dist/browser');
const read = (name: string): Buffer => readFileSync(join(BUILD, name));
const hashOf = (algorithm: string, data: Buffer | string): string =>
  `${algorithm}-${createHash(algorithm).update(data).digest('base64')}`;

const page = read('index.html').toString('utf8');
const policies = JSON.parse(read('csp.json').toString('utf8')) as Record<'document' | 'worker', string>;
const scripts = [...page.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)].map(
  ([, attributes = '', text = '']) => ({
    attributes,
    text,
  }),
);
const styles = [...page.matchAll(/<link rel="stylesheet"([^>]*)>/g)].map(([, attributes = '']) => attributes);
const attribute = (attributes: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];

test('the browser is told the hash of each script and style', () => {
  const loaded = scripts
    .map(({ attributes }) => attributes)
    .filter((one) => attribute(one, 'src') !== undefined);
  expect([loaded.length, styles.length]).toEqual([1, 1]);
  for (const part of [...loaded, ...styles]) {
    const name = attribute(part, 'src') ?? attribute(part, 'href') ?? '';
    expect([name, attribute(part, 'integrity')]).toEqual([name, hashOf('sha384', read(name))]);
  }
});

test('the page is told the hash of all else that runs, and the policy of workers', () => {
  const [block] = scripts.filter(({ attributes }) => attributes.includes('application/json'));
  const kept = JSON.parse(block?.text ?? '') as {
    policy: string;
    atStart: Record<string, string>;
    later: Record<string, string>;
  };
  expect(kept.policy).toBe(policies.worker);
  const named = { ...kept.atStart, ...kept.later };
  const rest = readdirSync(BUILD).filter((name) => /\.(js|wasm)$/.test(name) && !name.startsWith('main-'));
  expect(Object.keys(named).toSorted()).toEqual(rest.toSorted());
  for (const [name, integrity] of Object.entries(named)) {
    expect([name, integrity]).toEqual([name, hashOf('sha384', read(name))]);
  }
  // The words by which a passphrase is judged: a megabyte that most visits do not want.
  expect(Object.keys(kept.later)).toHaveLength(1);
  expect(Object.keys(kept.atStart)).toEqual(expect.arrayContaining(['libthemis.wasm']));
});

test('the policy names the one script that stands in the page, and no other way in', () => {
  const inline = scripts.filter(({ attributes }) => attributes === '');
  const allowed = /script-src ([^;]*)/.exec(policies.document)?.[1]?.split(' ');
  expect(allowed).toEqual(["'self'", ...inline.map(({ text }) => `'${hashOf('sha256', text)}'`)]);
  expect(inline).toHaveLength(1);
  // The hash of the source is that of the build: nothing has rewritten it.
  const source = readFileSync(resolve(import.meta.dirname, '../../apps/web/src/index.html'), 'utf8');
  expect(source).toContain(inline[0]?.text);
  expect(scripts).toHaveLength(3);
  // What is told where a file cannot be loaded is there before the first of them runs.
  const page = read('index.html').toString();
  const body = page.slice(page.indexOf('<body'));
  expect(body.indexOf('id="not-loaded"')).toBeGreaterThan(0);
  expect(body.indexOf('id="not-loaded"')).toBeLessThan(body.indexOf('<script'));
});
