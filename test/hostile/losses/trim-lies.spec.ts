/** Trimming as a lie, and as the truth (docs/protocol.md section 8): G6, G7, G10, G11. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bytes, Position } from '@0fc/protocol';
import { value, type Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { published } from '../members/published.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { epochOf, idOf, namesIn, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** The ranges that a member is shown as missed. */
const missedBy = (who: Member): readonly (readonly [number, number])[] =>
  who.items.flatMap((item) =>
    item.type === 'system' && item.event === 'missed'
      ? [[Number(item.params.from), Number(item.params.to)] as const]
      : [],
  );

const placeOf = async (who: Member, roomId: string): Promise<{ position: Position; t: Bytes }> =>
  (await Stolen.from(who, roomId)).core;

/** Says to one member alone, from its next page on, that the log begins after a place. */
function trimFor(who: Member, { position, t }: { position: Position; t: Bytes }): void {
  const me = idOf(who);
  stage.relay.onReply('open', (client, reply) => {
    if (client.memberId !== me) return undefined;
    const entries = reply.entries.filter(({ position: { s } }) => s > position.s);
    return { ...reply, trimmed: position, trimmedT: t, entries };
  });
}

async function says(
  who: Member,
  roomId: string,
  texts: readonly string[],
  to: readonly Member[],
): Promise<void> {
  for (const text of texts) await who.say(roomId, text);
  await Promise.all([who, ...to].map((one) => one.has(...texts)));
}

