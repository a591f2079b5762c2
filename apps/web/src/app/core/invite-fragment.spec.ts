import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { onInvite, takeInvite } from './invite-fragment';

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

  it('tells of an invite that is opened in a running page', () => {
    const listener = jest.fn();
    onInvite(listener);
    open('/join#another', 'hashchange');
    expect(listener).toHaveBeenCalledTimes(1);
    takeInvite();
  });
});
