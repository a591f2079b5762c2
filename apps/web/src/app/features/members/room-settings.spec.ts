import { describe, expect, it } from '@jest/globals';

import { members, submit, texts } from '../../../../test-support/members-screen';
import { element, fill, maybe, settle } from '../../../../test-support/render';
import { wholeOf } from './room-settings';

describe('room settings', () => {
  it('refuses a rotation out of range by its code, and sends nothing', async () => {
    const [fixture, client] = await members('rooms');
    for (const wrong of ['0', '1000001', '-5', '1.5e3', '']) {
      fill(fixture, 'set-every', wrong);
      submit(element(fixture, 'set-every'));
      await settle(fixture);
      expect(element(fixture, 'error').dataset.code).toBe('OUT_OF_RANGE');
      expect(element(fixture, 'set-every').getAttribute('aria-invalid')).toBe('true');
    }
    expect(client.calls.some((call) => call.startsWith('changeSettings'))).toBe(false);
  });

  it('sends what changed and nothing else, and says that it is saved', async () => {
    const [fixture, client] = await members('rooms');
    fill(fixture, 'set-every', '1,000');
    submit(element(fixture, 'set-every'));
    await settle(fixture, 8);
    expect(client.calls).toContain('changeSettings {"rotateEvery":1000}');
    expect(client.calls.some((call) => call.startsWith('renameRoom'))).toBe(false);
    expect(maybe(fixture, 'settings-saved')).not.toBeNull();
    fill(fixture, 'set-name', ' Jeudi ');
    expect(maybe(fixture, 'error')).toBeNull();
    submit(element(fixture, 'set-name'));
    await settle(fixture, 8);
    expect(client.calls).toContain('renameRoom Jeudi');
    expect(client.calls.filter((call) => call.startsWith('changeSettings'))).toHaveLength(1);
  });

  it.each([
    ['set-every', '0', '25', '{"rotateEvery":25}'],
    ['set-history', '1000001', '0', '{"history":0}'],
    ['set-members', '1', '2', '{"maxMembers":2}'],
    ['set-deadline', '0', '90', '{"joinDeadline":5400000}'],
  ] as const)(
    'says at once that %s is out of its bounds, and sends nothing else',
    async (id, wrong, right, sent) => {
      const [fixture, client] = await members('rooms');
      fill(fixture, id, wrong);
      await settle(fixture);
      expect(element(fixture, 'error').dataset.code).toBe('OUT_OF_RANGE');
      expect(texts(element(fixture, 'error'))).toMatch(/from \d+ to [\d,]+ is needed/);
      fill(fixture, id, right);
      await settle(fixture);
      expect(maybe(fixture, 'error')).toBeNull();
      submit(element(fixture, id));
      await settle(fixture, 8);
      expect(client.calls.filter((call) => call.startsWith('changeSettings'))).toEqual([
        `changeSettings ${sent}`,
      ]);
    },
  );

  it('takes back a change that waits', async () => {
    const [fixture, client] = await members('rooms');
    const settings = { rotateEvery: 50, approval: false, history: 9, maxMembers: 9, joinDeadline: 60_000 };
    client.pushRoom({ settings: { ...settings, rotateEvery: 100 }, settingsWished: settings });
    await settle(fixture, 4);
    expect((element(fixture, 'set-every') as HTMLInputElement).value).toBe('50');
    expect(maybe(fixture, 'settings-wait')).not.toBeNull();
    fill(fixture, 'set-every', '100');
    submit(element(fixture, 'set-every'));
    await settle(fixture, 8);
    expect(client.calls).toContain('changeSettings {"rotateEvery":100}');
    client.pushRoom({ settings: { ...settings, rotateEvery: 100 }, settingsWished: null });
    await settle(fixture, 4);
    expect(maybe(fixture, 'settings-wait')).toBeNull();
  });

  it('leaves a deadline between two minutes as it is, unless it is changed', async () => {
    const [fixture, client] = await members('rooms');
    client.pushRoom({
      settings: { rotateEvery: 100, approval: true, history: 9, maxMembers: 9, joinDeadline: 90_500 },
    });
    await settle(fixture, 4);
    element(fixture, 'set-approval').click();
    submit(element(fixture, 'set-every'));
    await settle(fixture, 8);
    expect(client.calls).toContain('changeSettings {"approval":false}');
  });

  it('does not undo what is typed when the room is told again', async () => {
    const [fixture, client] = await members('rooms');
    fill(fixture, 'set-name', 'Half a na');
    await client.rotateNow();
    await settle(fixture, 4);
    expect((element(fixture, 'set-name') as HTMLInputElement).value).toBe('Half a na');
  });

  it('wants a name', async () => {
    const [fixture] = await members('rooms');
    fill(fixture, 'set-name', '  ');
    submit(element(fixture, 'set-name'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('NAME_EMPTY');
  });

  it('reads numbers however they are grouped', () => {
    const whole = (text: string): number | null => wholeOf(text, 1, 1_000_000);
    expect(['1', '1 000', '1\u202f000\u202f000', '1,000', "10'000"].map(whole)).toEqual([
      1, 1_000, 1_000_000, 1_000, 10_000,
    ]);
    expect(['', '0', '1000001', '1.5', '0,5', 'ten', '-1', '99999999'].map(whole)).toEqual(
      Array(8).fill(null),
    );
  });
});
