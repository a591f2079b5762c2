/** A rotation that did not arrive as it was made, and a room that goes on all the same (G11, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { flipped, restarted } from '../acts.js';
import { Stolen } from '../members/stolen.js';
import { codeOf, epochOf, idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

interface Scene {
  readonly owner: Member;
  readonly tomas: Member;
  readonly roomId: string;
}

/** Who makes the rotation, how it comes to be made, and whom the relay lies to. */
interface Role {
  readonly victim: (scene: Scene) => Member;
  /** up to the act that the rotation follows */
  readonly prepare: (scene: Scene) => Promise<void>;
  readonly act: (scene: Scene) => Promise<unknown>;
  /** what the owner of that moment then sends */
  readonly sends: 'rotate' | 'roster';
}

const nothing = (): Promise<void> => Promise.resolve();
const rotateNow = ({ owner, roomId }: Scene): Promise<unknown> => owner.api.rotateNow(roomId);
const ROLES = {
  'a member': { victim: ({ tomas }) => tomas, prepare: nothing, act: rotateNow, sends: 'rotate' },
  'its owner': { victim: ({ owner }) => owner, prepare: nothing, act: rotateNow, sends: 'rotate' },
  'a new owner': {
    victim: ({ tomas }) => tomas,
    async prepare({ owner, tomas, roomId }) {
      value(await owner.api.offerOwnership(roomId, idOf(tomas)));
      await until('the offer', () => tomas.room?.ownershipTransfer?.role === 'offered');
    },
    act: ({ tomas, roomId }) => tomas.api.acceptOwnership(roomId),
    sends: 'roster',
  },
} satisfies Record<string, Role>;

type Lie = (victim: Member, roomId: string) => Promise<() => boolean>;

/** One bit of one part of the next rotation, on its way to one member. */
const bitOf =
  (part: 'clear' | 'payload'): Lie =>
  (victim) => {
    let lied = false;
    stage.relay.onEntries(({ memberId }, entries) => {
      if (memberId !== idOf(victim)) return undefined;
      return entries.map((entry) => {
        if (entry.kind !== 'rotation' || lied) return entry;
        lied = true;
        return { ...entry, [part]: flipped(entry[part]) };
      });
    });
    return Promise.resolve(() => victim.alarms.length > 0);
  };

/** A generation that nobody has begun, and that loses nothing. */
const generation: Lie = async (victim, roomId) => {
  const { position } = (await Stolen.from(victim, roomId)).core;
  const told = { generation: Date.now(), from: position };
  stage.relay.tell(idOf(victim), 'generation', told);
  await until('it to be noted', async () => {
    const { core } = await Stolen.from(victim, roomId);
    // Another member's presence may have shown already that there is none.
    const noted = core.position.g === told.generation || victim.alarms.length > 0;
    return noted || victim.room?.stopped;
  });
  return () => true;
};

describe('a rotation', () => {
  test.each([
    ['with a bit of its clear part flipped on the way', 'a member', bitOf('clear')],
    ['with a bit of its payload flipped on the way', 'a member', bitOf('payload')],
    ['after a made-up generation', 'a member', generation],
    ['with a bit of its clear part flipped on the way', 'its owner', bitOf('clear')],
    ['with a bit of its payload flipped on the way', 'its owner', bitOf('payload')],
    ['after a made-up generation', 'its owner', generation],
    ['with a bit of its clear part flipped on the way', 'a new owner', bitOf('clear')],
    ['after a made-up generation', 'a new owner', generation],
  ] as const)(
    'G11 G16 %s to %s keeps nobody in the old epoch once the relay is honest',
    async (_, role, lie) => {
      const two = await stage.two();
      const { owner, tomas, roomId } = two;
      const both = [owner, tomas];
      await stage.level(both);
      const { victim, prepare, act, sends } = ROLES[role];
      await prepare(two);
      const lied = await lie(victim(two), roomId);
      const sent = stage.relay.requests(sends).length;
      const acted = act(two);
      await until('it to be done', () => stage.relay.requests(sends).length > sent && lied());
      stage.relay.honest();
      stage.relay.cut(idOf(victim(two)));
      await stage.byItself('both to have the second key', both, () =>
        both.every((who) => epochOf(who) === 2),
      );
      await acted;
      await stage.goesOn(roomId, both, 'under the second key,');
      await restarted(roomId, victim(two));
      await stage.goesOn(roomId, both, 'after a restart,');
      // Somebody owns the room: who owned it, or was given it.
      const master = role === 'a new owner' ? tomas : owner;
      expect(both.map(({ room }) => room?.owner)).toEqual(both.map((who) => who === master));
      expect(codeOf(await master.api.rotateNow(roomId))).toBe('done');
      await stage.byItself('both to have the third key', both, () => both.every((who) => epochOf(who) === 3));
    },
  );
});
