import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Location } from '@angular/common';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';
import fc from 'fast-check';

import { provideApp } from '../../test-support/render';
import { routes } from './app.routes';

const piece = fc.oneof(
  fc.constantFrom('%', '%2', '%zz', '%E0%A4%A', '%ff', '%00', '%2f', '%23', '%25', '%252f', '/', '//', '?', '&', '=', ';'),
  fc.constantFrom('(', ')', ':', '(aux:x)', ';a=%', '#', '..', '.', '\\', 'é', '\ud800', '__proto__', 'constructor', ' '),
  fc.constantFrom('join', 'room', 'room/', 'members', 'verify', 'settings', 'new', 'unlock', 'relay'),
  fc.string({ unit: 'binary', maxLength: 3 }),
); // prettier-ignore

describe('any address', () => {
  afterEach(() => history.replaceState(null, '', '/'));

  it('leads to a screen: the router throws at none, and tells nobody what it was', async () => {
    provideApp('empty', routes);
    const told: unknown[] = [];
    for (const level of ['log', 'warn', 'error'] as const)
      jest.spyOn(console, level).mockImplementation((...words) => void told.push(...words));
    await RouterTestingHarness.create('/');
    const router = TestBed.inject(Router);
    const location = TestBed.inject(Location);
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const address = `/${pieces.join('')}`;
        await expect(router.navigateByUrl(address)).resolves.not.toBe(undefined);
        expect(router.url.startsWith('/')).toBe(true);
        // As it is when the page is opened there, or gone back to.
        const opened = new URL(document.baseURI);
        opened.pathname = pieces.join('');
        history.replaceState(null, '', opened);
        expect(() => router.parseUrl(location.path(true))).not.toThrow();
      }),
      {
        numRuns: 300,
        examples: [
          [['room/', '%E0%A4%A']],
          [['join', '%23', 'x']],
          [['%']],
          [['(', 'aux:x)']],
          [['room/', '(aux:x)']],
          [['room/', '(', '\u0000', 'room/']],
        ],
      },
    );
    jest.restoreAllMocks();
    expect(told.filter((word) => String(word).includes('%E0%A4%A'))).toEqual([]);
  });
});
