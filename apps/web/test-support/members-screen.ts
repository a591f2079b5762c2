/** The members' screen of a fake client, and what specs do on it. */
import { TestBed } from '@angular/core/testing';
import type { RouterTestingHarness } from '@angular/router/testing';

import { routes } from '../src/app/app.routes';
import type { Language } from '../src/app/core/preferences';
import { Preferences } from '../src/app/core/preferences';
import type { FakeClient } from './fake-client';
import { element, provideApp, settle, visit } from './render';

export type Fixture = RouterTestingHarness['fixture'];

export const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');
export const screen = (fixture: Fixture): HTMLElement => fixture.nativeElement as HTMLElement;
export const submit = (field: HTMLElement): boolean =>
  field.closest('form')?.dispatchEvent(new Event('submit', { cancelable: true })) ?? false;
export const row = (fixture: Fixture, memberId: string): HTMLElement => {
  const found = screen(fixture).querySelector<HTMLElement>(`[data-member-id="${memberId}"]`);
  if (found === null) throw new Error(`no row of ${memberId}`);
  return found;
};

export async function members(scenario: string, language: Language = 'en'): Promise<[Fixture, FakeClient]> {
  const client = provideApp(scenario, routes);
  TestBed.inject(Preferences).chooseLanguage(language);
  const { fixture } = await visit('/room/room-rive/members');
  await settle(fixture, 8);
  return [fixture, client];
}

export async function act(fixture: Fixture, memberId: string, id: string): Promise<void> {
  element(row(fixture, memberId), 'member-actions').click();
  await settle(fixture);
  element(row(fixture, memberId), id).click();
  await settle(fixture);
}
