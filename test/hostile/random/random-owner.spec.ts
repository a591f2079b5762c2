/**
 * A random owner: whoever holds an owner's keys and sends any command, in any order, with any field of what it
 * signs or seals as its schema admits it. No honest client is halted, nothing false is drawn as true, everybody
 * can leave and forget, and where nothing stands in the way those who stay go on among themselves.
 *
 * `SEED=… RUNS=…` repeats runs; a failure names its seed and the commands until then.
 */
import { afterAll, afterEach, beforeAll, describe, jest, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import type { Roster } from '@0fc/crypto/verify';
import { Refusal } from '../../../apps/relay/src/rooms/port/result.js';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { Collusion } from './collusion.js';
import { anyCommand } from './owner-acts.js';
import { OwnerHand, type Passed } from './owner-hand.js';
import { People } from './people.js';
import { diceOf, RUNS, SEEDS, Trace } from './seeds.js';
import { codeOf, epochOf, failureOf, idOf, Stage, stageOf } from '../stage.js';

jest.setTimeout(120_000 + RUNS * 120_000);

const STEPS = 24;
/** What a command, or an honest act, may add to what a client shows beside lines: more would be a flood. */
const ITEMS_A_STEP = 6;
const ITEMS_AT_FIRST = 40;

/** How long a line may take, in milliseconds: it only ends a broken run. */
const ARRIVES_MS = 15_000;

let stage: Stage;
beforeAll(async () => {
  process.stdout.write(`random owner: seeds ${SEEDS.join(', ')}\n`);
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Amina's keys, and the honest who were in her room before: one of them goes away. */
class Scene {
  readonly hand: OwnerHand;
  readonly people: People;
  readonly roomId: string;
  readonly link: string;
  readonly trace: Trace;
  readonly #pass: Passed;
  /** where the log ended as the owner's hand began */
  readonly #from: number;
  #steps = 0;

  constructor(
    parts: Pick<Scene, 'hand' | 'people' | 'roomId' | 'link' | 'trace'> & { readonly pass: Passed },
  ) {
    this.hand = parts.hand;
    this.people = parts.people;
    this.roomId = parts.roomId;
    this.link = parts.link;
    this.trace = parts.trace;
    this.#pass = parts.pass;
    this.#from = this.hand.position.s;
  }

  /** The relay serves everybody the owner's roster entries as if somebody honest had sent them. */
  underAnotherName(): void {
    const [honest] = this.people.all;
    if (honest === undefined) return;
    const sender = this.people.idOf(honest);
    stage.relay.onEntries((_, entries) =>
      entries.map((entry) =>
        entry.kind === 'roster' && entry.position.s > this.#from ? { ...entry, sender } : entry,
      ),
    );
  }

  /** As the relay has it; null: the room is closed. */
  async roster(): Promise<Roster | null> {
    const { store, rosters } = stage.relay.world.context;
    const read = await store.readRoom(this.hand.roster.roomId, this.hand.me);
    if (!read.ok || read.room.closed) return null;
    try {
      return await rosters.at(read.room);
    } catch (error) {
      // It has moved on between the two readings.
      if (error instanceof Refusal && error.code === 'STALE_HEAD') return this.roster();
      throw error;
    }
  }

  look(): void {
    const items = ITEMS_AT_FIRST + this.#steps * ITEMS_A_STEP;
    this.people.look(this.roomId, { items }, [...this.hand.removed]);
  }

  /** One command of the owner's, and what an honest one does beside it. */
  async step(seed: number, step: number): Promise<void> {
    this.#steps += 1;
    const dice = diceOf(seed, step);
    await this.hand.follow();
    // Whoever was removed has nothing more to say.
    const command = this.hand.peer.closed === null ? await anyCommand(this.hand, dice) : null;
    if (command !== null) {
      const { act, kind, body, what } = command;
      const end = await this.#pass(kind, body);
      this.trace.note(`${act}: ${kind} ${what}: ${end}`);
      await this.hand.follow();
    }
    await this.#besides(dice);
    this.look();
  }

  async #besides(dice: ReturnType<typeof diceOf>): Promise<void> {
    const { people, roomId } = this;
    const inside = people.here.filter((who) => stageOf(who, roomId) === 'member');
    if (inside.length === 0) return;
    const who = dice.of(inside);
    await people.confirm(who, roomId);
    const offered = inside.find(
      ({ room }) => room?.ownershipTransfer?.role === 'offered' && !room.ownershipTransfer.accepted,
    );
    const owner = inside.find(({ room }) => room?.owner === true);
    if (owner !== undefined && dice.once(2))
      this.trace.note(`${owner.name} ${await this.#rules(owner, dice)}`);
    else if (offered !== undefined && dice.once(2))
      this.trace.note(`${offered.name} accepts: ${await people.accepts(offered, roomId)}`);
    else if (dice.once(20))
      this.trace.note(`${who.name} asks to leave: ${await people.asksToLeave(who, roomId)}`);
    else if (dice.once(3)) this.trace.note(`${who.name} says ${await people.say(who, roomId)}`);
  }

  /** What somebody honest does with the room that it was handed. */
  async #rules(owner: Member, dice: ReturnType<typeof diceOf>): Promise<string> {
    const { api } = owner;
    if (dice.once(6)) return `closes: ${codeOf(await api.closeRoom(this.roomId))}`;
    if (dice.once(2))
      return `changes: ${codeOf(await api.changeSettings(this.roomId, { rotateEvery: 50, approval: dice.once(2) }))}`;
    this.hand.removed.add(this.hand.me);
    return `removes the hostile: ${codeOf(await api.removeMember(this.roomId, this.hand.me))}`;
  }

  /** A newcomer by one of the owner's links. */
  async joins(name: string): Promise<void> {
    const dora = await stage.member(name);
    const claims = stage.relay.requests('claim').length;
    value(await dora.api.join(this.link, name));
    const claim = await until('the claim', () => stage.relay.requests('claim').at(claims));
    this.people.add(dora, claim.memberId);
    this.trace.note(`${name} joins`);
    // So that the owner has something to answer, where it is one still.
    const { hand } = this;
    if (hand.owns && hand.peer.closed === null)
      await until('the request', () => hand.peer.told('join').length > 0 || failureOf(dora) !== undefined);
  }

  /** Whoever has come in by its own client's view is looked at. */
  async enter(): Promise<void> {
    for (const who of this.people.here) {
      if (who.room === null && stageOf(who, this.roomId) === 'member') await who.watch(this.roomId);
    }
  }
}

async function opened(seed: number, trace: Trace, colluding: boolean): Promise<Scene> {
  const { owner, tomas, ines, roomId } = await stage.three();
  const noe = await stage.joined(owner, roomId, 'Noé');
  await stage.settled([owner, tomas, ines, noe], 4);
  const { link } = await owner.invite(roomId);
  const people = new People(stage);
  for (const who of [tomas, ines, noe]) people.add(who, idOf(who));
  const hand = await OwnerHand.of(owner, roomId, stage.relay);
  await people.away(noe);
  const pass = colluding ? new Collusion(stage.relay.world, hand).pass : hand.pass;
  return new Scene({ hand, people, roomId, link, trace, pass });
}

/** Who has the key of this moment and stays: they go on without the owner. */
const goingOn = ({ hand, people, roomId }: Scene, roster: Roster): readonly Member[] =>
  staying(people, roomId).filter(
    (who) => hand.holders.has(people.idOf(who)) && roster.members.has(people.idOf(who)),
  );

const staying = (people: People, roomId: string): readonly Member[] =>
  people.here.filter((who) => stageOf(who, roomId) === 'member' && who.room?.leaving === false);

/** What every member must agree on with the log: who is in, who owns it, its settings. */
async function agreed(scene: Scene): Promise<void> {
  const { people, roomId } = scene;
  const told = (): string =>
    people.here.map((who) => `${who.name} ${String(stageOf(who, roomId))}`).join(', ');
  await until(
    () => `everybody to have the roster: ${told()}`,
    async () => {
      const roster = await scene.roster();
      const inside = people.here.filter((who) => stageOf(who, roomId) === 'member');
      if (roster === null) return inside.length === 0;
      const ids = [...roster.members.keys()].sort().join();
      const { rotateEvery, approval } = roster.settings;
      return inside.every(({ room }) => {
        const owner = room?.members.find((member) => member.owner)?.memberId;
        const members = (room?.members ?? []).map(({ memberId }) => memberId).sort();
        const settings = room?.settings;
        const same = settings?.rotateEvery === rotateEvery && settings.approval === approval;
        return members.join() === ids && owner === roster.owner && same;
      });
    },
    ARRIVES_MS,
  );
}

/** The room was handed over to somebody honest: it is that one's, in every way. */
async function putRight(scene: Scene): Promise<void> {
  const { hand, people, roomId } = scene;
  const roster = await scene.roster();
  const owner = people.here.find((who) => people.idOf(who) === roster?.owner);
  // Without the key of the moment it can do nothing but close: who made the last one has seen to that.
  if (roster === null || owner === undefined || owner.room?.paused !== null || owner.room.closing) return;
  await stage.byItself('the room to be its own', [owner], () => owner.room?.owner === true);
  value(await owner.api.changeSettings(roomId, { rotateEvery: 77, approval: true }));
  for (const id of roster.members.keys()) {
    if (people.here.some((who) => people.idOf(who) === id)) continue;
    hand.removed.add(id);
    value(await owner.api.removeMember(roomId, id));
  }
  const stays = staying(people, roomId);
  await stage.byItself('a room without the hostile', stays, () =>
    stays.every(
      (who) =>
        epochOf(who) === epochOf(owner) &&
        who.room?.settings.rotateEvery === 77 &&
        who.room.members.every(({ memberId }) => !hand.removed.has(memberId as MemberId)),
    ),
  );
  await talk(scene, stays);
}

async function talk({ people, roomId }: Scene, all: readonly Member[]): Promise<void> {
  for (const who of all) {
    const text = await people.say(who, roomId);
    await until(
      `${text} to arrive`,
      async () => {
        await people.confirm(who, roomId);
        return all.every((one) => one.texts.includes(text));
      },
      ARRIVES_MS,
    );
  }
}

async function run(seed: number, colluding: boolean): Promise<void> {
  const trace = new Trace(seed);
  await trace.over(async () => {
    const scene = await opened(seed, trace, colluding);
    const { hand, people, roomId } = scene;
    if (colluding) scene.underAnotherName();
    const noe = people.all[2]!;
    for (let step = 0; step < STEPS; step++) {
      if (step === 3) await scene.joins('Dora');
      if (step === STEPS - 6) await people.back(noe, roomId);
      await scene.enter();
      await scene.step(seed, step);
    }
    await hand.follow();
    hand.peer.leave();
    trace.note('the owner is gone');
    await scene.enter();
    if (!colluding) {
      await agreed(scene);
      const roster = await scene.roster();
      if (roster?.owner === hand.me) await talk(scene, goingOn(scene, roster));
      await putRight(scene);
    }
    scene.look();
    trace.note('reopen');
    await people.reopened(roomId);
    scene.look();
    trace.note('forget');
    for (const who of people.here) await people.forget(who, roomId);
    const [last] = people.here;
    if (last !== undefined) await people.reopensEmpty(last);
    trace.note('end');
  });
}

describe('a random owner', () => {
  test.each(SEEDS)(
    'G2 G3 G10 G14 G16 any commands of an owner over an honest relay halt nobody and show nothing false (seed %d)',
    (seed) => run(seed, false),
  );

  test.each(SEEDS.slice(0, Math.max(1, RUNS / 2)))(
    'G3 G10 G14 G16 any commands of an owner with a relay that refuses it nothing halt nobody and show nothing false (seed %d)',
    (seed) => run(seed, true),
  );
});
