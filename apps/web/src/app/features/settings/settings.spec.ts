import { afterEach, describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';
import type { RouterTestingHarness } from '@angular/router/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { RELAY } from '../../../../test-support/fake-data';
import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { READ_BUILD_HASH } from '../../core/build-hash';
import { READ_CLAIMED_RELAY } from '../../core/claimed-relay';
import { Format } from '../../core/format';
import { Preferences } from '../../core/preferences';
import { SAVE_FILE } from '../../core/save-file';
import { exportName } from './export-vault';

type Fixture = RouterTestingHarness['fixture'];

const PHRASE = 'marbre onze tilleul rivage';
const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');
const submit = (field: HTMLElement): boolean =>
  field.closest('form')?.dispatchEvent(new Event('submit', { cancelable: true })) ?? false;

/** jsdom's Blob is read in the old way alone. */
const textOf = (file: Blob): Promise<string> =>
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsText(file);
  });

interface Saved {
  readonly file: Blob;
  readonly name: string;
}

async function settings(refuse = false): Promise<[Fixture, FakeClient, Saved[]]> {
  const files: Saved[] = [];
  const saveFile = (file: Blob, name: string): void => {
    if (refuse) throw new TypeError('downloads are off');
    files.push({ file, name });
  };
  TestBed.configureTestingModule({ providers: [{ provide: SAVE_FILE, useValue: saveFile }] });
  const client = provideApp('rooms', routes);
  const { fixture } = await visit('/settings');
  await settle(fixture, 8);
  return [fixture, client, files];
}

/** Puts a storage manager where jsdom has none. */
function storageIs(manager: Partial<StorageManager>): void {
  Object.defineProperty(navigator, 'storage', { configurable: true, value: manager });
}

afterEach(() => {
  Reflect.deleteProperty(navigator, 'storage');
  localStorage.clear();
});

describe('the hash of the build', () => {
  it('is shown whole, as the served build says it', async () => {
    const hash = '0123456789abcdef'.repeat(4);
    TestBed.configureTestingModule({
      providers: [{ provide: READ_BUILD_HASH, useValue: () => Promise.resolve(hash) }],
    });
    const [fixture] = await settings();
    expect(texts(element(fixture, 'build-hash')).replace(/ /g, '')).toBe(hash);
    expect(maybe(fixture, 'build-hash-none')).toBeNull();
  });

  it.each([
    ['there is no such file', { ok: false }],
    ['a page stands in its place', { ok: true, json: () => Promise.reject(new SyntaxError('<')) }],
    ['it is no hash', { ok: true, json: () => Promise.resolve({ hash: '<b>' }) }],
  ])('is said to be missing where %s', async (_why, answer) => {
    const asked: string[] = [];
    Object.defineProperty(globalThis, 'fetch', {
      configurable: true,
      value: (url: string) => {
        asked.push(url);
        return Promise.resolve(answer);
      },
    });
    const [fixture] = await settings();
    Reflect.deleteProperty(globalThis, 'fetch');
    expect(asked).toEqual(['/build.json']);
    expect(maybe(fixture, 'build-hash')).toBeNull();
    expect(texts(element(fixture, 'build-hash-none'))).toContain('says no hash');
  });
});

