/**
 * A random relay: whatever its schemas admit it says, at any time, to people who talk, come, go, are removed, hand over
 * and restart. At the end every byte that it was ever handed is tried with every key that each attacker can reach; what
 * opens is what the guarantees allow. And once the relay is honest, everybody writes and reads again, with no other act of a
 * user than those that the protocol names.
 *
 * `SEED=… RUNS=…` repeats runs; a failure names its seed and the acts until then.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { hurried, openOver } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { vaultSize } from '../../support/vault-size.js';
import { act } from './relay-acts.js';
import { RelayStory } from './relay-story.js';
import { diceOf, RUNS, SEEDS, Trace } from './seeds.js';
import { Stage } from '../stage.js';
import { talk, verdict, whole } from './whole.js';

jest.setTimeout(120_000 + RUNS * 120_000);

const STEPS = 40;
/** One message in so many is a lie, while a step lasts; 0: none is. */
const RATES = [0, 0, 12, 6, 3, 2] as const;
/** Messages that go by between two acts, or this long, in milliseconds. */
const PACE = { messages: 12, ms: 80 };
/** What a client may show beside lines: of a room's own acts, and of each lie. */
const ITEMS = { first: 120, lie: 8 };
/** What waits for its user (docs/protocol.md section 3). */
const WAITS = ['REPLACED', 'BAD_KEY'];

let stage: Stage;
beforeAll(async () => {
  process.stdout.write(`random relay: seeds ${SEEDS.join(', ')}\n`);
  stage = await Stage.open(openOver(hurried(8)));
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

async function pace(): Promise<void> {
  const target = stage.relay.seen.length + PACE.messages;
  const end = Date.now() + PACE.ms;
  await until('traffic', () => stage.relay.seen.length >= target || Date.now() > end);
}

async function opened(seed: number): Promise<RelayStory> {
  const story = await RelayStory.begin(stage, seed, {
    names: ['Amina', 'Tomás', 'Inès', 'Noé'],
    rotateEvery: 12,
  });
  story.snapshot();
  return story;
}

async function run(seed: number): Promise<void> {
  const trace = new Trace(seed);
  await trace.over(async () => {
    const story = await opened(seed);
    try {
      await lived(story, seed, trace);
    } finally {
      await story.close();
    }
  });
}

async function lived(story: RelayStory, seed: number, trace: Trace): Promise<void> {
  const { relay, people, roomId } = story;
  const look = (): void => {
    const bounds = { items: ITEMS.first + relay.lies * ITEMS.lie, waits: WAITS };
    people.look(roomId, bounds, story.removed);
  };
  for (let step = 0; step < STEPS; step++) {
    const dice = diceOf(seed, step);
    relay.rate = dice.of(RATES);
    trace.note(`1 in ${String(relay.rate)}; ${await act(story, dice)}`);
    await pace();
    await story.look();
    look();
  }
  relay.honest();
  const restarts = diceOf(seed, STEPS).once(2);
  if (restarts) await stage.relay.putBack(stage.relay.world.snapshot());
  else await stage.relay.reunite();
  trace.note(`honest after ${String(relay.lies)} lies${restarts ? ', and another start' : ''}`);
  for (const who of people.all) await people.back(who, roomId);
  await whole(story);
  trace.note('whole');
  const texts = await talk(story);
  trace.note('everybody has talked');
  look();
  for (const who of people.here) expect(vaultSize(who).records).toBeLessThan(600 + relay.lies * ITEMS.lie);

  const { faults, attackers, trueKeys } = await verdict(story, texts);
  trace.note(`judged: ${String(attackers.length)} attackers, ${String(trueKeys.length)} epochs`);
  expect(faults).toEqual([]);
}

describe('a random relay', () => {
  test.each(SEEDS)(
    'G3 G8 G9 G10 G16 G18 whatever it says opens nothing to who may not read it, and once it is honest all go on (seed %d)',
    (seed) => run(seed),
  );
});
