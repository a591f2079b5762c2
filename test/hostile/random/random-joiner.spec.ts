/**
 * A random joiner: whoever has nothing but links and sends claims, requests and confirmations in any order, with any
 * field of them as its schema admits it, under any keys of its own. The owner's client goes on, shows and keeps
 * little of it, gives no key without a proof, and lets in who comes next.
 *
 * `SEED=… RUNS=…` repeats runs; a failure names its seed and the acts until then.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { BURST, JoinerHand } from './joiner-hand.js';
import { People } from './people.js';
import { diceOf, RUNS, SEEDS, Trace } from './seeds.js';
import { idOf, Stage, stageOf } from '../stage.js';

jest.setTimeout(120_000 + RUNS * 120_000);

const STEPS = 60;
const LINKS = 5;
/**
 * What one link may add to what the owner's client shows, and to the log: a refusal with a count, an answer that
 * came to nothing and the new key after it, or a member, its name and what it says of itself.
 */
const ITEMS_A_LINK = 4;
const ITEMS_AT_FIRST = 12;

let stage: Stage;
beforeAll(async () => {
  process.stdout.write(`random joiner: seeds ${SEEDS.join(', ')}\n`);
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

interface Scene {
  readonly owner: Member;
  readonly tomas: Member;
  readonly roomId: string;
  readonly people: People;
  readonly hand: JoinerHand;
  /** joiners that may be answered: approved by the owner, where approval is on */
  readonly approved: Set<string>;
}

const BOUNDS = { items: ITEMS_AT_FIRST + LINKS * ITEMS_A_LINK };

/** Lines of these two arrive, while the other goes on. */
async function goOn({ owner, tomas, roomId, people }: Scene): Promise<void> {
  for (const who of [owner, tomas]) {
    const text = await people.say(who, roomId);
    await until(`${text} to arrive`, async () => {
      await people.confirm(who, roomId);
      return [owner, tomas].every((one) => one.texts.includes(text));
    });
  }
}

/** A link that proves nothing is refused with a count, in one line, and soon not any more; one that was answered has its end. */
function refusalsAreFew({ owner, hand }: Scene): void {
  const refused = owner.items.filter((item) => item.type === 'system' && item.event === 'inviteRefused');
  expect(refused.length).toBeLessThanOrEqual(LINKS * 2);
  expect(hand.longestBurst).toBeLessThan(BURST);
}

/** The owner is asked about some joins, and answers as it likes. */
async function decide(scene: Scene, admit: boolean): Promise<string | null> {
  const { owner, roomId } = scene;
  const [asking] = owner.room?.approvals ?? [];
  if (asking === undefined) return null;
  const { inviteId } = asking;
  if (admit) scene.approved.add(inviteId);
  const outcome = await owner.api.decideJoin(roomId, inviteId, admit);
  return `${admit ? 'admits' : 'declines'} ${inviteId}: ${outcome.ok ? 'done' : outcome.error.code}`;
}

/** No key without a proof, nor, where the owner is asked, without its word. */
function keysWereEarned(
  { owner, hand, approved }: Scene,
  approval: boolean,
  honest: ReadonlySet<string>,
): void {
  for (const { body } of stage.relay.requests('joinReply', idOf(owner))) {
    if (honest.has(body.inviteId)) continue;
    expect([...hand.proven]).toContain(body.inviteId);
    if (approval) expect([...approved]).toContain(body.inviteId);
  }
}

async function run(seed: number): Promise<void> {
  const trace = new Trace(seed);
  await trace.over(async () => {
    const approval = diceOf(seed, -1).once(2);
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100);
    const tomas = await stage.joined(owner, roomId, 'Tomás');
    await stage.settled([owner, tomas], 2);
    if (approval) value(await owner.api.changeSettings(roomId, { rotateEvery: 100, approval }));
    const people = new People(stage);
    for (const who of [owner, tomas]) people.add(who, idOf(who));
    people.owns(owner);
    const honest = new Set(stage.relay.requests('joinReply').map(({ body }) => body.inviteId as string));
    const links: string[] = [];
    for (let left = LINKS; left > 0; left--) links.push((await owner.invite(roomId)).link);
    const hand = await JoinerHand.of(stage.relay, links);
    const scene: Scene = { owner, tomas, roomId, people, hand, approved: new Set() };

    for (let step = 0; step < STEPS; step++) {
      const dice = diceOf(seed, step);
      trace.note(await hand.act(dice));
      const decided = dice.once(3) ? await decide(scene, dice.once(2)) : null;
      if (decided !== null) trace.note(`the owner ${decided}`);
      if (step % 6 === 5) await goOn(scene);
      people.look(roomId, BOUNDS);
      keysWereEarned(scene, approval, honest);
      refusalsAreFew(scene);
    }
    hand.leave();
    trace.note('the joiner is gone');
    await goOn(scene);

    const { link, inviteId } = await owner.invite(roomId);
    honest.add(inviteId);
    const dora = await stage.member('Dora');
    const claims = stage.relay.requests('claim').length;
    value(await dora.api.join(link, 'Dora'));
    const claim = await until('the claim', () => stage.relay.requests('claim').at(claims));
    people.add(dora, claim.memberId);
    if (approval) {
      const asks = () => owner.room?.approvals.some((each) => each.inviteId === inviteId) === true;
      await stage.byItself('her request', [owner], asks);
      value(await owner.api.decideJoin(roomId, inviteId, true));
    }
    await dora.admitted(roomId);
    await stage.arrives([owner, tomas, dora], await people.say(dora, roomId));
    await goOn(scene);
    people.look(roomId, BOUNDS);
    keysWereEarned(scene, approval, honest);
    const rows = value(await owner.api.relaySees(roomId, 500));
    const entries = rows.filter(({ kind, sender }) => kind !== 'message' && sender === idOf(owner));
    expect(entries.length).toBeLessThanOrEqual(ITEMS_AT_FIRST + LINKS * ITEMS_A_LINK);

    await people.reopened(roomId);
    people.look(roomId, BOUNDS);
    for (const who of [dora, tomas, owner]) await people.forget(who, roomId);
    expect(stageOf(owner, roomId)).toBeUndefined();
  });
}

describe('a random joiner', () => {
  test.each(SEEDS)(
    'G2 G14 G16 any claims, requests and confirmations of a link’s holder earn no key unproven, and stop nobody (seed %d)',
    (seed) => run(seed),
  );
});
