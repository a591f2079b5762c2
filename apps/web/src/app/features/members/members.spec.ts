import { describe, expect, it } from '@jest/globals';

import { act, members, row, screen, texts } from '../../../../test-support/members-screen';
import { element, maybe, settle } from '../../../../test-support/render';

describe('removing a member', () => {
  it.each([
    ['en', 'Remove', 'A new key is made at once', 'They keep what they have read'],
    ['fr', 'Retirer', 'Une nouvelle clé est faite aussitôt', 'Elle garde ce qu’elle a lu'],
  ] as const)('says what happens, with the key, and asks (%s)', async (language, ...sentences) => {
    const [fixture, client] = await members('rooms', language);
    await act(fixture, 'jonas', 'remove-member');
    const dialog = element(fixture, 'remove-confirm').closest('dialog')!;
    expect(dialog.open).toBe(true);
    for (const sentence of [...sentences, 'Jonas Weber', 'B6F2 3C18 54E0 A97D'])
      expect(texts(dialog)).toContain(sentence);
    expect(client.calls).not.toContain('removeMember jonas');
    element(fixture, 'remove-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('removeMember jonas');
    expect(dialog.open).toBe(false);
    expect(screen(fixture).querySelector('[data-member-id="jonas"]')).toBeNull();
  });

  it('is shown until it is done, and cannot be asked for twice', async () => {
    const [fixture] = await members('busy');
    expect(texts(element(row(fixture, 'maryam'), 'member-removing'))).toContain('a new key is on its way');
    element(row(fixture, 'maryam'), 'member-actions').click();
    await settle(fixture);
    expect(row(fixture, 'maryam').querySelector('[data-testid="remove-member"]')).toBeNull();
    expect(row(fixture, 'maryam').querySelector('[data-testid="verify"]')).not.toBeNull();
  });

  it('says that it waits where there is no link', async () => {
    const [fixture] = await members('offline');
    await act(fixture, 'jonas', 'remove-member');
    expect(texts(element(fixture, 'remove-offline'))).toContain('as soon as there is one');
  });

  it('keeps the question open, with the reason, when it is refused', async () => {
    const [fixture, client] = await members('rooms');
    client.removeMember = () => Promise.resolve({ ok: false, error: { code: 'MEMBER_UNKNOWN' } });
    await act(fixture, 'jonas', 'remove-member');
    element(fixture, 'remove-confirm').click();
    await settle(fixture, 8);
    expect(element(row(fixture, 'jonas'), 'member-actions').getAttribute('aria-expanded')).toBe('true');
    const dialog = element(fixture, 'remove-confirm').closest('dialog')!;
    expect(dialog.open).toBe(true);
    expect(element(dialog, 'error').dataset.code).toBe('MEMBER_UNKNOWN');
  });
});

describe('the list of members', () => {
  it('marks who is leaving, whose key is old, and who has applied a departure', async () => {
    const [fixture] = await members('busy');
    expect(texts(row(fixture, 'ines'))).toContain('can still read');
    expect(texts(row(fixture, 'tomas'))).toContain('their key is old');
    // The removal of Karim.
    const receipt = (who: string): string => texts(element(row(fixture, who), 'member-receipt'));
    expect(receipt('jonas')).toBe('Online since the last departure');
    expect(receipt('ines')).toBe('Not heard from since the last departure');
    expect(receipt('lucie')).toBe('Has applied the last departure');
    expect(row(fixture, 'amina').querySelector('[data-testid="member-receipt"]')).toBeNull();
  });

  it('shows nothing of a departure that all have applied', async () => {
    const [fixture] = await members('rooms');
    expect(maybe(fixture, 'member-receipt')).toBeNull();
  });

  it('tells names that look alike apart by the key', async () => {
    const [fixture] = await members('twins');
    expect(screen(fixture).querySelectorAll('[data-testid="member-confusable"]')).toHaveLength(2);
    expect(texts(row(fixture, 'jonas'))).toContain('go by the key');
    expect(texts(row(fixture, 'jonas'))).toContain('B6F2 3C18 54E0 A97D');
  });

  it('closes the actions with Escape and gives the focus back', async () => {
    const [fixture] = await members('rooms');
    document.body.append(screen(fixture));
    const button = element(row(fixture, 'lucie'), 'member-actions');
    button.click();
    await settle(fixture);
    expect(button.getAttribute('aria-expanded')).toBe('true');
    const verify = element(row(fixture, 'lucie'), 'verify');
    verify.focus();
    verify.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await settle(fixture);
    expect(button.getAttribute('aria-expanded')).toBe('false');
    expect(document.activeElement).toBe(button);
  });

  it('offers a member nothing that only the owner may do, and an ended room nothing at all', async () => {
    const [fixture] = await members('guest');
    element(row(fixture, 'lucie'), 'member-actions').click();
    await settle(fixture);
    for (const id of ['remove-member', 'transfer-ownership', 'save-settings', 'close-room'])
      expect(maybe(fixture, id)).toBeNull();
    expect(maybe(fixture, 'verify')).not.toBeNull();
  });

  it.each(['left', 'removed', 'closed'])('offers nothing in a room that is %s', async (stage) => {
    const [fixture] = await members(stage);
    expect(element(fixture, 'room-ended').dataset.stage).toBe(stage);
    for (const id of ['member-actions', 'rename-me', 'leave-room', 'make-invite'])
      expect(maybe(fixture, id)).toBeNull();
  });
});

describe('an entry that waits', () => {
  it('shows the number to compare before anybody is admitted', async () => {
    const [fixture] = await members('rooms');
    const number = element(element(fixture, 'approval-request'), 'safety-number');
    expect(number.dataset.digits).toMatch(/^\d{60}$/);
    expect([...number.querySelectorAll('span')].map(({ textContent }) => textContent).join('')).toBe(
      number.dataset.digits,
    );
    expect(number.querySelectorAll('span')).toHaveLength(12);
  });
});
