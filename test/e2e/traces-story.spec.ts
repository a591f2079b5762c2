/**
 * What a browser keeps of what is typed and shown: every file of a real profile is searched, while it runs, once it has
 * ended and once it has restored its session; and the memory of page and worker is, for the passphrase.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { BrowserProfile } from './browser-profile.js';
import { Profile } from './profile.js';

jest.setTimeout(600_000);

const ROOM = 'Verger des Quatre Vents';
const SAID = 'the ladder stands behind the third quince tree';
const DRAFT = 'nobody has read this about the quince tree yet';
const CHANGED = 'half of another word about that ladder';
const CONTROL = 'a field of any other page keeps its text';

let relay: RelayProcess;
let others: Server;
let otherPage = '';
let owner: BrowserProfile;
let joiner: BrowserProfile;
let amina: Profile;
let tomas: Profile;
let secret = '';

beforeAll(async () => {
  others = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<textarea data-testid="plain"></textarea>');
  }).listen(0, '127.0.0.1');
  await once(others, 'listening');
  otherPage = `http://127.0.0.1:${String((others.address() as AddressInfo).port)}/`;
  [relay, owner, joiner] = await Promise.all([
    RelayProcess.start(),
    BrowserProfile.start(),
    BrowserProfile.start(),
  ]);
  amina = Profile.on(owner.browser, 'Amina', relay.url);
  tomas = Profile.on(joiner.browser, 'Tomás Oliveira', relay.url);
});

afterAll(async () => {
  await Promise.all([owner.remove(), joiner.remove(), relay.remove()]);
  others.close();
});

/** Each of the texts with the files that it stands in. */
async function traces(
  profile: BrowserProfile,
  ...texts: readonly string[]
): Promise<Record<string, unknown>> {
  const found = await Promise.all(texts.map(async (text) => [text, await profile.filesWith(text)] as const));
  return Object.fromEntries(found);
}
const nowhere = (...texts: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(texts.map((text) => [text, []]));

/** Types into another page of the same browser, and waits until that has come to the disk: so has all from before it. */
async function control(profile: BrowserProfile, text: string): Promise<void> {
  const [context] = profile.browser.contexts();
  const page = await context!.newPage();
  await page.goto(otherPage);
  await page.getByTestId('plain').fill(text);
  // What restores a session writes down how a page stands when it is left.
  await page.goto(`${otherPage}next`);
  await until('the other page to be on the disk', async () => (await profile.filesWith(text)).length > 0);
}

describe('a browser’s own memory', () => {
  test('of the passphrase there is nothing in page and worker once it has opened the vault', async () => {
    await amina.open();
    await amina.at('passphrase').waitFor();
    // Shown while it is typed: a text as any other to the browser.
    const show = amina.page.getByRole('button', { name: 'Show' });
    while ((await show.count()) > 0) await show.first().click();
    expect(await amina.at('passphrase').getAttribute('type')).toBe('text');
    await amina.firstPassphrase();
    await amina.at('new-room').first().waitFor();
    await amina.page.reload();
    await amina.at('passphrase').waitFor();
    await amina.page.getByRole('button', { name: 'Show' }).click();
    await amina.at('passphrase').fill(amina.passphrase);
    const typed = await owner.heaps(relay.url);
    expect(typed.get('page')).toContain(amina.passphrase);
    await amina.unlock();
    await amina.createRoom(ROOM, 100);
    const heaps = await owner.heaps(relay.url);
    expect([...heaps.keys()].sort()).toEqual(['page', 'worker']);
    for (const [type, heap] of heaps) {
      expect(heap.length).toBeGreaterThan(100_000);
      expect([type, heap.includes(amina.passphrase)]).toEqual([type, false]);
    }
    // Both hold it, so that a snapshot that held nothing would be found out.
    for (const heap of heaps.values()) expect(heap).toContain(ROOM);
  });

  test('of what is typed and shown nothing is on the disk: not while it runs, after its end, nor once it is restored', async () => {
    await amina.say(SAID);
    await amina.has(SAID);
    const link = await amina.makeInvite();
    secret = link.slice(link.indexOf('#') + 1);
    await amina.openMembers();
    await amina.at('make-invite').or(amina.at('another-invite')).first().waitFor();
    await amina.at('back-to-room').click();
    await amina.at('composer').fill(DRAFT);
    await control(owner, CONTROL);
    const texts = [amina.passphrase, ROOM, SAID, DRAFT, secret, amina.name];
    expect(await traces(owner, ...texts)).toEqual(nowhere(...texts));
    await amina.page.bringToFront();
    await owner.quit();
    expect(await traces(owner, ...texts)).toEqual(nowhere(...texts));
    await owner.restore(relay.url);
    expect(await traces(owner, ...texts)).toEqual(nowhere(...texts));
    await owner.start();
    amina = Profile.on(owner.browser, 'Amina', relay.url);
    await amina.open();
    await amina.unlock();
    await amina.openRoom();
    expect(await amina.at('composer').inputValue()).toBe(DRAFT);
    await amina.at('message').getByText(SAID).hover();
    await amina.at('act-edit').first().click();
    await amina.at('composer').fill(CHANGED);
    await control(owner, `${CONTROL}, again`);
    await owner.quit();
    expect(await traces(owner, ...texts, CHANGED)).toEqual(nowhere(...texts, CHANGED));
    await owner.start();
  });

  test('of an invite that is pasted as text nothing is on the disk of who joins; one that is opened as a link is', async () => {
    amina = Profile.on(owner.browser, 'Amina', relay.url);
    await amina.open();
    await amina.unlock();
    await tomas.open('/join');
    await tomas.firstPassphrase();
    await tomas.at('paste-invite').fill(`You are invited. Open ${relay.url}/join and paste: #${secret}`);
    await tomas.at('read-invite').click();
    await tomas.startJoin();
    await amina.openRoom();
    await amina.admit();
    await tomas.enter();
    await control(joiner, CONTROL);
    await joiner.quit();
    const texts = [tomas.passphrase, ROOM, secret, tomas.name];
    expect(await traces(joiner, ...texts)).toEqual(nowhere(...texts));

    await joiner.start();
    tomas = Profile.on(joiner.browser, 'Tomás Oliveira', relay.url);
    const opened = await amina.makeInvite();
    await tomas.open(opened);
    await tomas.at('passphrase').waitFor();
    expect(tomas.page.url()).not.toContain('#');
    await joiner.quit();
    // The page cannot prevent it; docs/threat-model.md and the invite’s own screen say so.
    expect(await joiner.filesWith(opened.slice(opened.indexOf('#') + 1))).toContainEqual(
      expect.stringMatching(/History$/),
    );
  });
});
