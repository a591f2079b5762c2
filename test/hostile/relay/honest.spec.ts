/** Without a lie, the lying relay is a relay: or its tests would show nothing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { epochOf, idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('a relay that could lie and does not', () => {
  test('serves a room: joins, talk, a rotation, a removal, without an alarm', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await tomas.say(roomId, 'hello');
    await Promise.all([owner.has('hello'), ines.has('hello')]);
    value(await owner.api.rotateNow(roomId));
    value(await owner.api.removeMember(roomId, idOf(ines)));
    await until('the third key', () => [owner, tomas].every((who) => epochOf(who) === 3));
    stage.relay.cut();
    await tomas.say(roomId, 'and on');
    await owner.has('and on');
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
    expect(stage.relay.failures).toEqual([]);
  });

  test('shows a hidden copy of a room to some, and nobody can tell from the copy alone', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    stage.relay.place([idOf(ines)], { hidden: true });
    await owner.say(roomId, 'in one world');
    await tomas.has('in one world');
    await until('the other to be there again', () => ines.room?.connection === 'connected');
    await ines.say(roomId, 'in the other');
    await ines.has('in the other');
    expect(ines.texts).toEqual(['in the other']);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
    await stage.relay.reunite();
  });
});
