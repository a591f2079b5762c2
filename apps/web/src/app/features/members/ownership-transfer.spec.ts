import { describe, expect, it } from '@jest/globals';

import { act, members, texts } from '../../../../test-support/members-screen';
import { element, maybe, settle } from '../../../../test-support/render';

describe('handing over', () => {
  it('says what it means and that keys were not compared, offers, waits, and takes back', async () => {
    const [fixture, client] = await members('rooms');
    await act(fixture, 'maryam', 'transfer-ownership');
    const dialog = element(fixture, 'transfer-ownership-confirm').closest('dialog')!;
    expect(texts(dialog)).toContain('Nothing changes before they accept');
    expect(maybe(fixture, 'hand-unverified')).not.toBeNull();
    element(fixture, 'transfer-ownership-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('offerOwnership maryam');
    const card = element(fixture, 'ownership-transfer-card');
    expect([card.dataset.role, card.dataset.accepted]).toEqual(['offering', 'false']);
    expect(texts(card)).toContain('Maryam Haddad');
    element(fixture, 'take-back').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('endOwnershipOffer');
    expect(maybe(fixture, 'ownership-transfer-card')).toBeNull();
  });

  it('needs no such warning for a verified member, and says which offer it replaces', async () => {
    const [fixture] = await members('offering');
    await act(fixture, 'jonas', 'transfer-ownership');
    expect(maybe(fixture, 'hand-unverified')).toBeNull();
    expect(texts(element(fixture, 'transfer-ownership-confirm').closest('dialog')!)).toMatch(
      /Your offer to .Lucie Marchand. ends/,
    );
  });

  it('lets the one it is offered to accept, and shows the owner’s acts once it is signed', async () => {
    const [fixture, client] = await members('offered');
    expect(texts(element(fixture, 'ownership-transfer-card'))).toContain('Amina Belkacem');
    expect(maybe(fixture, 'take-back')).toBeNull();
    element(fixture, 'accept-room').click();
    await settle(fixture, 10);
    expect(client.calls).toContain('acceptOwnership');
    expect(maybe(fixture, 'ownership-transfer-card')).toBeNull();
    expect(maybe(fixture, 'close-room')).not.toBeNull();
  });

  it('lets them decline, and says so when the offer is gone', async () => {
    const [fixture, client] = await members('offered');
    client.endOwnershipOffer = () => Promise.resolve({ ok: false, error: { code: 'NO_OFFER' } });
    element(fixture, 'decline-room').click();
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe('NO_OFFER');
    expect(texts(element(fixture, 'error'))).toContain('no such offer any more');
  });
});
