/**
 * The browser of the end-to-end tests: one that the machine has, or Debian's.
 *
 * Playwright's own browser download is not used: a browser from the system's packages is kept patched
 * by the system, and many test machines reach nothing but package registries.
 */
import { ensureBrowser } from './browser.mjs';

/** @returns {Promise<string>} the path of a Chromium */
export const ensureChromium = () =>
  ensureBrowser({
    variable: 'CHROMIUM_PATH',
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    debian: 'chromium',
    name: 'Chromium',
    what: 'end-to-end tests',
    install: 'Chromium or Chrome',
  });
