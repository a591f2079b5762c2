/**
 * Who may speak to a relay, as a browser sees it (docs/decisions/0038-who-may-speak-to-the-relay.md): a name that leads
 * here is not enough, what another server of this machine set is no hindrance, and a page may ask for little.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { USED_FEATURES } from '../../apps/relay/src/http/permissions.js';
import { RelayProcess } from '../support/relay-process.js';
import { launch, Profile } from './profile.js';

let relay: RelayProcess;
let browser: Browser;

beforeAll(async () => {
  // As DNS rebinding has it: the browser finds the relay under a name of somebody else's.
  [relay, browser] = await Promise.all([
    RelayProcess.start(),
    launch('--host-resolver-rules=MAP evil.example 127.0.0.1'),
  ]);
});
afterAll(async () => {
  await browser.close();
  await relay.remove();
});

test('a page of another name that leads here reads nothing, and opens no socket', async () => {
  const page = await browser.newPage();
  const evil = `http://evil.example:${String(relay.port)}`;
  expect((await page.goto(evil))?.status()).toBe(421);
  const statuses = await page.evaluate(`Promise.all(
    ['/', '/config.json', '/health/ready', '/socket.io/?EIO=4&transport=polling']
      .map(async (path) => (await fetch(path)).status))`);
  expect(statuses).toEqual([421, 421, 421, 421]);
  const opened = (url: string): Promise<unknown> =>
    page.evaluate(`new Promise((done) => {
      const socket = new WebSocket('${url}/socket.io/?EIO=4&transport=websocket');
      socket.onopen = () => done(true);
      socket.onerror = () => done(false);
    })`);
  expect(await opened(`ws://evil.example:${String(relay.port)}`)).toBe(false);
  // Nor by the relay's own name: the page is of another origin.
  expect(await opened(`ws://localhost:${String(relay.port)}`)).toBe(false);
  await page.goto(relay.url);
  expect(await opened(`ws://localhost:${String(relay.port)}`)).toBe(true);
  await page.close();
});

test('more cookies of another port than fit keep nobody out for longer than one load', async () => {
  const neighbour = createServer((_request, response) => {
    const cookie = (n: number): string =>
      `neighbour${String(n)}=${'x'.repeat(3_900)}; Max-Age=31536000; Path=/`;
    response.setHeader(
      'Set-Cookie',
      Array.from({ length: 10 }, (_, n) => cookie(n)),
    );
    response.end('set');
  }).listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const address = neighbour.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const guest = await Profile.create(browser, 'Amina', relay.url);
  const page = await guest.context.newPage();
  await page.goto(`http://localhost:${String(port)}`);
  expect(await guest.context.cookies(relay.url)).toHaveLength(10);
  const refused = await page.goto(relay.url);
  expect(refused?.status()).toBe(431);
  expect(await page.innerText('p')).toContain('Load this page again');
  await page.reload();
  await page.getByTestId('passphrase').waitFor();
  expect(await guest.context.cookies(relay.url)).toEqual([]);
  await guest.context.close();
  neighbour.close();
  neighbour.closeAllConnections();
});

describe('the page', () => {
  test('is denied every feature that this browser knows, but those that it uses', async () => {
    const page = await browser.newPage();
    await page.goto(relay.url);
    const { known, allowed } = await page.evaluate<{ known: string[]; allowed: string[] }>(`(() => {
      const policy = document.permissionsPolicy ?? document.featurePolicy;
      return { known: policy.features(), allowed: policy.allowedFeatures() };
    })()`);
    expect(known).toContain('camera');
    expect(allowed.toSorted()).toEqual(USED_FEATURES.filter((feature) => known.includes(feature)).toSorted());
    await page.close();
  });

  test('copies under this policy', async () => {
    const page = await browser.newPage();
    await page.goto(relay.url);
    expect(
      await page.evaluate(
        `navigator.clipboard.writeText('copied').then(() => true, (error) => error.message)`,
      ),
    ).toBe(true);
    await page.close();
  });
});
