/**
 * What a browser kept for the page of version 0.1 (test/fixtures/v01), put back into a fresh profile: this page
 * opens it, shows what it showed, read only, and goes on in a room of today. The clocks are today's.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { copyOf } from '../fixtures/fixture.js';
import { RelayProcess } from '../support/relay-process.js';
import { launch, type Profile } from './profile.js';
import { beginningsOf, passphraseOf, profileOf, ROOM } from './v01-profile.js';

let folder: string;
let relay: RelayProcess;
let browser: Browser;

beforeAll(async () => {
  folder = await copyOf('relay');
  [relay, browser] = await Promise.all([
    RelayProcess.start({ DATA_DIR: folder, ROOM_IDLE_DAYS: '0' }),
    launch(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await relay.remove();
  await rm(folder, { recursive: true });
});

async function unlocked(place: string): Promise<Profile> {
  const { profile, passphrase } = await profileOf(place, browser, relay.url);
  await profile.open();
  await profile.unlock(passphrase);
  return profile;
}

describe('two profiles of version 0.1', () => {
  test('are opened, show what they showed, read only, and talk in a new room', async () => {
    const [owner, member] = [await unlocked('page/owner.json'), await unlocked('page/member.json')];
    await Promise.all([owner.openEndedRoom(ROOM), member.openEndedRoom(ROOM)]);
    for (const [profile, place] of [
      [owner, 'page/owner.json'],
      [member, 'page/member.json'],
    ] as const) {
      const beginnings = beginningsOf(place);
      expect(beginnings.length).toBeGreaterThan(5);
      await profile.has(beginnings.at(-1)!);
      const texts = await profile.texts();
      expect(beginnings.map((text, at) => texts[at]?.slice(0, text.length))).toEqual(beginnings);
      expect(await profile.at('deleted').count()).toBe(1);
      expect(await profile.alarms()).toBe(0);
      expect(await profile.at('room-ended').getAttribute('data-stage')).toBe('outdated');
      expect(await profile.at('composer').count()).toBe(0);
    }
    await owner.createRoom('Après', 100);
    const link = await owner.makeInvite();
    await member.close();
    await member.open(link);
    await member.unlock(passphraseOf('page/member.json'));
    await member.startJoin();
    await owner.admit();
    await member.enter();
    await owner.say('Un an plus tard 🎂');
    await member.has('Un an plus tard 🎂');
    expect([...owner.complaints, ...member.complaints]).toEqual([]);
  });
});
