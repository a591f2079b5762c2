/**
 * npm run look: takes each screen of the `fake` build at a phone's and a desktop's size, in both
 * themes and languages, into test-results/, and fails on any console error, CSP violation,
 * sideways scroll or finding of axe. `npm run look -- room` takes only the screens whose name holds "room".
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

import { MEMBER_SCREENS } from './look-members.mjs';
import { serve } from './serve.mjs';

const out = join(import.meta.dirname, '..', 'test-results');
mkdirSync(out, { recursive: true });
const only = process.argv[2] ?? '';

const type = async (page, id, text) => page.getByTestId(id).fill(text);
const click = async (page, id) => page.getByTestId(id).first().click();

/** name, address, what to do before the picture */
const SCREENS = [
  [
    'unlock-first',
    '/?fake=absent',
    async (page) => type(page, 'passphrase', 'marbre onze tilleul rivage cobalt'),
  ],
  ['unlock-suggest', '/?fake=absent', async (page) => page.locator('.btn--soft').click()],
  [
    'unlock-return',
    '/?fake=locked',
    async (page) => {
      await type(page, 'passphrase', 'wrong');
      await click(page, 'unlock');
      await page.getByTestId('error').waitFor();
    },
  ],
  [
    'unlock-erase',
    '/?fake=locked',
    async (page) => {
      await click(page, 'forgotten');
      await click(page, 'erase');
      await type(page, 'erase-word', 'ERA');
    },
  ],
  ['unlock-elsewhere', '/?fake=elsewhere', async () => {}],
  ['home-empty', '/?fake=empty', async () => {}],
  ['home', '/', async (page) => page.locator('.shell').waitFor()],
  [
    'new',
    '/new',
    async (page) => {
      await type(page, 'rotate-every', '0');
      await click(page, 'create');
    },
  ],
  ['join-paste', '/join', async () => {}],
  [
    'join-start',
    '/join#stay',
    async (page) => {
      await type(page, 'join-name', 'Inès Faure');
    },
  ],
  [
    'join',
    '/join#stay',
    async (page) => {
      await type(page, 'join-name', 'Inès Faure');
      await click(page, 'join-start');
      await page.locator('[data-step=request][data-state=done]').waitFor();
    },
  ],
  ['join-changed', '/join%23stay', async (page) => page.getByTestId('link-changed').waitFor()],
  [
    'new-hidden',
    '/new',
    async (page) => {
      await type(page, 'room-name', 'Ami\u2800na');
      await type(page, 'display-name', 'Inès');
      await click(page, 'create');
      await page.getByTestId('error').waitFor();
    },
  ],
  ['join-differs', '/join#RELAY_DIFFERS', async (page) => page.getByTestId('join-refused').waitFor()],
  ['join-expired', '/join#INVITE_EXPIRED', async (page) => page.getByTestId('join-refused').waitFor()],
  ['room', '/room/room-rive', async (page) => page.getByTestId('message').first().waitFor()],
  [
    'room-top',
    '/room/room-rive',
    async (page) => {
      await page.getByTestId('message').first().waitFor();
      await page.locator('.feed').evaluate((feed) => {
        feed.scrollTop = -10_000;
      });
    },
  ],
  [
    'room-long',
    '/room/room-rive?fake=long',
    async (page) => {
      await page.getByTestId('message').first().waitFor();
      await page.locator('.feed').evaluate((feed) => {
        feed.scrollTop = -100_000;
      });
    },
  ],
  [
    'room-earlier',
    '/room/room-rive?fake=long',
    async (page) => {
      const feed = page.locator('.feed');
      const rows = page.getByTestId('message');
      for (let windows = 1; windows <= 5; windows++) {
        await feed.evaluate((element) => {
          element.scrollTop = -element.scrollHeight;
        });
        await rows.first().scrollIntoViewIfNeeded();
        const oldest = page.locator(`[data-id=${await rows.first().getAttribute('data-id')}]`);
        const before = await oldest.boundingBox();
        await click(page, 'show-earlier');
        await rows.nth(200 * (windows + 1) - 1).waitFor({ state: 'attached' });
        const after = await oldest.boundingBox();
        const moved = Math.abs((after?.y ?? 0) - (before?.y ?? 0));
        if (moved > 4) throw new Error(`the oldest row moved by ${moved} px in window ${windows}`);
      }
      // The newest is a click away, and what was drawn for the way up is let go.
      await click(page, 'jump');
      await rows.nth(200).waitFor({ state: 'detached' });
      await type(page, 'composer', 'typed in a long conversation');
    },
  ],
  [
    'room-offline',
    '/room/room-rive?fake=offline',
    async (page) => {
      await page.getByTestId('message').first().waitFor();
      await type(page, 'composer', '/too-long');
      await click(page, 'send');
    },
  ],
  [
    'room-acts',
    '/room/room-rive',
    async (page) => {
      await page.locator('[data-id=m5]').focus();
      await page.keyboard.press('r');
      await page.getByTestId('writing').waitFor();
      await page.locator('[data-id=m5]').focus();
      await page.getByTestId('act-delete').waitFor();
    },
  ],
  [
    'room-react',
    '/room/room-rive',
    async (page) => {
      await page.locator('[data-id=m6]').focus();
      await page.keyboard.press('+');
      await page.getByTestId('reaction-picker').waitFor();
    },
  ],
  [
    'room-edit',
    '/room/room-rive',
    async (page) => {
      await page.getByTestId('composer').press('ArrowUp');
      await page.locator('[data-testid=writing][data-kind=edit]').waitFor();
    },
  ],
  [
    'room-delete',
    '/room/room-rive',
    async (page) => {
      await page.locator('[data-id=m5]').focus();
      await page.keyboard.press('Delete');
      await page.locator('dialog[open]').waitFor();
    },
  ],
  [
    'room-keys',
    '/room/room-rive',
    async (page) => {
      await page.locator('[data-id=m5]').focus();
      await page.keyboard.press('?');
      await page.locator('dialog[open]').waitFor();
    },
  ],
  [
    'room-deleted',
    '/room/room-rive?fake=twins',
    async (page) => {
      await page.locator('[data-id=m8]').focus();
      await page.keyboard.press('Delete');
      await click(page, 'delete-confirm');
      await page.getByTestId('deleted').waitFor();
    },
  ],
  ...['events', 'alarms', 'doubtful', 'bait', 'nameless'].map((name) => [
    `room-${name}`,
    `/room/room-rive?fake=${name}`,
    async (page) => page.locator('.thread').waitFor(),
  ]),
  ...['unsent', 'storefull', 'staleepoch', 'full', 'badkey'].map((name) => [
    `room-${name}`,
    `/room/room-rive?fake=${name}`,
    async (page) => page.locator('.banner').first().waitFor(),
  ]),
  [
    'room-unsent-late',
    '/room/room-rive?fake=unsent',
    async (page) => page.locator('[data-id=late]').scrollIntoViewIfNeeded(),
  ],
  [
    'room-unsent-held',
    '/room/room-rive?fake=unsent',
    async (page) => {
      await click(page, 'show-held');
      await page.locator('[data-id=w1]:focus').waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
    },
  ],
  ...[
    'departure',
    'leaving',
    'closing',
    'due',
    'offered',
    'offering',
    'removed',
    'gone',
    'replaced',
    'lied',
    'otherkey',
  ].map((name) => [
    `room-${name}`,
    `/room/room-rive?fake=${name}`,
    async (page) => page.locator('.banner').first().waitFor(),
  ]),
  [
    'room-forget',
    '/room/room-rive?fake=left',
    async (page) => {
      await click(page, 'forget-room');
      await page.locator('dialog[open]').waitFor();
    },
  ],
  [
    'room-quoted',
    '/room/room-rive?fake=quoting',
    async (page) => {
      await page.locator('[data-id=q0]').getByTestId('quote').press('Enter');
      const quoted = page.locator('[data-id=l400]');
      await page.locator('[data-id=l400]:focus').waitFor();
      const box = await quoted.boundingBox();
      const inView = box !== null && box.y >= 0 && box.y + box.height <= page.viewportSize().height;
      const seen = inView && (await quoted.getAttribute('class')).includes('msg--marked');
      if (!seen) throw new Error('the quoted message is not marked, or out of view');
    },
  ],
  [
    'room-quote-far',
    '/room/room-rive?fake=quotingfar',
    async (page) => {
      const answer = page.locator('[data-id=q1]');
      await answer.getByTestId('quote').click();
      await answer
        .getByTestId('quote-told')
        .filter({ hasNot: page.locator('.spinner') })
        .waitFor();
    },
  ],
  [
    'room-readers',
    '/room/room-rive',
    async (page) => {
      await page.locator('[data-id=m5]').getByTestId('message-state').press('Enter');
      await page.getByTestId('readers').waitFor();
    },
  ],
  ['home-drafts', '/?fake=drafts', async (page) => page.locator('.shell').waitFor()],
  [
    'relay-doubtful',
    '/room/room-rive/relay?fake=doubtful',
    async (page) => page.getByTestId('time-doubtful').first().waitFor(),
  ],
  ['relay', '/room/room-rive/relay', async (page) => page.getByTestId('relay-row').first().waitFor()],
  ['room-quiet', '/room/room-rive?fake=quiet', async (page) => page.getByTestId('system-line').waitFor()],
  ['members', '/room/room-rive/members', async (page) => page.getByTestId('member').first().waitFor()],
  [
    'members-invite',
    '/room/room-rive/members',
    async (page) => {
      await click(page, 'make-invite');
      await page.getByTestId('invite-link').waitFor();
      await page.getByTestId('invite-link').scrollIntoViewIfNeeded();
    },
  ],
  [
    'members-guest',
    '/room/room-rive/members?fake=guest',
    async (page) => page.getByTestId('member').first().waitFor(),
  ],
  ['settings', '/settings', async () => {}],
  ...MEMBER_SCREENS,
].filter(([name]) => name.includes(only));

