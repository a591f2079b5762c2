/** A member's vault in a real Chromium: opened by the deployed page and its worker, and timed by what the page shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Browser } from 'playwright-core';
import { Profile } from '../../e2e/profile.js';
import { putDatabases, putKeyFile } from '../../fixtures/profiles.js';
import type { StoredDatabase } from '../../support/databases.js';
import type { Member } from '../../support/member.js';
import { WorkerTarget, type Spent } from './worker-target.js';

/** Milliseconds as in opened.ts, and bytes. */
export interface OpenedPage {
  readonly unlock: number;
  readonly catchUp: number;
  readonly room: number;
  /** of the worker, which is the client */
  readonly heap: number;
  readonly pageHeap: number;
  /** what the worker's thread did in the catch-up, where that was asked for: sampling it takes time itself */
  readonly spent: Spent | null;
}

/** Longest that a catch-up may take. */
const DEADLINE_MS = 1_800_000;

/** The records of a vault at rest, as the page's storage keeps them: sealed alike on both platforms. */
function asDatabase({ folder }: Member): StoredDatabase {
  const db = new DatabaseSync(join(folder, 'vault.db'), { readOnly: true });
  try {
    const rows = db.prepare('SELECT store, key, value FROM records').all();
    const records = rows.map(({ store, key, value }): [string[], string] => [
      [store as string, key as string],
      Buffer.from(value as Uint8Array).toString('base64'),
    ]);
    return {
      name: '0fc',
      version: 1,
      stores: [{ name: 'records', keyPath: null, autoIncrement: false, records }],
    };
  } finally {
    db.close();
  }
}

export class ChromiumMember {
  readonly #profile: Profile;
  readonly #passphrase: string;

  private constructor(profile: Profile, passphrase: string) {
    this.#profile = profile;
    this.#passphrase = passphrase;
  }

  /** A member that has left Node moves in, with all that its vault has. */
  static async from(browser: Browser, member: Member): Promise<ChromiumMember> {
    const profile = await Profile.create(browser, member.name, member.relayUrl);
    await putDatabases(profile, [asDatabase(member)]);
    await putKeyFile(profile, readFileSync(join(member.folder, 'vault.keys')));
    return new ChromiumMember(profile, member.passphrase);
  }

  /** Opens the page, unlocks, waits for `last`, the log's newest line, and looks at it; closed in the end. */
  async open(last: string, profiles = false): Promise<OpenedPage> {
    const profile = this.#profile;
    await profile.open();
    profile.page.setDefaultTimeout(DEADLINE_MS);
    const worker = await WorkerTarget.of(profile.page);
    await profile.at('passphrase').fill(this.#passphrase);
    const [listed, read] = [this.#appears('room-link', ''), this.#appears('room-last', last)];
    await profile.at('unlock').click();
    const unlockedAt = await listed;
    const profiled = profiles ? await worker.profiled(() => read) : null;
    const caughtUpAt = await read;
    const derivedAt = await worker.derivedAt();
    const shown = this.#appears('message', last);
    const clickedAt = await profile.page.evaluate(() => performance.timeOrigin + performance.now());
    await profile.at('room-link').first().click();
    const shownAt = await shown;
    const [heap, pageHeap] = [await worker.held(), await worker.pageHeld()];
    const complaints = [
      ...profile.complaints,
      ...(await profile.page.getByTestId('alarm').allTextContents()),
    ];
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
    await profile.close();
    return {
      unlock: unlockedAt - derivedAt,
      catchUp: caughtUpAt - unlockedAt,
      room: shownAt - clickedAt,
      heap,
      pageHeap,
      spent: profiled?.spent ?? null,
    };
  }

  /** Unix milliseconds at which the page first has something that says `text`. */
  #appears(testId: string, text: string): Promise<number> {
    return this.#profile.page.evaluate(
      ({ selector, text }) =>
        new Promise<number>((resolve) => {
          const look = (): void => {
            const there = [...document.querySelectorAll(selector)];
            if (!there.some(({ textContent }) => textContent.includes(text))) return;
            observer.disconnect();
            resolve(performance.timeOrigin + performance.now());
          };
          const observer = new MutationObserver(look);
          observer.observe(document, { subtree: true, childList: true, characterData: true });
          look();
        }),
      { selector: `[data-testid="${testId}"]`, text },
    );
  }
}
