/**
 * What a browser kept for the page of version 0.1 (test/fixtures/v01), put back into a fresh profile: this page
 * opens it, shows what it showed, and goes on at a relay over the store of that version. The clocks are today's.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { copyOf } from '../fixtures/v01.js';
import { RelayProcess } from '../support/relay-process.js';
import { launch, type Profile } from './profile.js';
import { beginningsOf, profileOf } from './v01-profile.js';

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
  test('are opened, show what they showed, and talk', async () => {
    const [owner, member] = [await unlocked('page/owner.json'), await unlocked('page/member.json')];
    await Promise.all([owner.openRoom(), member.openRoom()]);
    const waited = 'Écrit dans le métro, sans réseau 🚇';
    await Promise.all([owner, member].map((profile) => profile.has(waited)));
    for (const [profile, place] of [
      [owner, 'page/owner.json'],
      [member, 'page/member.json'],
    ] as const) {
      const beginnings = [...beginningsOf(place), waited];
      expect(beginnings.length).toBeGreaterThan(5);
      const texts = await profile.texts();
      expect(texts.map((text, at) => text.slice(0, beginnings[at]?.length))).toEqual(beginnings);
      expect(await profile.at('deleted').count()).toBe(1);
      expect(await profile.alarms()).toBe(0);
    }
    expect(await member.at('composer').inputValue()).toBe('une phrase à moitié');
    await owner.say('Un an plus tard 🎂');
    await member.has('Un an plus tard 🎂');
    expect([...owner.complaints, ...member.complaints]).toEqual([]);
  });
});
