/** What a real browser is served on its way to a page's first screen: each answer is compared with its headers, and what stays behind is told. */
import { chromium } from 'playwright-core';

import { ensureChromium } from './chromium.mjs';
import { Remedy } from './report.mjs';
import { headerDifferences, policiesOf, unknownHeaders } from './served-page.mjs';
import { BUILD_FILE, readBuild, sha256 } from './web-files.mjs';

/** The second time it has whatever the first has left: cookies, a cache, a script that answers in the page's place. */
const VISITS = ['', 'join', ''];
const LANGUAGES = ['en-GB', 'fr-FR'];
const SETTLED_MS = 30_000;
/** For all of it: a page may keep a browser busy for ever. */
const PATIENCE_MS = 180_000;

/**
 * @param {string} url of the page
 * @param {string} folder of the build that it should be
 * @returns {Promise<{ compared: number, differences: string[] }>} a line for each difference
 */
export async function browserDifferences(url, folder) {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const { files } = readBuild(folder);
  const policies = policiesOf(folder);
  const found = new Set();
  let compared = 0;
  const compare = ({ address, isPage, status, headers, bytes }) => {
    const { origin, pathname } = new URL(address);
    const path = pathname.slice(1);
    if (origin !== base.origin) {
      found.add(`added    ${address}: is no part of this page`);
      return;
    }
    const wanted = files[path] ?? (isPage ? files['index.html'] : undefined);
    // What was kept is asked for again, and its answer has not all headers.
    const whole = wanted !== undefined && status === 200;
    for (const line of whole ? headerDifferences(headers, path, policies) : unknownHeaders(headers, path))
      found.add(`${line} (in a browser)`);
    if (wanted === undefined) {
      if (path !== BUILD_FILE && path !== 'config.json')
        found.add(`added    /${path}: a browser is made to ask for it`);
      return;
    }
    compared += 1;
    if (status === 304) return;
    const hash = status === 200 ? sha256(bytes) : `status ${String(status)}`;
    if (hash !== wanted) found.add(`changed  /${path} (in a browser): ${hash}, not ${wanted}`);
  };
  const browser = await chromium.launch({
    executablePath: await ensureChromium(),
    // Chromium has no sandbox for root; nothing but this page is visited.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const identity = identityOf(browser.version());
  const visit = async () => {
    for (const locale of LANGUAGES) {
      const context = await browser.newContext({ locale });
      const page = await context.newPage();
      const answered = [];
      const devtools = await context.newCDPSession(page);
      await devtools.send('Emulation.setUserAgentOverride', identity);
      // Held as the network has given them: what a worker runs is read at no other place.
      devtools.on('Fetch.requestPaused', (paused) => {
        answered.push(
          look(devtools, paused).then((answer) => (answer === null ? undefined : compare(answer))),
        );
      });
      await devtools.send('Fetch.enable', { patterns: [{ requestStage: 'Response' }] });
      page.on('response', (response) => {
        if (response.fromServiceWorker()) found.add('added    /: a service worker answers in a browser');
      });
      for (const path of VISITS) {
        await page.goto(new URL(path, base).href, { waitUntil: 'networkidle', timeout: SETTLED_MS });
        await Promise.all(answered);
      }
      const left = await page.evaluate(
        async () => (await navigator.serviceWorker?.getRegistrations())?.length ?? 0,
      );
      if (left > 0) found.add('added    /: a service worker stays in the browser');
      for (const { name } of await context.cookies())
        found.add(`added    /: a cookie stays in the browser: ${name}`);
      await context.close();
    }
  };
  const remedy = new Remedy(
    `${url} does not come to rest in a browser.`,
    'Try again; --no-browser leaves this out.',
  );
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(remedy), PATIENCE_MS);
  });
  try {
    await Promise.race([visit(), late]);
  } catch (error) {
    throw error?.name === 'TimeoutError' ? remedy : error;
  } finally {
    clearTimeout(timer);
    await browser.close();
  }
  return { compared, differences: [...found] };
}

/** As a person's browser of this version names itself: a server could tell one without a screen, and serve it the true page. */
function identityOf(version) {
  const [major = ''] = version.split('.');
  const brands = (of) => [
    { brand: 'Chromium', version: of },
    { brand: 'Google Chrome', version: of },
    { brand: 'Not.A/Brand', version: of === major ? '99' : '99.0.0.0' },
  ];
  return {
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0 Safari/537.36`,
    platform: 'Linux x86_64',
    userAgentMetadata: {
      brands: brands(major), fullVersionList: brands(version), platform: 'Linux', platformVersion: '6.12.0', architecture: 'x86',
      bitness: '64', model: '', mobile: false,
    },
  }; // prettier-ignore
}

/** What one request was answered; it goes on. Null: it was given up meanwhile, and the page has nothing of it. */
async function look(devtools, paused) {
  const {
    requestId,
    request,
    resourceType,
    responseStatusCode,
    responseErrorReason,
    responseHeaders = [],
  } = paused;
  const bodyless =
    responseStatusCode === undefined || responseStatusCode === 304 || /^3/.test(String(responseStatusCode));
  try {
    const { body, base64Encoded } = bodyless
      ? { body: '', base64Encoded: false }
      : await devtools.send('Fetch.getResponseBody', { requestId });
    await devtools.send('Fetch.continueRequest', { requestId });
    const bytes = Buffer.from(body, base64Encoded ? 'base64' : 'utf8');
    return {
      address: request.url,
      isPage: resourceType === 'Document',
      status: responseStatusCode ?? responseErrorReason,
      // One header that came several times is lines of one.
      headers: new Headers(responseHeaders.map(({ name, value }) => [name, value.replaceAll('\n', ', ')])),
      bytes,
    };
  } catch (error) {
    if (/Invalid InterceptionId|has been closed/.test(error?.message ?? '')) return null;
    throw error;
  }
}
