import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { Preferences } from '../../core/preferences';

const marks = (root: HTMLElement) =>
  [...root.querySelectorAll('[data-testid="time-doubtful"]')].map((mark) =>
    mark.textContent.replace(/\s+/g, ' ').trim(),
  );

describe('a time that cannot be relied on', () => {
  it.each([
    ['en', 'Time uncertain: the sender’s clock', 'Time uncertain: the relay’s clock'],
    ['fr', 'Heure incertaine : les horloges de l’expéditeur', 'Heure incertaine : les horloges du relais'],
  ] as const)('is marked in words, in the conversation and in what the relay has (%s)', async (language, sender, relay) => {
    provideApp('doubtful', routes);
    TestBed.inject(Preferences).chooseLanguage(language);
    const { fixture } = await visit('/room/room-rive');
    await settle(fixture, 8);
    const said = marks(fixture.nativeElement as HTMLElement);
    expect(said.filter((text) => text.startsWith(sender))).toHaveLength(2);
    expect(said.filter((text) => text.startsWith(relay))).toHaveLength(2);
    expect(said).toHaveLength(4);
  }); // prettier-ignore

  it('is not marked where it can', async () => {
    provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive');
    await settle(fixture, 8);
    expect(marks(fixture.nativeElement as HTMLElement)).toEqual([]);
  });

  it('is marked beside what the relay has', async () => {
    provideApp('doubtful', routes);
    const { fixture } = await visit('/room/room-rive/relay');
    await settle(fixture, 8);
    expect(marks(fixture.nativeElement as HTMLElement).length).toBeGreaterThan(0);
  });
});
