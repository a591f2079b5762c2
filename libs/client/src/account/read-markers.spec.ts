/** Read markers (docs/protocol.md section 6): few, and never an answer to one another. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { ReadMarkers } from './read-markers.js';
import { change } from '../room/log/log.spec-support.js';
import { set } from '../room/state/draft.js';
import { stage, type Stage } from '../view/room.spec-support.js';

let on: Stage;
let markers: ReadMarkers;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  on = await stage();
  on.fake.live = false;
  markers = new ReadMarkers(on.fake.platform);
});

const readAll = async (): Promise<void> => {
  const { state } = on.source;
  await change(state, set({ readIndex: state.core.nextIndex }));
  await markers.announce(on.room);
};
const told = (): readonly unknown[] =>
  [...on.source.state.outbox.values()].flatMap(({ content }) =>
    content.type === 'readMarker' ? [content.position] : [],
  );

test('a message of another is told of once', async () => {
  await on.take(await on.log.say(on.log.owner, 'hello'));
  const position = { ...on.log.position };
  await readAll();
  await readAll();
  on.clock.advance(60_000);
  await readAll();
  expect(told()).toEqual([position]);
});

test('own messages, reactions, edits and markers are no reason for one', async () => {
  await on.take(await on.log.say(on.log.owner, 'hello'));
  await readAll();
  const to = { sender: on.log.owner.id, instance: on.log.owner.instance, n: 1 };
  await on.take(
    await on.log.say(on.guest, 'mine'),
    await on.send(on.log.owner, { type: 'reaction', to, emoji: '👍', on: true }),
    await on.send(on.log.owner, { type: 'edit', to, text: 'hello there' }),
    await on.send(on.log.owner, { type: 'readMarker', position: { ...on.log.position } }),
    await on.send(on.log.owner, { type: 'profile', name: 'Amina' }),
  );
  on.clock.advance(60_000);
  await readAll();
  expect(told()).toHaveLength(1);
});

test('of many messages at most one marker in three seconds, and the last one is told', async () => {
  for (let n = 0; n < 7; n++) {
    await on.take(await on.log.say(on.log.owner, `message ${String(n)}`));
    await readAll();
    on.clock.advance(1_000);
    await on.fake.settled();
  }
  const last = { ...on.log.position };
  on.clock.advance(3_000);
  await on.fake.settled();
  expect(told()).toHaveLength(4);
  expect(told().at(-1)).toEqual(last);
});

test('what came after the mark was set is not told of as read', async () => {
  await on.take(await on.log.say(on.log.owner, 'read'));
  await readAll();
  await on.take(await on.log.say(on.log.owner, 'read too'));
  const read = { ...on.log.position };
  await readAll();
  await on.take(await on.log.say(on.log.owner, 'not looked at'));
  on.clock.advance(3_000);
  await on.fake.settled();
  expect(told().at(-1)).toEqual(read);
});

test.each<[string, Parameters<typeof set>[0]]>([
  ['a room that is paused', { paused: true }],
  ['who is no member any more', { stage: 'removed' }],
])('none from %s', async (_who, fields) => {
  await on.take(await on.log.say(on.log.owner, 'hello'));
  await change(on.source.state, set(fields));
  await readAll();
  expect(told()).toEqual([]);
});

test('none after the end', async () => {
  await on.take(await on.log.say(on.log.owner, 'one'));
  await readAll();
  await on.take(await on.log.say(on.log.owner, 'two'));
  await readAll();
  markers.stop();
  on.clock.advance(60_000);
  await on.fake.settled();
  expect(told()).toHaveLength(1);
});
