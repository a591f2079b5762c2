/**
 * The member list against a model of its rules (docs/protocol.md section 4; G2, G11): any sequence
 * of entries, by anybody, on any head, allowed or not.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { equalBytes, type Bytes, type InviteId } from '@0fc/protocol';
import { createGenesis, signBody, type KeyPair } from '../keys/index.js';
import { applyRoster, memberIdOf, readChain, startRoster, type Roster } from './index.js';
import {
  admitEntry,
  codeOf,
  hash,
  makeWorld,
  newInviteId,
  person,
  ports,
  random,
  SETTINGS,
  type Person,
} from '../world.spec-support.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const PEOPLE = 5;

const step = fc.record({
  act: fc.constantFrom('admit', 'admit', 'remove', 'leave', 'transfer', 'settings', 'close'),
  /** who signs: mostly the owner */
  by: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(PEOPLE) }),
  whom: fc.nat(PEOPLE),
  /** on the head of this moment, or on an older one */
  back: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  /** an invite that was used before */
  reuse: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What the rules say, in the plainest terms. */
interface Model {
  owner: number;
  members: Set<number>;
  former: Set<number>;
  invites: Set<InviteId>;
  closed: boolean;
}

class Room {
  readonly people: readonly Person[];
  readonly keys: readonly KeyPair[];
  roster: Roster;
  readonly rosters: Roster[];
  readonly chain: Bytes[];
  readonly model: Model = {
    owner: 0,
    members: new Set([0]),
    former: new Set(),
    invites: new Set(),
    closed: false,
  };

  private constructor(founder: Person, others: readonly Person[], roster: Roster, genesis: Bytes) {
    this.people = [founder, ...others];
    this.keys = this.people.map(({ identity }) => identity);
    this.roster = roster;
    this.rosters = [roster];
    this.chain = [genesis];
  }

  static async begin(): Promise<Room> {
    const made = await createGenesis(ports, { settings: SETTINGS });
    const roster = await startRoster(hash, made.container);
    const id = await memberIdOf(hash, made.identity.publicKey);
    const others = await Promise.all(Array.from({ length: PEOPLE }, () => person(roster.roomId)));
    const founder = { ...others[0], id, identity: made.identity, prekey: made.prekey } as Person;
    return new Room(founder, others, roster, made.container);
  }

  /** The entry that a step makes, and whether the rules allow it. */
  entry({ act, by, whom, back, reuse }: Step): { readonly container: Bytes; readonly allowed: boolean } {
    const { model } = this;
    const signer = by < 0 ? model.owner : by;
    const key = this.keys[signer]!;
    const them = this.people[whom]!;
    const base = this.rosters.at(-1 - back) ?? this.rosters[0]!;
    const current = equalBytes(base.head, this.roster.head);
    const head = {
      roomId: base.roomId,
      epoch: base.epoch,
      head: base.head,
      owner: this.people[signer]!.id,
    };
    const may = signer === model.owner && current && !model.closed;
    switch (act) {
      case 'admit': {
        const used = [...model.invites][0];
        const inviteId = reuse && used !== undefined ? used : newInviteId();
        const fresh = !model.members.has(whom) && !model.former.has(whom) && !model.invites.has(inviteId);
        const container = admitEntry(key, { ...base, owner: head.owner }, them, { inviteId });
        return { container, allowed: may && fresh && model.members.size < base.settings.maxMembers };
      }
      case 'remove': {
        const container = signBody(key, 'remove', { ...head, member: them.id, reason: 'removed' });
        return { container, allowed: may && whom !== model.owner && model.members.has(whom) };
      }
      case 'leave': {
        const admit = this.roster.members.get(them.id)?.admit ?? random.bytes(32);
        const request = signBody(them.identity, 'leaveRequest', {
          roomId: base.roomId,
          member: them.id,
          admit,
        });
        const container = signBody(key, 'leave', { ...head, member: them.id, request });
        return { container, allowed: may && whom !== model.owner && model.members.has(whom) };
      }
      case 'transfer': {
        const acceptance = signBody(them.identity, 'transferAcceptance', {
          roomId: base.roomId, epoch: base.epoch, old: this.roster.owner, new: them.id, nonce: random.bytes(16),
        }); // prettier-ignore
        const container = signBody(key, 'transfer', { ...head, to: them.id, acceptance });
        return { container, allowed: may && whom !== model.owner && model.members.has(whom) };
      }
      case 'settings': {
        const container = signBody(key, 'settings', { ...head, settings: base.settings });
        return { container, allowed: may };
      }
      default:
        return { container: signBody(key, 'close', head), allowed: may };
    }
  }

  follow({ act, whom }: Step, roster: Roster, container: Bytes): void {
    const { model } = this;
    if (act === 'admit') model.members.add(whom);
    if (act === 'remove' || act === 'leave') {
      model.members.delete(whom);
      model.former.add(whom);
    }
    if (act === 'transfer') model.owner = whom;
    if (act === 'close') model.closed = true;
    model.invites = new Set(roster.invites);
    this.roster = roster;
    this.rosters.push(roster);
    this.chain.push(container);
  }
}

beforeAll(async () => {
  await makeWorld();
});

describe(`the roster (seed ${String(SEED)})`, () => {
  test('G2, G11: takes exactly what the rules allow, whoever says what on which head', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const room = await Room.begin();
        for (const made of steps) {
          const { container, allowed } = room.entry(made);
          const before = room.roster;
          if (allowed) {
            const { roster } = await applyRoster(hash, before, container);
            room.follow(made, roster, container);
          } else {
            expect(await codeOf(() => applyRoster(hash, before, container))).toMatch(/^[A-Z_]+$/);
          }
          const ids = (indexes: Iterable<number>): string[] =>
            [...indexes].map((at) => room.people[at]!.id).sort();
          expect([...room.roster.members.keys()].sort()).toEqual(ids(room.model.members));
          expect([...room.roster.former.keys()].sort()).toEqual(ids(room.model.former));
          expect(room.roster.owner).toBe(room.people[room.model.owner]!.id);
          expect(room.roster.closed).toBe(room.model.closed);
          expect(room.roster.members.has(room.roster.owner)).toBe(true);
        }
        // The same list, from the chain alone: what a newcomer computes.
        expect(await readChain(hash, room.roster.roomId, room.chain)).toEqual(room.roster);
      }),
      { seed: SEED, numRuns: 40 },
    );
  });
});
