/** Scenes of look.mjs that concern members, verification, settings and a vault that moves. */
const type = async (page, id, text) => page.getByTestId(id).fill(text);
const click = async (page, id) => page.getByTestId(id).first().click();
const members = async (page) => page.getByTestId('member').first().waitFor();
const show = async (page, id) => page.getByTestId(id).first().scrollIntoViewIfNeeded();
const actions = async (page, memberId) => {
  await members(page);
  await page.locator(`[data-member-id=${memberId}]`).getByTestId('member-actions').click();
};
const PHRASE = 'marbre onze tilleul rivage';

/** name, address, what to do before the picture */
export const MEMBER_SCREENS = [
  ['members-actions', '/room/room-rive/members', async (page) => actions(page, 'maryam')],
  ['members-busy', '/room/room-rive/members?fake=busy', members],
  ['members-twins', '/room/room-rive/members?fake=twins', members],
  [
    'members-remove',
    '/room/room-rive/members?fake=offline',
    async (page) => {
      await actions(page, 'jonas');
      await click(page, 'remove-member');
    },
  ],
  [
    'members-ownership-transfer',
    '/room/room-rive/members',
    async (page) => {
      await actions(page, 'maryam');
      await click(page, 'transfer-ownership');
    },
  ],
  ['members-offering', '/room/room-rive/members?fake=offering', members],
  ['members-offered', '/room/room-rive/members?fake=offered', members],
  [
    'members-settings',
    '/room/room-rive/members',
    async (page) => {
      await members(page);
      await type(page, 'set-every', '0');
      await click(page, 'save-settings');
      await show(page, 'close-room');
    },
  ],
  [
    'members-close',
    '/room/room-rive/members',
    async (page) => {
      await members(page);
      await click(page, 'close-room');
      await type(page, 'close-word', 'Collectif');
    },
  ],
  [
    'members-leave',
    '/room/room-rive/members?fake=guest',
    async (page) => {
      await members(page);
      await click(page, 'leave-room');
    },
  ],
  [
    'members-you',
    '/room/room-rive/members?fake=leaving',
    async (page) => {
      await members(page);
      await show(page, 'my-name');
    },
  ],
  [
    'members-leave-owner',
    '/room/room-rive/members',
    async (page) => {
      await members(page);
      await click(page, 'leave-room');
    },
  ],
  ['members-ended', '/room/room-rive/members?fake=closed', members],
  ['verify', '/room/room-rive/verify/maryam', async (page) => page.getByTestId('mark-verified').waitFor()],
  ['verify-done', '/room/room-rive/verify/jonas', async (page) => page.getByTestId('unverify').waitFor()],
  [
    'verify-differs',
    '/room/room-rive/verify/maryam',
    async (page) => {
      await click(page, 'differs');
      await show(page, 'differs-advice');
    },
  ],
  ['verify-nobody', '/room/room-rive/verify/nobody', async (page) => page.getByTestId('error').waitFor()],
  ['settings-vault', '/settings', async (page) => show(page, 'change-open')],
  [
    'settings-export',
    '/settings',
    async (page) => {
      await click(page, 'export-open');
      await type(page, 'export-passphrase', PHRASE);
    },
  ],
  [
    'settings-exported',
    '/settings',
    async (page) => {
      await click(page, 'export-open');
      await type(page, 'export-passphrase', PHRASE);
      await type(page, 'export-passphrase-again', PHRASE);
      const saved = page.waitForEvent('download');
      await click(page, 'export-confirm');
      const name = (await saved).suggestedFilename();
      if (!/^0fc-\d{4}-\d\d-\d\d\.vault$/.test(name)) throw new Error(`the export is called ${name}`);
      await page.getByTestId('exported').waitFor();
    },
  ],
  [
    'settings-change',
    '/settings',
    async (page) => {
      await click(page, 'change-open');
      await type(page, 'current-passphrase', 'wrong');
      await type(page, 'next-passphrase', PHRASE);
      await type(page, 'next-passphrase-again', PHRASE);
      await click(page, 'change-confirm');
      await page.getByTestId('error').waitFor();
    },
  ],
  [
    'import',
    '/?fake=absent',
    async (page) => {
      await click(page, 'have-export');
      await page.getByTestId('import-file').setInputFiles({
        name: '0fc-2026-11-24.vault',
        mimeType: 'application/octet-stream',
        buffer: Buffer.from('an export'),
      });
      await type(page, 'file-passphrase', 'wrong');
      await type(page, 'passphrase', PHRASE);
      await type(page, 'passphrase-again', PHRASE);
      await click(page, 'import');
      await page.getByTestId('error').waitFor();
    },
  ],
  ['import-start', '/?fake=absent', async (page) => click(page, 'have-export')],
];
