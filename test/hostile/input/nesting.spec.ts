/** Content nested as deep as the codec lets it, by a member's own hand: it stops nobody (G6, G10, G14, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { DEEPEST, nested, sealAnything, withLoneSurrogate } from '../members/unchecked.js';
import { epochOf, idOf, namesIn, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Shown in its place: as an alarm, or as a line that takes a newer client. */
const inItsPlace = (who: Member): boolean =>
  who.items.some((item) => item.type === 'alarm' || (item.type === 'message' && item.unsupported));

describe('content that cannot be kept as it is', () => {
  test.each(['hologram', 'text'])(
    'G6 G16 nested to the codec’s limit, of type %s, is shown in its place, stops nobody, and is there after a restart',
    async (type) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const { peer, stolen } = await stage.byHand(tomas, roomId);
      const deep = { content: { type, text: nested(DEEPEST) } };
      await peer.request('append', { messages: [sealAnything(stolen, deep)] });
      await stage.goesOn(roomId, [owner, ines], 'above it,');
      for (const who of [owner, ines]) {
        expect(inItsPlace(who)).toBe(true);
        const { items } = who;
        await who.leave();
        await who.comeBack(roomId);
        await who.live();
        expect(who.items).toEqual(items);
      }
      await stage.goesOn(roomId, [owner, ines], 'after a restart,');
      peer.leave();
    },
  );

  test('G10 nested to the codec’s limit does not keep its sender from being removed', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const deep = { content: { type: 'hologram', text: nested(DEEPEST) } };
    await peer.request('append', { messages: [sealAnything(stolen, deep)] });
    await stage.byItself('the content to arrive', [owner], () =>
      stage.relay
        .entriesTo(idOf(owner))
        .some(({ sender, payload }) => sender === stolen.me && payload.length > 0),
    );
    value(await owner.api.removeMember(roomId, stolen.me));
    await stage.byItself('the next key', [owner, ines], () =>
      [owner, ines].every((who) => epochOf(who) === 2),
    );
    expect(namesIn(ines)).toEqual(['Amina', 'Inès']);
    await stage.goesOn(roomId, [owner, ines], 'without him,');
    peer.leave();
  });

  test('G6 G16 of text with half a letter on its way is an alarm in its place, and stops nobody', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const half = sealAnything(stolen, { content: { type: 'text', text: 'x\ufffdy' } }, withLoneSurrogate);
    await peer.request('append', { messages: [half] });
    await stage.goesOn(roomId, [owner, ines], 'above it,');
    for (const who of [owner, ines]) expect(inItsPlace(who)).toBe(true);
    peer.leave();
  });
});
