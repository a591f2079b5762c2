/** A browser's profile as the page of version 0.1 left it (test/fixtures/v01), and what this page is to show of it. */
import type { Browser } from 'playwright-core';
import { putDatabases } from '../fixtures/profiles.js';
import { databasesOf, readExpected, readMade } from '../fixtures/fixture.js';
import { Profile } from './profile.js';

/** Its room, in all of the profiles. */
export const ROOM = 'Jeudi soir';

export const passphraseOf = (place: string): string =>
  readMade().vaults.find((one) => one.place === place)?.passphrase ?? '';

/** Nothing is open in it yet. */
export async function profileOf(
  place: string,
  browser: Browser,
  relayUrl: string,
): Promise<{ readonly profile: Profile; readonly passphrase: string }> {
  const vault = readMade().vaults.find((one) => one.place === place);
  if (vault === undefined) throw new Error(`there is no vault ${place}`);
  const profile = await Profile.create(browser, vault.name, relayUrl, 'fr-FR');
  await putDatabases(profile, databasesOf(vault));
  return { profile, passphrase: vault.passphrase };
}

/** Texts that stood in the log, in their order: how the line of each begins; nothing for a deleted one. */
export const beginningsOf = (place: string): readonly string[] =>
  (readExpected().vaults[place]?.rooms[0]?.lines ?? []).flatMap((line) =>
    line.type === 'message' && !line.waits ? [line.text] : [],
  );
