/** A relay that somebody meets who comes or who goes: its word ends no join, keeps nobody, and loses no line (G14). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { equalBytes } from '@0fc/protocol';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { joinOf } from '../members/stolen.js';
import { codeOf, failureOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const stateOf = (who: Member, text: string): string | undefined =>
  who.messages.find((message) => message.text === text)?.state;

describe('“declined”', () => {
  test('G2 G14 said by the relay alone ends no join: the same link goes on with the same key and token', async () => {
    const { owner, tomas, roomId } = await stage.two();
    // The owner hears of nobody.
    stage.relay.onEvent('join', () => null);
    const declined = { stage: 'dropped', reason: 'declined' } as const;
    stage.relay.onReply('joinRequest', () => declined);
    stage.relay.onReply('claim', () => declined);
    const { link } = await owner.invite(roomId);
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await stage.byItself('the lie to be told', [owner], () => failureOf(dora) === 'JOIN_DECLINED');
    const asked = stage.relay.requests('claim').at(-1)?.memberId;
    await dora.leave();
    const before = await joinOf(dora, roomId);
    expect(before?.token).toHaveLength(32);
    await dora.comeBack();
    stage.relay.honest();
    // Opened again, it is the same join.
    expect(value(await dora.api.previewInvite(link)).resumes).toBe(true);
    value(await dora.api.join(link, 'Dora'));
    await stage.byItself('her to ask again', [owner], () => stage.relay.requests('joinRequest').length > 0);
    stage.relay.cut(idOf(owner));
    await stage.byItself('her to come in', [owner], () => stageOf(dora, roomId) === 'member');
    await dora.watch(roomId);
    await stage.goesOn(roomId, [owner, tomas, dora], 'with her,');
    expect(idOf(dora)).toBe(asked);
    const request = stage.relay.requests('joinRequest').at(-1)?.body.request;
    expect(before !== null && request !== undefined && equalBytes(before.request, request)).toBe(true);
  });
});

describe('a request to leave', () => {
  test('G14 that the relay swallows keeps nobody: the room is forgotten at once, after being asked for that alone', async () => {
    const { owner, tomas, roomId } = await stage.two();
    expect(codeOf(await tomas.api.forgetRoom(roomId, true))).toBe('STILL_MEMBER');
    stage.relay.onRequest('leaveRequest', () => ({
      answer: { placed: { position: { g: 1, s: 9 }, time: Date.now() } },
    }));
    value(await tomas.api.leaveRoom(roomId));
    await stage.byItself(
      'the request to be sent',
      [tomas],
      () => stage.relay.requests('leaveRequest').length > 0,
    );
    expect(codeOf(await tomas.api.forgetRoom(roomId))).toBe('STILL_MEMBER');
    expect(stageOf(tomas, roomId)).toBe('member');
    value(await tomas.api.forgetRoom(roomId, true));
    await stage.byItself('the room to be gone', [owner], () => stageOf(tomas, roomId) === undefined);
    await tomas.leave();
    await tomas.comeBack();
    expect(stageOf(tomas, roomId)).toBeUndefined();
    // What he was warned of: nobody has learned of it.
    await stage.goesOn(roomId, [owner], 'after it,');
    expect(namesIn(owner)).toContain('Tomás');
  });
});

describe('a line that waits when its writer’s membership ends', () => {
  test.each(['removed', 'closed', 'left', 'gone'] as const)(
    'G16 is shown as not sent, with its text, where that is %s, and after a restart',
    async (how) => {
      const { owner, tomas, roomId } = await stage.two();
      stage.relay.onRequest('append', ({ memberId }) => (memberId === idOf(tomas) ? 'drop' : undefined));
      const text = 'not in time';
      value(await tomas.api.sendText(roomId, text));
      await stage.byItself('the line to wait', [owner], () => stateOf(tomas, text) === 'sending');
      if (how === 'removed') value(await owner.api.removeMember(roomId, idOf(tomas)));
      if (how === 'closed') value(await owner.api.closeRoom(roomId));
      if (how === 'left') value(await tomas.api.leaveRoom(roomId));
      if (how === 'gone') {
        stage.relay.onReply('open', ({ memberId }) =>
          memberId === idOf(tomas) ? { code: 'ROOM_UNKNOWN' } : undefined,
        );
        stage.relay.cut(idOf(tomas));
      } else await stage.byItself('the end', [owner], () => stageOf(tomas, roomId) === how);
      await stage.byItself('the line to be told', [owner], () => stateOf(tomas, text) === 'unsent');
      await tomas.leave();
      await tomas.comeBack(roomId);
      await stage.byItself('it to be told again', [owner], () => stateOf(tomas, text) === 'unsent');
      expect(tomas.room?.held).toEqual([]);
      if (how !== 'gone') return;
      // The relay’s word alone: once it takes that back, the line goes.
      stage.relay.honest();
      value(await tomas.api.resumeRoom(roomId));
      await stage.arrives([owner, tomas], text);
    },
  );
});
