/** An owner, or a relay in its name, that makes of the log what no honest one does (G3, G11, G16). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { ALARMS_APART } from '../../../libs/client/src/room/state/alarm-flood.js';
import { ITEMS_PER_RECORD } from '../../../libs/client/src/vault/records.js';
import { vaultSize } from '../../support/vault-size.js';
import { published } from '../members/published.js';
import { admitStrangers } from '../members/strangers.js';
import { idOf, Stage } from '../stage.js';

/** Members that its owner leaves without a key. */
const LEFT_OUT = 20;
/** Rotations with no message between them. */
const IN_A_ROW = 60;

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

test('G16 a rotation that leaves many without a key is one line, and what is said after it is drawn after it', async () => {
  expect(LEFT_OUT).toBeGreaterThan(ITEMS_PER_RECORD);
  const { owner, tomas, roomId } = await stage.two();
  const { peer, stolen } = await stage.byHand(owner, roomId);
  const roster = await admitStrangers(stage.relay, { peer, stolen }, LEFT_OUT);
  const leftOut = new Set([...roster.members.keys()].filter((id) => !stolen.roster.members.has(id)));
  const { command } = await stolen.rotation(await published(stage.relay), roster, { leftOut });
  await peer.request('rotate', command);
  await stage.byItself('the key', [tomas], () => tomas.room?.key?.epoch === 2);
  for (const text of ['one', 'two', 'three']) await tomas.say(roomId, text);
  await stage.arrives([tomas], 'one', 'two', 'three');
  await stage.byItself('them to be placed', [tomas], () =>
    tomas.messages.every(({ state }) => state === 'relayed'),
  );
  const drawn = tomas.items.toSorted((a, b) => a.order - b.order);
  expect(new Set(drawn.map(({ order }) => order)).size).toBe(drawn.length);
  const lines = drawn.flatMap((item) =>
    item.type === 'message'
      ? [item.text]
      : item.type === 'system' && item.event === 'rotated'
        ? [item.params.unwrapped]
        : [],
  );
  expect(lines.slice(-4)).toEqual([LEFT_OUT, 'one', 'two', 'three']);
  expect(tomas.alarms).toEqual([]);
});

test('G16 rotations without end come to few lines, whatever a relay takes of them', async () => {
  const { owner, tomas, roomId } = await stage.two();
  const { peer, stolen } = await stage.byHand(owner, roomId);
  const before = tomas.items.length;
  const { records } = vaultSize(tomas);
  for (let at = 0; at < IN_A_ROW; at++) {
    const { core, current } = stolen;
    const { command, newKey: key, newEpoch: epoch } = await stolen.rotation(await published(stage.relay));
    await peer.request('rotate', command);
    stolen.core = { ...core, epoch, keys: [{ ...current, epoch, key }] };
  }
  await stage.byItself('the last key', [tomas], () => tomas.room?.key?.epoch === 1 + IN_A_ROW);
  const lines = tomas.items.slice(before);
  // From the second on they name a transcript of before the one that they follow: each epoch has its fork, counted too.
  expect(new Set(lines.flatMap((line) => (line.type === 'alarm' ? [line.code] : [])))).toEqual(
    new Set(['ALARM_FORK']),
  );
  expect(lines.filter(({ type }) => type === 'alarm').length).toBeLessThanOrEqual(ALARMS_APART + 1);
  expect(lines.length).toBeLessThanOrEqual(2 * ITEMS_PER_RECORD);
  // Of each the rotation, that a room is brought back by, and its place in the log, by which a loss is measured.
  expect(vaultSize(tomas).records - records).toBeLessThanOrEqual(2 * IN_A_ROW + ITEMS_PER_RECORD);
  await tomas.say(roomId, 'still here');
  await stage.arrives([tomas], 'still here');
});
