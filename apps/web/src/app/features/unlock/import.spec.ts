import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';
import type { RouterTestingHarness } from '@angular/router/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import type { Language } from '../../core/preferences';
import { Preferences } from '../../core/preferences';

type Fixture = RouterTestingHarness['fixture'];

const PHRASE = 'marbre onze tilleul rivage';
const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');
const submit = (field: HTMLElement): boolean =>
  field.closest('form')?.dispatchEvent(new Event('submit', { cancelable: true })) ?? false;

/** Chooses a file, as a person would in the browser's own dialog. */
function choose(
  fixture: Fixture,
  file: { readonly name: string; arrayBuffer: () => Promise<ArrayBuffer> },
): void {
  const picker = element(fixture, 'import-file') as HTMLInputElement;
  Object.defineProperty(picker, 'files', { configurable: true, value: { length: 1, item: () => file } });
  picker.dispatchEvent(new Event('change'));
}

const file = (size: number): { readonly name: string; arrayBuffer: () => Promise<ArrayBuffer> } => ({
  name: '0fc-2026-11-24.vault',
  arrayBuffer: () => Promise.resolve(new ArrayBuffer(size)),
});

async function importing(language: Language = 'en'): Promise<[Fixture, FakeClient]> {
  const client = provideApp('absent', routes);
  TestBed.inject(Preferences).chooseLanguage(language);
  const { fixture } = await visit('/');
  element(fixture, 'have-export').click();
  await settle(fixture);
  return [fixture, client];
}

async function bring(fixture: Fixture, passphrase: string, fresh = PHRASE): Promise<void> {
  fill(fixture, 'file-passphrase', passphrase);
  fill(fixture, 'passphrase', fresh);
  fill(fixture, 'passphrase-again', fresh);
  submit(element(fixture, 'passphrase'));
  await settle(fixture, 8);
}

describe('bringing an export to this device', () => {
  it('asks for the file, its passphrase and a new one, then opens', async () => {
    const [fixture, client] = await importing();
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('the one it comes from is cut off');
    await bring(fixture, '');
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('Choose the file first');
    choose(fixture, file(9));
    await settle(fixture);
    expect(element(fixture, 'import-name').textContent).toBe('0fc-2026-11-24.vault');
    await bring(fixture, '');
    expect(element(fixture, 'file-passphrase').getAttribute('aria-invalid')).toBe('true');
    await bring(fixture, 'of the file', 'weak');
    expect(element(fixture, 'error').dataset.code).toBe('PASSPHRASE_WEAK');
    expect(client.calls).toEqual([]);
    await bring(fixture, 'of the file');
    expect(client.calls).toEqual([`importVault 9 of the file ${PHRASE}`]);
    expect(TestBed.inject(Router).url).toBe('/');
  });

  it.each([
    ['en', 'does not open the file'],
    ['fr', 'n’ouvre pas le fichier'],
  ] as const)('marks the file’s passphrase when it is wrong (%s)', async (language, sentence) => {
    const [fixture] = await importing(language);
    choose(fixture, file(9));
    await bring(fixture, 'wrong');
    expect(element(fixture, 'error').dataset.code).toBe('WRONG_PASSPHRASE');
    expect(texts(element(fixture, 'error'))).toContain(sentence);
    expect(element(fixture, 'file-passphrase').getAttribute('aria-invalid')).toBe('true');
    expect(TestBed.inject(Router).url).toBe('/unlock');
  });

  it.each([
    ['EXPORT_DAMAGED', 'Fetch the file once more'],
    ['VAULT_EXISTS', 'Reload the page and unlock it'],
    ['VAULT_FULL', 'Free some space'],
    ['VAULT_UNAVAILABLE', 'Use an ordinary window'],
    ['UNSUPPORTED_VERSION', 'Reload the page'],
  ])('says what can be done on %s', async (code, remedy) => {
    const [fixture, client] = await importing();
    client.importVault = () => Promise.resolve({ ok: false, error: { code } });
    choose(fixture, file(9));
    await bring(fixture, 'of the file');
    expect(element(fixture, 'error').dataset.code).toBe(code);
    expect(texts(element(fixture, 'error'))).toContain(remedy);
  });

  it('says so when the file cannot be read', async () => {
    const [fixture, client] = await importing();
    choose(fixture, { name: 'gone.vault', arrayBuffer: () => Promise.reject(new Error('gone')) });
    await bring(fixture, 'of the file');
    expect(element(fixture, 'error').dataset.code).toBe('FILE_UNREADABLE');
    expect(client.calls).toEqual([]);
  });

  it('leads back to a new vault', async () => {
    const [fixture] = await importing();
    element(fixture, 'import-back').click();
    await settle(fixture);
    expect(maybe(fixture, 'import')).toBeNull();
    expect(maybe(fixture, 'unlock')).not.toBeNull();
  });
});