describe('exporting the vault', () => {
  it('says what an export is worth, wants a strong passphrase twice, and saves one file', async () => {
    const [fixture, client, files] = await settings();
    element(fixture, 'export-open').click();
    await settle(fixture);
    const dialog = element(fixture, 'export-confirm').closest('dialog')!;
    expect(texts(dialog)).toContain('outside forward secrecy');
    expect(texts(dialog)).toContain('that device takes over and this one is cut off');
    const form = element(fixture, 'export-passphrase');
    fill(fixture, 'export-passphrase', 'abc');
    submit(form);
    await settle(fixture);
    expect(element(dialog, 'error').dataset.code).toBe('PASSPHRASE_WEAK');
    fill(fixture, 'export-passphrase', PHRASE);
    fill(fixture, 'export-passphrase-again', 'marbre onze');
    submit(form);
    await settle(fixture);
    expect(element(dialog, 'error').dataset.code).toBe('PASSPHRASES_DIFFER');
    expect(client.calls.some((call) => call.startsWith('exportVault'))).toBe(false);
    fill(fixture, 'export-passphrase-again', PHRASE);
    submit(form);
    await settle(fixture, 8);
    expect(client.calls).toContain(`exportVault ${PHRASE}`);
    expect(files.map(({ name }) => name)).toEqual([exportName(new Date())]);
    expect(await textOf(files[0]!.file)).toBe('an export.');
    expect(texts(element(fixture, 'exported'))).toContain(files[0]!.name);
    expect(maybe(fixture, 'export-passphrase')).toBeNull();
  });

  /** Asks for an export, and sees its progress as soon as the worker is at it. */
  async function begin(fixture: Fixture): Promise<void> {
    element(fixture, 'export-open').click();
    await settle(fixture);
    fill(fixture, 'export-passphrase', PHRASE);
    fill(fixture, 'export-passphrase-again', PHRASE);
    submit(element(fixture, 'export-passphrase'));
    await settle(fixture);
  }

  it('says so when the browser saves nothing', async () => {
    const [fixture] = await settings(true);
    await begin(fixture);
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('EXPORT_UNSAVED');
    expect(maybe(fixture, 'exported')).toBeNull();
  });

  it.each([
    ['en', '308 of about 1,234 items', '20% exported'],
    ['fr', '308 éléments sur environ 1 234', '20\u00a0% exportés'],
  ] as const)('draws a bar with a number, and reads out its tens: %s', async (language, done, percent) => {
    const [fixture, client, files] = await settings();
    TestBed.inject(Preferences).chooseLanguage(language);
    client.held = true;
    await begin(fixture);
    const bar = element(fixture, 'export-progress') as HTMLProgressElement;
    expect([bar.hasAttribute('value'), bar.getAttribute('aria-label')]).toEqual([false, expect.any(String)]);
    expect(texts(element(fixture, 'export-done')).trim()).toBe('');
    expect(maybe(fixture, 'export-passphrase')).toBeNull();
    expect(document.activeElement).toBe(element(fixture, 'export-cancel'));
    client.next();
    await settle(fixture);
    client.next();
    await settle(fixture);
    expect([bar.value, bar.max]).toEqual([308, 1_234]);
    expect(texts(element(fixture, 'export-done')).trim()).toBe(done);
    const spoken = element(fixture, 'export-percent');
    expect([spoken.getAttribute('role'), spoken.textContent.trim()]).toEqual(['status', percent]);
    client.held = false;
    await settle(fixture, 12);
    expect(files).toHaveLength(1);
    expect(maybe(fixture, 'export-progress')).toBeNull();
    expect(document.activeElement?.closest('dialog')).not.toBeNull();
  });

  it('is cancelled by its button or with the dialog, says so, and saves nothing', async () => {
    const [fixture, client, files] = await settings();
    for (const cancel of [
      () => element(fixture, 'export-cancel').click(),
      () => element(fixture, 'export-cancel').closest('dialog')!.close(),
    ]) {
      client.held = true;
      await begin(fixture);
      expect(maybe(fixture, 'export-cancelled')).toBeNull();
      client.next();
      await settle(fixture);
      cancel();
      await settle(fixture);
      expect(texts(element(fixture, 'export-cancelled'))).toContain('No file was saved');
      client.held = false;
      await settle(fixture, 12);
      expect([files, client.exporting]).toEqual([[], false]);
      expect(maybe(fixture, 'export-progress')).toBeNull();
    }
    // What was cancelled stands in the way of none that follows, at once.
    client.held = true;
    await begin(fixture);
    element(fixture, 'export-cancel').click();
    await settle(fixture);
    expect(client.exporting).toBe(true);
    await begin(fixture);
    client.held = false;
    await settle(fixture, 16);
    expect(files).toHaveLength(1);
    expect(await textOf(files[0]!.file)).toBe('an export.');
    expect(maybe(fixture, 'export-cancelled')).toBeNull();
    expect(maybe(fixture, 'error')).toBeNull();
  });

  it('ends with the page that asked for it', async () => {
    const [fixture, client, files] = await settings();
    client.held = true;
    await begin(fixture);
    await TestBed.inject(Router).navigateByUrl('/');
    client.held = false;
    await settle(fixture, 12);
    expect([files, client.exporting]).toEqual([[], false]);
  });

  it('is named by the day', () => {
    expect(exportName(new Date(2026, 0, 5))).toBe('0fc-2026-01-05.vault');
  });
});

