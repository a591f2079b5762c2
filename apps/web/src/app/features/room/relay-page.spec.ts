import { describe, expect, it } from '@jest/globals';

import { message } from '../../../../test-support/fake-data';
import { relayRows, timeline } from '../../../../test-support/fake-timeline';
import { element, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { asStored } from './relay-page';

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');

describe('what the relay sees', () => {
  it('stands beside what this device reads, entry by entry', async () => {
    provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive/relay');
    await settle(fixture, 8);
    const root = fixture.nativeElement as HTMLElement;
    const rows = [...root.querySelectorAll<HTMLElement>('[data-testid="relay-row"]')];
    expect(rows).toHaveLength(relayRows(timeline).length);
    const row = rows.find((one) => texts(one).includes('I can drive'));
    const sealed = row?.querySelector<HTMLElement>('.sealed');
    expect(texts(sealed ?? root)).toMatch(/#2\.2 message jonas 00:07:00 118 \+ 300 B\s*[0-9a-f]{32}…/);
    expect(sealed?.textContent).not.toContain('Jonas Weber');
    expect(sealed?.textContent).not.toContain('drive');
    expect(root.querySelector('[data-kind="rotation"] .clear')?.textContent).toContain('A new key by');
  });

  it('follows the conversation', async () => {
    const client = provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive/relay');
    await settle(fixture, 8);
    client.put(message('new', 50, Date.now(), 1, 'said just now'));
    await settle(fixture, 8);
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('said just now');
    expect(client.calls.filter((call) => call === 'relaySees 100').length).toBeGreaterThan(1);
  });

  it('is copied without a word of what only members know', () => {
    const copied = asStored(relayRows(timeline));
    expect(copied.split('\n')).toHaveLength(relayRows(timeline).length);
    for (const secret of ['Jonas Weber', 'drive', 'senderName', 'says']) expect(copied).not.toContain(secret);
  });

  it('says why it cannot be shown, and is one click from the room', async () => {
    const client = provideApp('rooms', routes);
    client.relaySees = () => Promise.resolve({ ok: false, error: { code: 'VAULT_UNAVAILABLE' } });
    const { fixture } = await visit('/room/room-rive/relay');
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('VAULT_UNAVAILABLE');
    expect(maybe(fixture, 'relay-row')).toBeNull();
    element(fixture, 'back-to-room').click();
    await settle(fixture, 8);
    element(fixture, 'open-relay').click();
    await settle(fixture, 8);
    expect(maybe(fixture, 'back-to-room')).not.toBeNull();
  });
});
