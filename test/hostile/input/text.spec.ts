/** Half a letter (a lone surrogate), typed or pasted anywhere: it is replaced before it is sealed (G14, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { namesIn, Stage } from '../stage.js';

const HALF = 'x\ud800y';
const WHOLE = 'x\ufffdy';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Shown by everybody, before a restart of each and after it, and the room goes on. */
async function stays(roomId: string, all: readonly Member[], shown: (who: Member) => boolean): Promise<void> {
  await stage.byItself('the text to be shown', all, () => all.every(shown));
  await stage.goesOn(roomId, all, 'above it,');
  for (const who of all) {
    await who.leave();
    await who.comeBack(roomId);
    await who.live();
    expect(shown(who)).toBe(true);
  }
  await stage.goesOn(roomId, all, 'after a restart,');
  expect(all.flatMap(({ alarms }) => alarms)).toEqual([]);
}

type Acts = Readonly<Record<string, (who: Member, roomId: string, line: string) => Promise<unknown>>>;
const said: Acts = {
  'a line': (who, roomId) => who.api.sendText(roomId, HALF),
  'an answer': (who, roomId, line) => who.api.reply(roomId, line, HALF),
  'another wording': (who, roomId, line) => who.api.editMessage(roomId, line, HALF),
};

describe('half a letter', () => {
  test.each(Object.entries(said))(
    'G16 in %s is replaced, and the line and the room go on',
    async (_, say) => {
      const { owner, tomas, roomId } = await stage.two();
      const { id } = value(await tomas.api.sendText(roomId, 'before'));
      await stage.arrives([owner, tomas], 'before');
      expect(await say(tomas, roomId, id)).toMatchObject({ ok: true });
      await stays(roomId, [owner, tomas], ({ texts }) => texts.includes(WHOLE));
    },
  );

  test('G16 in a reaction is replaced, and the room goes on', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { id } = value(await tomas.api.sendText(roomId, 'before'));
    await stage.arrives([owner, tomas], 'before');
    expect(await tomas.api.react(roomId, id, '\ud83d', true)).toMatchObject({ ok: true });
    await stays(roomId, [owner, tomas], ({ messages }) =>
      messages.some(({ reactions }) => reactions.some(({ emoji }) => emoji === '\ufffd')),
    );
  });

  test('G16 in the name of a member or of the room is replaced, and the room goes on', async () => {
    const { owner, tomas, roomId } = await stage.two();
    expect(await tomas.api.renameMe(roomId, HALF)).toMatchObject({ ok: true });
    expect(await owner.api.renameRoom(roomId, `room ${HALF}`)).toMatchObject({ ok: true });
    await stays(
      roomId,
      [owner, tomas],
      (who) => namesIn(who).includes(WHOLE) && who.room?.name === `room ${WHOLE}`,
    );
  });

  test('G16 in the names that a room begins with, and a join, is replaced, and both go on', async () => {
    const owner = await stage.member('Amina');
    const options = { name: `room ${HALF}`, displayName: `A ${HALF}`, rotateEvery: 100, approval: false };
    const made = await owner.api.createRoom(options);
    expect(made).toMatchObject({ ok: true });
    const { roomId } = value(made);
    await owner.watch(roomId);
    await owner.live();
    const tomas = await stage.member('Tomás');
    const { link } = await owner.invite(roomId);
    expect(await tomas.api.join(link, `T ${HALF}`)).toMatchObject({ ok: true });
    await tomas.admitted(roomId);
    await stays(roomId, [owner, tomas], (who) => {
      const names = namesIn(who);
      return (
        names.includes(`A ${WHOLE}`) && names.includes(`T ${WHOLE}`) && who.room?.name === `room ${WHOLE}`
      );
    });
  });

  test('G14 in a draft is kept over a restart, and the room goes on', async () => {
    const { owner, tomas, roomId } = await stage.two();
    expect(await tomas.api.setDraft(roomId, HALF)).toMatchObject({ ok: true });
    await tomas.leave();
    await tomas.comeBack(roomId);
    expect(tomas.room?.draft).toBe(WHOLE);
    await stage.goesOn(roomId, [owner, tomas], 'beside it,');
  });
});