describe('changing the passphrase', () => {
  it('marks the present one when it is wrong, and changes nothing', async () => {
    const [fixture, client] = await settings();
    element(fixture, 'change-open').click();
    await settle(fixture);
    fill(fixture, 'current-passphrase', 'wrong');
    fill(fixture, 'next-passphrase', PHRASE);
    fill(fixture, 'next-passphrase-again', PHRASE);
    submit(element(fixture, 'next-passphrase'));
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('WRONG_PASSPHRASE');
    expect(element(fixture, 'current-passphrase').getAttribute('aria-invalid')).toBe('true');
    fill(fixture, 'current-passphrase', 'right');
    submit(element(fixture, 'next-passphrase'));
    await settle(fixture, 8);
    expect(client.calls.at(-1)).toBe(`changePassphrase right ${PHRASE}`);
    expect(maybe(fixture, 'passphrase-changed')).not.toBeNull();
    expect(maybe(fixture, 'current-passphrase')).toBeNull();
  });
});

describe('what is chosen for this browser', () => {
  it('the lock delay, what the others see and the spelling check, kept over a restart', async () => {
    const [fixture, client] = await settings();
    const select = element(fixture, 'lock-after') as HTMLSelectElement;
    expect([...select.options].map(({ textContent }) => textContent.trim())).toEqual([
      'Never',
      'After 1 minute',
      'After 5 minutes',
      'After 15 minutes',
      'After 60 minutes',
    ]);
    select.value = '5';
    select.dispatchEvent(new Event('change'));
    const receipts = element(fixture, 'read-receipts') as HTMLInputElement;
    expect(receipts.checked).toBe(true);
    receipts.click();
    await settle(fixture);
    const others = ['share-typing', 'share-presence', 'check-spelling'].map((id) => element(fixture, id));
    expect(others.map((one) => (one as HTMLInputElement).checked)).toEqual([true, true, false]);
    expect(document.documentElement.spellcheck).toBe(false);
    for (const one of others) one.click();
    await settle(fixture);
    // What the others see lies in the vault, the rest in this browser.
    expect(client.calls.filter((call) => call.startsWith('share'))).toEqual([
      'share {"receipts":false}',
      'share {"typing":false}',
      'share {"presence":false}',
    ]);
    const shown = [receipts, ...others].map((one) => (one as HTMLInputElement).checked);
    expect(shown).toEqual([false, false, false, true]);
    expect(Object.keys(localStorage).filter((key) => /receipts|typing|presence/i.test(key))).toEqual([]);
    const chosen = (): unknown[] => {
      const { lockAfterMinutes, spelling } = TestBed.inject(Preferences);
      TestBed.tick();
      return [lockAfterMinutes(), spelling(), document.documentElement.spellcheck];
    };
    expect(chosen()).toEqual([5, true, true]);
    TestBed.resetTestingModule();
    expect(chosen()).toEqual([5, true, true]);
  });

  it('what the others see, which says why it cannot be stored and then shows what still holds', async () => {
    const [fixture, client] = await settings();
    client.sharingRefused = true;
    const presence = element(fixture, 'share-presence') as HTMLInputElement;
    presence.click();
    await settle(fixture);
    expect(presence.checked).toBe(true);
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('no storage left');
  });
});

