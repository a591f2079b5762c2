import { describe, expect, it } from '@jest/globals';
import type { ComponentFixture } from '@angular/core/testing';
import { TestBed } from '@angular/core/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { element, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { MOST_WINDOWS } from './quote-seeker';

interface Page {
  readonly client: FakeClient;
  readonly fixture: ComponentFixture<unknown>;
  readonly row: (id: string) => HTMLElement;
  /** waits until the page says or shows it */
  readonly comes: (what: () => boolean) => Promise<void>;
}

async function open(mostWindows = 20): Promise<Page> {
  TestBed.overrideProvider(MOST_WINDOWS, { useValue: mostWindows });
  const client = provideApp('quoting', routes);
  const { fixture } = await visit('/room/room-rive');
  await settle(fixture, 8);
  const root = fixture.nativeElement as HTMLElement;
  const row = (id: string): HTMLElement => {
    const found = root.querySelector<HTMLElement>(`[data-id="${id}"]`);
    if (found === null) throw new Error(`no message ${id}`);
    return found;
  };
  const comes = async (what: () => boolean): Promise<void> => {
    for (let turn = 0; !what(); turn++) {
      if (turn > 2_000) throw new Error(`it did not come: ${what.toString()}`);
      await settle(fixture, 1);
    }
  };
  return { client, fixture, row, comes };
}

const quoteOf = (row: HTMLElement): HTMLElement => element(row, 'quote');
const told = (row: HTMLElement): string =>
  row.querySelector('[data-testid="quote-told"]')?.textContent.trim() ?? '';
const loads = ({ client }: Page): number => client.calls.filter((call) => call === 'loadEarlier').length;
const focused = (): string | undefined => (document.activeElement as HTMLElement | null)?.dataset.id;

describe('a quote of what is further up than the page has', () => {
  it('loads windows until it is there, says so meanwhile, and leads to it with the focus', async () => {
    const page = await open();
    const answer = page.row('q0');
    page.client.pace = 20;
    quoteOf(answer).click();
    await page.comes(() => told(answer).startsWith('Looking further up'));
    expect(quoteOf(answer).getAttribute('aria-busy')).toBe('true');
    // A second press meanwhile begins nothing.
    quoteOf(answer).click();
    await page.comes(() => focused() === 'l400');
    expect(loads(page)).toBe(2);
    expect(told(answer)).toBe('');
    expect(page.row('l400').classList).toContain('msg--marked');
    await page.comes(() => !page.row('l400').classList.contains('msg--marked'));
  });

  it('stops after many windows without drawing them, goes on when asked again, and says what is not there', async () => {
    const page = await open(3);
    const answer = page.row('q1');
    quoteOf(answer).click();
    await page.comes(() => told(answer).startsWith('Not among the newest 800'));
    expect(loads(page)).toBe(3);
    const drawn = (page.fixture.nativeElement as HTMLElement).querySelectorAll('[data-testid="message"]');
    expect(drawn).toHaveLength(200);
    const lost = page.row('q2');
    quoteOf(lost).click();
    await page.comes(() => told(lost) === 'This message is not on this device.');
    expect(told(answer)).toBe('');
    expect(loads(page)).toBe(4);
    quoteOf(answer).click();
    await page.comes(() => focused() === 'l7');
    expect(loads(page)).toBe(4);
  });

  it('says why it could not look', async () => {
    const page = await open();
    page.client.loadEarlier = () => Promise.resolve({ ok: false, error: { code: 'VAULT_LOCKED' } });
    quoteOf(page.row('q0')).click();
    await page.comes(() => told(page.row('q0')).startsWith('0FC is locked'));
  });

  it('is no way to what its sender alone has', async () => {
    const page = await open();
    const quote = quoteOf(page.row('q3'));
    expect(quote.tagName).toBe('SPAN');
    expect(quote.textContent).toContain('A message that is not on this device');
  });
});
