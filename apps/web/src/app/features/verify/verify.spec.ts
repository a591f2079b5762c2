import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import type { RouterTestingHarness } from '@angular/router/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { members as everybody } from '../../../../test-support/fake-data';
import { element, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import type { Language } from '../../core/preferences';
import { Preferences } from '../../core/preferences';

type Fixture = RouterTestingHarness['fixture'];

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');

async function verify(member: string, language: Language = 'en'): Promise<[Fixture, FakeClient]> {
  const client = provideApp('rooms', routes);
  TestBed.inject(Preferences).chooseLanguage(language);
  const { fixture } = await visit(`/room/room-rive/verify/${member}`);
  await settle(fixture, 10);
  return [fixture, client];
}

describe('comparing keys', () => {
  it('shows twelve groups of five, a code of it, and both keys', async () => {
    const [fixture] = await verify('maryam');
    const root = fixture.nativeElement as HTMLElement;
    const groups = [...element(fixture, 'safety-number').querySelectorAll('span')];
    expect(groups).toHaveLength(12);
    expect(groups.every(({ textContent }) => /^\d{5}$/.test(textContent))).toBe(true);
    expect(root.querySelector('zfc-qr path')?.getAttribute('d')).not.toBe('');
    expect(
      [...root.querySelectorAll('main zfc-fingerprint')].map((key) => texts(key as HTMLElement).trim()),
    ).toEqual(['3E91 B07C 5D22 A84F', '0A7D E5C3 912B 4F68']);
  });

  it.each([
    ['en', 'Verified: you have compared'],
    ['fr', 'Vérifié·e : vous avez comparé'],
  ] as const)('marks as verified, and takes the mark away (%s)', async (language, sentence) => {
    const [fixture, client] = await verify('maryam', language);
    expect(element(fixture, 'verify-state').dataset.verified).toBe('false');
    document.body.append(fixture.nativeElement as HTMLElement);
    element(fixture, 'mark-verified').click();
    await settle(fixture, 8);
    expect(document.activeElement).toBe(element(fixture, 'unverify'));
    expect(client.calls).toContain('setVerified maryam true');
    expect(element(fixture, 'verify-state').dataset.verified).toBe('true');
    expect(texts(fixture.nativeElement as HTMLElement)).toContain(sentence);
    expect(maybe(fixture, 'differs')).toBeNull();
    element(fixture, 'unverify').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('setVerified maryam false');
    expect(element(fixture, 'verify-state').dataset.verified).toBe('false');
  });

  it('says what to do when something differs, and marks nothing', async () => {
    const [fixture, client] = await verify('maryam');
    element(fixture, 'differs').click();
    await settle(fixture);
    const advice = element(fixture, 'differs-advice');
    expect(advice.getAttribute('role')).toBe('alert');
    expect(texts(advice)).toContain('tell the owner by another way');
    expect(client.calls.some((call) => call.startsWith('setVerified'))).toBe(false);
  });

  it.each(['nobody', 'amina'])('has nothing to compare with %s', async (member) => {
    const [fixture] = await verify(member);
    expect(maybe(fixture, 'safety-number')).toBeNull();
    expect(element(fixture, 'error').dataset.code).toBe('MEMBER_UNKNOWN');
  });

  it('takes the number away when the member leaves the roster meanwhile', async () => {
    const [fixture, client] = await verify('maryam');
    client.pushRoom({ members: everybody.filter(({ memberId }) => memberId !== 'maryam') });
    await settle(fixture);
    expect(maybe(fixture, 'mark-verified')).toBeNull();
    expect(element(fixture, 'error').dataset.code).toBe('MEMBER_UNKNOWN');
  });
});
