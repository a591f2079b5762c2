/** The second browser of the tests, which speaks WebDriver BiDi by itself: one that the machine has, or Debian's. */
import { ensureBrowser } from './browser.mjs';

/** @returns {Promise<string>} the path of a Firefox */
export const ensureFirefox = () =>
  ensureBrowser({
    variable: 'FIREFOX_PATH',
    programs: ['firefox-esr', 'firefox'],
    debian: 'firefox-esr',
    name: 'Firefox',
    what: 'tests of other browsers',
    install: 'Firefox',
  });