describe('storage', () => {
  it('says what is used and asks the browser to keep it, whatever it answers', async () => {
    let kept = false;
    const answers = [false, true];
    storageIs({
      estimate: () => Promise.resolve({ usage: 42_000_000, quota: 512_000_000_000 }),
      persisted: () => Promise.resolve(kept),
      persist: () => Promise.resolve((kept = answers.shift() ?? false)),
    });
    const [fixture] = await settings();
    expect(texts(element(fixture, 'storage-used'))).toBe('42 MB of about 512 GB');
    expect(element(fixture, 'storage-kept').dataset.kept).toBe('false');
    element(fixture, 'storage-keep').click();
    await settle(fixture);
    expect(maybe(fixture, 'storage-refused')).not.toBeNull();
    element(fixture, 'storage-keep').click();
    await settle(fixture);
    expect(element(fixture, 'storage-kept').dataset.kept).toBe('true');
    expect(maybe(fixture, 'storage-keep')).toBeNull();
  });

  it('says that it does not know, where the browser does not tell or fails to', async () => {
    const [fixture] = await settings();
    expect(texts(element(fixture, 'storage-used'))).toBe('This browser does not say.');
    expect(maybe(fixture, 'storage-keep')).toBeNull();
    TestBed.resetTestingModule();
    storageIs({ estimate: () => Promise.reject(new Error('no')), persisted: () => Promise.resolve(false) });
    const [second] = await settings();
    expect(texts(element(second, 'storage-used'))).toBe('This browser does not say.');
  });

  it('is written in the units of either language', () => {
    provideApp('rooms');
    const format = TestBed.inject(Format);
    expect([0, 999, 1_500, 42_000_000, 1_250_000_000].map((count) => format.bytes(count))).toEqual([
      '0 byte',
      '999 byte',
      '2 kB',
      '42 MB',
      '1.3 GB',
    ]);
    TestBed.inject(Preferences).chooseLanguage('fr');
    expect(format.bytes(42_000_000).replace(/\s/g, ' ')).toBe('42 Mo');
  });
});

describe('the relay’s key', () => {
  const OPERATORS = '7F3A 44D0 E19B 2C07';

  it('is exchanged by the fingerprint that is typed, beside both that are known, and by nothing else', async () => {
    TestBed.overrideProvider(READ_CLAIMED_RELAY, { useValue: () => Promise.resolve('7F3A44D0E19B2C07') });
    const [fixture, client] = await settings();
    element(fixture, 'repin-relay').click();
    await settle(fixture, 8);
    expect(texts(element(fixture, 'repin-known'))).toContain('7F3A 91C2 0B4E D815');
    expect(texts(element(fixture, 'repin-claimed'))).toContain(OPERATORS);
    expect((element(fixture, 'repin-fingerprint') as HTMLInputElement).value).toBe('');
    fill(fixture, 'repin-fingerprint', '0000 0000 0000 0000');
    submit(element(fixture, 'repin-fingerprint'));
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('RELAY_KEY_MISMATCH');
    fill(fixture, 'repin-fingerprint', OPERATORS);
    submit(element(fixture, 'repin-fingerprint'));
    await settle(fixture, 8);
    expect(client.calls.at(-1)).toBe(`repinRelay ${OPERATORS}`);
    expect(texts(element(fixture, 'repin-done'))).toContain(OPERATORS);
    element(fixture, 'relay-changed-seen').click();
    await settle(fixture);
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('The key you have accepted');
  });

  it('that a signed one has followed is shown with both, until it has been seen', async () => {
    const [fixture, client] = await settings();
    client.pushApp({
      relay: {
        fingerprint: RELAY,
        pinnedBy: 'succession',
        state: 'connected',
        barred: null,
        followed: { from: '3E91B07C5D22A84F', to: RELAY },
      },
    });
    await TestBed.inject(Router).navigateByUrl('/');
    await settle(fixture, 8);
    const shown = texts(element(fixture, 'relay-changed'));
    expect(shown).toContain('3E91 B07C 5D22 A84F');
    expect(shown).toContain('7F3A 91C2 0B4E D815');
    element(fixture, 'relay-changed-seen').click();
    await settle(fixture, 8);
    expect(maybe(fixture, 'relay-changed')).toBeNull();
    expect(client.calls.at(-1)).toBe('dismissRelayChange');
  });
});
