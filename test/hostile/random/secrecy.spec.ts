/**
 * One story of a room, judged by the oracle of the random relay: an admission that a line has waited over, a key that one
 * member lacks and whose request comes again later, a removal that is kept back, two losses, a hand-over. Each of the lies
 * would open something if a client did one thing less; the oracle knows none of them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { hurried, openOver } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { rotated } from '../acts.js';
import { epochOf, idOf, Stage, stageOf } from '../stage.js';
import { RelayStory } from './relay-story.js';
import { arrives, talk, verdict, whole } from './whole.js';

jest.setTimeout(300_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openOver(hurried(8)));
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Every lie of a test's own ends; those of a relay without a script go on. */
async function said(story: RelayStory, who: Member): Promise<string> {
  const text = story.people.words(who);
  await story.writes(who, text);
  await arrives(story, text);
  return text;
}

/** Tomás writes before Dora comes in, and the relay takes nothing of his before she has. */
async function waitsOverAnAdmission(story: RelayStory, owner: Member, tomas: Member): Promise<Member> {
  let refuses = true;
  stage.relay.onRequest('append', ({ memberId }) =>
    refuses && memberId === idOf(tomas) ? { refuse: 'TRY_AGAIN' } : undefined,
  );
  const text = story.people.words(tomas);
  await story.writes(tomas, text);
  await story.newcomer(owner);
  const dora = await until('Dora to be in', async () => {
    await story.look();
    return story.inside.find(({ name }) => name === 'Dora');
  });
  await stage.byItself('Tomás to see her', [tomas], () => tomas.room?.members.length === story.inside.length);
  refuses = false;
  stage.relay.cut(idOf(tomas));
  const state = () => tomas.messages.find((line) => line.text === text);
  await stage.byItself('his line to ask, or to be gone', [tomas], () =>
    ['waiting', 'relayed'].includes(state()?.state ?? ''),
  );
  for (const id of tomas.room?.held ?? []) value(await tomas.api.discard(story.roomId, id));
  return dora;
}

/** Inès gets no wrap, her request for the key goes nowhere, and comes to the owner an epoch later. */
async function asksTooEarly(story: RelayStory, owner: Member, ines: Member): Promise<void> {
  let swallows = true;
  const bare = stage.relay;
  bare.onEntries(({ memberId }, entries) => {
    if (!swallows || memberId !== idOf(ines)) return undefined;
    return entries.map(({ wrap: _, ...entry }) => entry);
  });
  bare.onRequest('needKey', ({ memberId }) => (swallows && memberId === idOf(ines) ? 'drop' : undefined));
  const epoch = epochOf(owner) + 1;
  value(await owner.api.rotateNow(story.roomId));
  const { request } = (await until('her request', () => bare.requests('needKey', idOf(ines)).at(0))).body;
  await story.look();
  await rotated(owner, story.roomId, [owner]);
  expect(epochOf(owner)).toBe(epoch + 1);
  bare.tell(idOf(owner), 'keyNeeded', { from: idOf(ines), request });
  swallows = false;
  bare.cut(idOf(ines));
  await whole(story);
}

/** The relay keeps Inès's removal to itself; its owner writes on. */
async function keepsARemovalBack(
  story: RelayStory,
  owner: Member,
  ines: Member,
  dora: Member,
): Promise<void> {
  let swallows = true;
  stage.relay.onRequest('roster', () => (swallows ? 'drop' : undefined));
  story.removed.push(idOf(ines));
  value(await owner.api.removeMember(story.roomId, idOf(ines)));
  await until('the removal to be swallowed', () => stage.relay.requests('roster', idOf(owner)).length > 0);
  await stage.byItself(
    'the owner’s page to tell',
    [owner],
    () => owner.room?.members.some(({ removing }) => removing) === true,
  );
  await story.writes(owner, story.people.words(owner));
  // Who cannot know of it goes on, and has gone on for long enough for the owner's line to go out too.
  await said(story, dora);
  swallows = false;
  stage.relay.cut(idOf(owner));
  await stage.byItself('her to be gone', [ines], () => stageOf(ines, story.roomId) === 'removed');
  await whole(story);
}

async function handsOver(story: RelayStory, owner: Member, tomas: Member): Promise<void> {
  value(await owner.api.offerOwnership(story.roomId, idOf(tomas)));
  await stage.byItself('the offer', [tomas], () => tomas.room?.ownershipTransfer?.role === 'offered');
  await story.people.accepts(tomas, story.roomId);
  await stage.byItself('his room', [tomas], () => tomas.room?.owner === true);
  await whole(story);
}

describe('a story of admission, removal, two losses and a hand-over', () => {
  test('G8 G9 G10 G18 opens to nobody what was not for it', async () => {
    const story = await RelayStory.begin(stage, 0, { names: ['Amina', 'Tomás', 'Inès'], rotateEvery: 100 });
    try {
      const { roomId } = story;
      const [owner, tomas, ines] = story.people.all as [Member, Member, Member];
      story.snapshot();
      const early = [await said(story, owner), await said(story, tomas)];
      await story.steals(tomas);
      await rotated(owner, roomId, [owner, tomas, ines]);
      await said(story, tomas);
      await story.steals(owner);
      await rotated(owner, roomId, [owner, tomas, ines]);
      await story.joinsHalf(owner);
      await asksTooEarly(story, owner, ines);
      await said(story, ines);
      const dora = await waitsOverAnAdmission(story, owner, tomas);
      // One that is made up in one word, and undone by the next start; one that is true, of all that anybody ever wrote.
      for (const who of story.inside)
        stage.relay.tell(idOf(who), 'generation', { generation: Date.now(), from: { g: 1, s: 0 } });
      await said(story, owner);
      await keepsARemovalBack(story, owner, ines, dora);
      await story.putsBackTheFirst();
      await whole(story);
      await said(story, tomas);
      await handsOver(story, owner, tomas);
      const { faults, record, attackers } = await verdict(story, await talk(story));
      expect(faults).toEqual([]);
      const thief = attackers.find(({ name }) => name.startsWith('thief of Tomás’s device'));
      const opened = (thief?.secrets.keys ?? []).flatMap(({ epoch, key }) => record.openedUnder(epoch, key));
      const texts = opened.flatMap(({ content }) => ('text' in content ? [content.text] : []));
      expect(texts).toEqual(expect.arrayContaining(early));
    } finally {
      await story.close();
    }
  });
});
