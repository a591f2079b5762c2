import { afterEach, describe, expect, it, jest } from '@jest/globals';

import fc from 'fast-check';

import { onInvite, takeChangedLink, takeInvite } from './invite-fragment';

function open(address: string, event: 'popstate' | 'hashchange'): void {
  history.pushState({ kept: true }, '', address);
  dispatchEvent(new Event(event));
}

describe('the fragment of an invite link', () => {
  afterEach(() => onInvite(null));

  it('leaves the address at once, keeps path, query and history state, and is handed out once', () => {
    open('/join?room=r#secret-text', 'hashchange');
    expect(location.href).toBe(`${location.origin}/join?room=r`);
    expect(history.state).toEqual({ kept: true });
    expect(takeInvite()).toBe('secret-text');
    expect(takeInvite()).toBeNull();
  });

  it('is stripped on the event that comes before the router reads the address', () => {
    open('/join#secret-text', 'popstate');
    expect(location.hash).toBe('');
    expect(takeInvite()).toBe('secret-text');
  });

  it('is stripped but not kept anywhere but on the join screen', () => {
    open('/settings#something', 'hashchange');
    expect(location.hash).toBe('');
    expect(takeInvite()).toBeNull();
  });

  it.each(['/join/#secret-text', '/JOIN#secret-text', '/join?utm_source=mail#secret-text'])(
    'is read from %s too: it has stayed in this browser',
    (address) => {
      open(address, 'hashchange');
      expect(location.hash).toBe('');
      expect(location.pathname).toBe('/join');
      expect([takeInvite(), takeChangedLink()]).toEqual(['secret-text', false]);
    },
  );

  it('tells of an invite that is opened in a running page', () => {
    const listener = jest.fn();
    onInvite(listener);
    open('/join#another', 'hashchange');
    expect(listener).toHaveBeenCalledTimes(1);
    takeInvite();
  });
});

describe('an invite link that was changed on its way', () => {
  const TOKEN = 'omF2AWZyb29tSWRQ8b0Qw5m5n3yWc0K2dQ7nfWV0b2tlblggq1N4bTZs';

  it.each([
    `/join%23${TOKEN}`,
    `/join%2523${TOKEN}`,
    `/JOIN%23${TOKEN}`,
    `/join/%23${TOKEN}`,
    `/join/${TOKEN}`,
    `/join${TOKEN}`,
    `/join%23${TOKEN}#more`,
    `/join%23${TOKEN}?utm_source=mail`,
    `/join?%23${TOKEN}`,
    `/join?room=${TOKEN}`,
    `/%6Aoin%23${TOKEN}`,
    `//join%23${TOKEN}`.slice(1),
    `/join%E0%A4%A${TOKEN}`,
  ])('%s leaves the address at once, and is never taken for an invite', (address) => {
    const listener = jest.fn();
    onInvite(listener);
    open(address, 'popstate');
    expect(location.href).toBe(`${location.origin}/join`);
    expect(JSON.stringify(history.state)).not.toContain(TOKEN);
    expect(takeInvite()).toBeNull();
    expect([takeChangedLink(), takeChangedLink()]).toEqual([true, false]);
    expect(listener).toHaveBeenCalledTimes(1);
    onInvite(null);
  });

  it.each(['/join', '/join?room=RZ7mS0m4rK1gQ2yV8pX3nA', '/', '/settings', '/room/RZ7mS0m4rK1gQ2yV8pX3nA'])(
    '%s is none',
    (address) => {
      open(address, 'popstate');
      expect(location.pathname + location.search).toBe(address);
      expect(takeChangedLink()).toBe(false);
    },
  );

  it('whatever its spelling, nothing of it stays in the address and nothing throws', () => {
    const spelt = fc.array(
      fc.constantFrom('%23', '%2523', '%', '%E0%A4%A', '%ff', '%00', '/', '?', '&', '=', ';', '(', ')', ':', 'é', TOKEN, '#'),
    ).map((parts) => parts.join('')); // prettier-ignore
    fc.assert(
      fc.property(fc.constantFrom('join', 'JOIN', 'Join', '%6aoin'), spelt, (begin, rest) => {
        open(`/${begin}${rest}`, 'popstate');
        expect(location.href).not.toContain(TOKEN);
        expect(location.hash).toBe('');
        takeInvite();
        takeChangedLink();
      }),
      { numRuns: 300 },
    );
  });
});
