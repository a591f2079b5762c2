/** An owner, or a relay in its name, that makes of the log what no honest one does (G3, G11, G16). */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { value } from '../support/member.js';
import { openHurried } from '../support/platform.js';
import { idOf, Stage } from './stage.js';

jest.setTimeout(120_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

test('G3 G11 a change of the settings is its owner’s doing on every page, whoever the relay names as its sender', async () => {
  const { owner, tomas, ines, roomId } = await stage.three();
  stage.relay.onEntries((_, entries) =>
    entries.map((entry) => (entry.kind === 'roster' ? { ...entry, sender: idOf(ines) } : entry)),
  );
  value(await owner.api.changeSettings(roomId, { rotateEvery: 77, approval: false }));
  const line = () => tomas.items.findLast((item) => item.type === 'system' && item.event === 'settings');
  await stage.byItself('the line', [tomas], line);
  expect(line()).toMatchObject({ params: { actor: 'Amina', actorMe: 0 } });
});