const SIZES = { phone: { width: 360, height: 800 }, desktop: { width: 1280, height: 800 } };
const LOOKS = [
  ['fr', 'light', 'phone'],
  ['en', 'dark', 'phone'],
  ['en', 'light', 'desktop'],
  ['fr', 'dark', 'desktop'],
];

const site = await serve(join(import.meta.dirname, '..', '.angular', 'fake', 'browser'));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const faults = [];
for (const [language, theme, size] of LOOKS) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: language,
    colorScheme: theme,
    reducedMotion: 'reduce',
    hasTouch: size === 'phone',
    isMobile: size === 'phone',
  });
  for (const [name, address, prepare] of SCREENS) {
    const page = await context.newPage();
    const fault = (text) => faults.push(`${name} ${size} ${language}: ${text}`);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) fault(message.text());
    });
    page.on('pageerror', (error) => fault(String(error)));
    try {
      await page.goto(site.origin + address);
      await page.locator('main').first().waitFor();
      await page.waitForTimeout(700);
      await prepare(page);
      await page.waitForTimeout(300);
      const overflow = async () =>
        page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
      if ((await overflow()) > 0) fault('scrolls sideways');
      await page.screenshot({ path: join(out, `${name}-${size}-${theme}-${language}.png`) });
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      for (const { id, nodes } of violations)
        fault(
          `axe ${id}: ${nodes
            .slice(0, 3)
            .map(({ html }) => html.slice(0, 120))
            .join(' | ')}`,
        );
      if (size === 'phone') {
        await page.setViewportSize({ width: 320, height: 640 });
        if ((await overflow()) > 0) fault('scrolls sideways at 320 px');
      }
      if (page.url().includes('#')) fault('a fragment stayed in the address');
    } catch (error) {
      fault(String(error).split('\n').slice(0, 3).join(' '));
    }
    await page.close();
  }
  await context.close();
}
await browser.close();
site.close();
for (const fault of faults) console.error(fault);
console.log(`${SCREENS.length * LOOKS.length} pictures, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