describe('a log that was trimmed', () => {
  test('G6 tells who was away exactly what it missed, and goes on as before', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { position } = await placeOf(ines, roomId);
    await ines.leave();
    await says(owner, roomId, ['one', 'two', 'three'], [tomas]);
    await says(tomas, roomId, ['four', 'five'], [owner]);
    await stage.relay.world.trim(roomId, 0);
    await says(owner, roomId, ['six'], [tomas]);
    let edge = 0;
    stage.relay.onReply('open', (_, reply) => {
      edge = reply.trimmed.s;
      return undefined;
    });
    await ines.comeBack(roomId);
    await ines.has('six');
    expect(edge).toBeGreaterThan(position.s + 1);
    expect(missedBy(ines)).toEqual([[position.s + 1, edge]]);
    const kept = ['one', 'two', 'three', 'four', 'five', 'six'].slice(edge - position.s);
    expect(ines.texts).toEqual(kept);
    await says(ines, roomId, ['and what was it?'], [owner, tomas]);
    await says(tomas, roomId, ['nothing much'], [owner, ines]);
    await stage.level([owner, tomas, ines]);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('G16 with a rotation in what went: who was away reads and writes on, with the key that its wrap brings', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await ines.leave();
    value(await owner.api.rotateNow(roomId));
    await until('the second key', () => [owner, tomas].every((who) => epochOf(who) === 2));
    await says(owner, roomId, ['one', 'two'], [tomas]);
    await stage.relay.world.trim(roomId, 0);
    await says(tomas, roomId, ['three'], [owner]);
    // Nobody who could give her a key is there.
    await owner.leave();
    await ines.comeBack(roomId);
    await ines.has('three');
    expect(epochOf(ines)).toBe(2);
    await says(ines, roomId, ['here again'], [tomas]);
    await owner.comeBack(roomId);
    await owner.has('here again');
    await stage.level([owner, tomas, ines]);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('G16 with several rotations in what went: who was away asks for the key, and then reads and writes on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await ines.leave();
    for (const epoch of [2, 3, 4]) {
      value(await owner.api.rotateNow(roomId));
      await until('the next key', () => [owner, tomas].every((who) => epochOf(who) === epoch));
    }
    value(await owner.api.changeSettings(roomId, { ...owner.room!.settings, rotateEvery: 50 }));
    await until('the settings', () => tomas.room?.settings.rotateEvery === 50);
    await says(owner, roomId, ['one'], [tomas]);
    await stage.relay.world.trim(roomId, 0);
    await says(tomas, roomId, ['two'], [owner]);
    await owner.leave();
    await ines.comeBack(roomId);
    await ines.live();
    const asked = (): number => stage.relay.requests('needKey', idOf(ines)).length;
    await until('her to ask for the key', () => asked() > 0);
    expect(ines.texts).not.toContain('two');
    await owner.comeBack(roomId);
    await ines.has('two');
    expect(epochOf(ines)).toBe(4);
    await says(ines, roomId, ['here again'], [owner, tomas]);
    // The next key comes to her as to anybody.
    value(await owner.api.rotateNow(roomId));
    await until('the next key', () => [owner, tomas, ines].every((who) => epochOf(who) === 5));
    await says(ines, roomId, ['and on'], [owner, tomas]);
    await stage.level([owner, tomas, ines]);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test.each(['another’s', 'any bytes'] as const)(
    'G11 with a rotation beside it that is none (%s): shown, and moves nobody’s epoch',
    async (what) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const thief = await Stolen.from(tomas, roomId);
      const me = idOf(ines);
      await ines.leave();
      await says(owner, roomId, ['one'], [tomas]);
      const { position, t } = await placeOf(tomas, roomId);
      const { command } = await thief.rotation(await published(stage.relay), {
        ...thief.roster,
        owner: thief.me,
      });
      const clear = what === 'any bytes' ? new Uint8Array(80) : command.clear;
      const { payload, wraps } = command;
      const wrap = wraps[me] ?? new Uint8Array(1);
      const rotation = {
        ...entryAt(position, 'rotation', idOf(owner), { clear, payload, wrap }),
        kind: 'rotation' as const,
      };
      stage.relay.onReply('open', (client, reply) =>
        client.memberId === me
          ? { ...reply, trimmed: position, trimmedT: t, entries: [], rotation }
          : undefined,
      );
      await ines.comeBack(roomId);
      await stage.alarm(ines, 'ALARM_FOREIGN_ROTATION');
      stage.relay.honest();
      expect(epochOf(ines)).toBe(1);
      await says(owner, roomId, ['two'], [tomas, ines]);
    },
  );

  test('G7 with a false transcript at its edge is told by the next message of anybody who has read it', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await ines.leave();
    await says(owner, roomId, ['kept from Inès'], [tomas]);
    const place = await placeOf(tomas, roomId);
    trimFor(ines, { ...place, t: new Uint8Array(64).fill(7) });
    await ines.comeBack(roomId);
    await ines.live();
    await says(tomas, roomId, ['well?'], [owner, ines]);
    await stage.alarm(ines, 'ALARM_FORK');
    // The others see that hers is another one as well, and nothing else.
    expect(new Set([owner, tomas, ines].flatMap(({ alarms }) => alarms))).toEqual(new Set(['ALARM_FORK']));
  });
});

describe('a range that one member alone is told to have missed', () => {
  test('G6 is shown to it with its places, though all others have acknowledged nothing of the kind', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { position } = await placeOf(ines, roomId);
    await ines.leave();
    await says(owner, roomId, ['kept', 'from'], [tomas]);
    await stage.level([owner, tomas]);
    const first = await placeOf(tomas, roomId);
    await says(owner, roomId, ['Inès'], [tomas]);
    await stage.level([owner, tomas]);
    const second = await placeOf(tomas, roomId);
    trimFor(ines, first);
    await ines.comeBack(roomId);
    await ines.has('Inès');
    expect(missedBy(ines)).toEqual([[position.s + 1, first.position.s]]);
    // Ranges that overlap what is here take nothing away and are not shown twice.
    for (const place of [first, second, { ...first, position: { g: 1, s: position.s } }]) {
      stage.relay.honest();
      trimFor(ines, place);
      const opens = (): number => stage.relay.requests('open', idOf(ines)).length;
      const before = opens();
      stage.relay.cut(idOf(ines));
      await until('her to read again', () => opens() > before);
      await ines.live();
    }
    stage.relay.honest();
    await says(owner, roomId, ['at last'], [tomas, ines]);
    expect(missedBy(ines)).toEqual([[position.s + 1, first.position.s]]);
    expect(ines.texts).toEqual(['Inès', 'at last']);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('G6 of ranges that overlap each other tells each place once', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { position } = await placeOf(ines, roomId);
    const me = idOf(ines);
    await ines.leave();
    const places: { position: Position; t: Bytes }[] = [];
    for (const text of ['a', 'b', 'c', 'd']) {
      await says(owner, roomId, [text], [tomas]);
      await stage.level([owner, tomas]);
      places.push(await placeOf(tomas, roomId));
    }
    const [, second, , fourth] = places;
    // One page says that the log begins after the second, the next one after the fourth, then after the second again.
    const said = [second!, fourth!, second!];
    let page = 0;
    stage.relay.onReply('open', (client, reply) => {
      if (client.memberId !== me) return undefined;
      const { position: trimmed, t: trimmedT } = said[page] ?? second!;
      page += 1;
      return { ...reply, trimmed, trimmedT, entries: [], live: page > 2 };
    });
    await ines.comeBack(roomId);
    await ines.live();
    stage.relay.honest();
    await says(tomas, roomId, ['e'], [owner, ines]);
    expect(missedBy(ines)).toEqual([[position.s + 1, fourth!.position.s]]);
    expect(ines.texts).toEqual(['e']);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

describe('a trimmed range that hides', () => {
  test('G10 a removal and its rotation: the chain is fetched, and nothing is sealed for the old key', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await ines.leave();
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await until('the second key', () => epochOf(owner) === 2);
    await says(owner, roomId, ['without Tomás'], []);
    await stage.level([owner]);
    trimFor(ines, await placeOf(owner, roomId));
    const asked = stage.relay.requests('append', idOf(ines)).length;
    await ines.comeBack(roomId);
    await ines.say(roomId, 'who reads this?');
    await until('the removal to be known', () => !namesIn(ines).includes('Tomás'));
    expect(ines.room?.paused).toBe('departure');
    expect(stage.relay.requests('chain', idOf(ines)).length).toBeGreaterThan(0);
    // The rotation that the range hides is read once the relay serves it, with a key that the removed has not.
    expect(stage.relay.requests('append', idOf(ines)).length).toBe(asked);
    stage.relay.honest();
    await owner.has('who reads this?');
    const sealed = stage.relay.requests('append', idOf(ines)).slice(asked);
    expect(sealed.length).toBeGreaterThan(0);
    for (const { body } of sealed)
      for (const { clear } of body.messages)
        expect(Buffer.from(clear).toString('latin1')).toContain('epoch\x02');
  });
});
