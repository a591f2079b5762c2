/**
 * Every act of a room with a kill -9 at each of its steps: a member dies before or after each
 * write of its vault, or the relay dies at that moment; what was answered comes to pass all the
 * same, once, and everybody can talk afterwards.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { carryOut, dieAtEachWrite, Mortal, strideOf } from '../support/fates.js';
import type { MemberProcess } from '../support/member-process.js';
import { RelayProcess } from '../support/relay-process.js';
import { Talk } from '../support/talk.js';

jest.setTimeout(600_000);

let relay: RelayProcess;
const made: MemberProcess[] = [];
let count = 0;

async function mortal(name: string): Promise<Mortal> {
  const created = await Mortal.create(`${name} ${String(++count)}`, relay);
  made.push(created.member);
  return created;
}

beforeAll(async () => {
  relay = await RelayProcess.start();
});
beforeEach(async () => {
  // A test that failed may have left it dead.
  if (!relay.running) await relay.start();
});
afterEach(async () => {
  // Whoever stays would come back to the relay at each of its deaths in the tests that follow.
  await Promise.all(made.splice(0).map((member) => member.remove()));
});
afterAll(() => relay.remove());

interface Cast {
  readonly owner: Mortal;
  readonly guest: Mortal;
  readonly talk: Talk;
}

async function pair(): Promise<Cast> {
  const owner = await mortal('Amina');
  const guest = await mortal('Tomás');
  await owner.member.createRoom('Rive droite');
  await guest.member.join(await owner.member.invite());
  const talk = new Talk();
  await talk.round([owner.member, guest.member]);
  return { owner, guest, talk };
}

/** Somebody who joins in peace. */
async function third(owner: MemberProcess): Promise<Mortal> {
  const joiner = await mortal('Inès');
  await joiner.member.join(await owner.invite());
  return joiner;
}

const names = (member: MemberProcess): readonly string[] =>
  (member.room?.members ?? []).map(({ name }) => name).sort();
const isIn = (member: MemberProcess, name: string): boolean => names(member).includes(name);
const oneEpoch = (members: readonly MemberProcess[]): boolean =>
  members.every((member) => member.epoch === members[0]?.epoch && member.room?.catchingUp === false);

describe.each(['writer', 'relay'] as const)('the %s dies at each write', (victim) => {
  test('of a room’s creation', async () => {
    const owner = await mortal('Amina');
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async (round) => {
        const name = `room ${String(round)}`;
        const { member } = owner;
        return {
          act: {
            actor: member,
            ask: () => member.ask('create', { name, as: 'Amina' }),
            done: () =>
              member.app?.rooms.some((room) => room.name === name && room.connection === 'connected') ===
              true,
          },
          members: [member],
        };
      },
      after: async (round) => {
        const { member } = owner;
        const room = member.app?.rooms.find(({ name }) => name === `room ${String(round)}`);
        await member.watch(String(room?.roomId));
        await member.live();
        await new Talk().round([member]);
      },
    });
    expect(deaths).toBeGreaterThan(0);
  });

  test('of the owner’s while somebody joins', async () => {
    const { owner, guest, talk } = await pair();
    let joiner: Mortal;
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async () => {
        joiner = await mortal('Inès');
        const link = await owner.member.invite();
        const { member } = joiner;
        const all = [owner.member, guest.member, member];
        return {
          act: {
            actor: member,
            ask: () => member.ask('join', { link, as: member.name }),
            done: () =>
              member.app?.rooms.some(({ stage }) => stage === 'member') === true &&
              [owner.member, guest.member].every((other) => isIn(other, member.name)),
          },
          members: all,
        };
      },
      after: async () => {
        await joiner.member.admitted(String(owner.member.roomId));
        await talk.round([owner.member, guest.member, joiner.member]);
        await joiner.member.stop();
      },
    });
    expect(deaths).toBeGreaterThan(3);
    await talk.judge([owner.member, guest.member]);
  });

  test('of the joiner’s', async () => {
    const { owner, guest, talk } = await pair();
    let write = 1 - strideOf(victim);
    // Each joiner joins once: the writer is another one each time.
    for (let deaths = 1; deaths > 0;) {
      write += strideOf(victim);
      const joiner = await mortal('Inès');
      const link = await owner.member.invite();
      const { member } = joiner;
      const at = write;
      const when = at % 2 === 0 ? 'after' : 'before';
      joiner.arrange({ write: at, when, pid: victim === 'relay' ? relay.pid : null });
      const all = [owner.member, guest.member, member];
      ({ deaths } = await carryOut(
        {
          actor: member,
          ask: () => member.ask('join', { link, as: member.name }),
          done: () =>
            member.app?.rooms.some(({ stage }) => stage === 'member') === true &&
            [owner.member, guest.member].every((other) => isIn(other, member.name)),
        },
        relay,
        all,
      ));
      await joiner.spare();
      if (!relay.running) await relay.start();
      await member.admitted(String(owner.member.roomId));
      await talk.round(all);
      await member.stop();
    }
    expect(write).toBeGreaterThan(4);
    await talk.judge([owner.member, guest.member]);
  });

  test('of a rotation', async () => {
    const { owner, guest, talk } = await pair();
    const all = [owner.member, guest.member];
    let epoch = 0;
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async () => {
        ({ epoch } = owner.member);
        return {
          act: {
            actor: owner.member,
            ask: () => owner.member.ask('rotate'),
            done: () => owner.member.epoch > epoch && oneEpoch(all),
          },
          members: all,
        };
      },
      after: () => talk.round(all),
    });
    expect(deaths).toBeGreaterThan(1);
    await talk.judge(all);
  });

  test('of a change of settings', async () => {
    const { owner, guest, talk } = await pair();
    const all = [owner.member, guest.member];
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async (round) => {
        const rotateEvery = 1_000 + round;
        return {
          act: {
            actor: owner.member,
            ask: () => owner.member.ask('settings', { rotateEvery }),
            done: () => all.every((member) => member.room?.settings.rotateEvery === rotateEvery),
          },
          members: all,
        };
      },
      after: () => talk.round(all),
    });
    expect(deaths).toBeGreaterThan(1);
    await talk.judge(all);
  });

  test('of a removal', async () => {
    const { owner, guest, talk } = await pair();
    const all = [owner.member, guest.member];
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async () => {
        const { member } = await third(owner.member);
        await talk.round([...all, member]);
        const memberId = owner.member.idOf(member.name);
        return {
          act: {
            actor: owner.member,
            ask: () => owner.member.ask('remove', { member: memberId }),
            done: () =>
              all.every((other) => other.room !== null && !isIn(other, member.name)) &&
              member.room?.stage === 'removed' &&
              oneEpoch(all),
          },
          members: [...all, member],
        };
      },
      after: () => talk.round(all),
    });
    expect(deaths).toBeGreaterThan(1);
    await talk.judge(all);
  });

  test('of the owner’s while somebody leaves', async () => {
    const { owner, guest, talk } = await pair();
    const all = [owner.member, guest.member];
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async () => {
        const { member } = await third(owner.member);
        await talk.round([...all, member]);
        return {
          act: {
            actor: member,
            ask: () => member.ask('leave'),
            done: () =>
              all.every((other) => other.room !== null && !isIn(other, member.name)) &&
              member.room?.stage === 'left' &&
              oneEpoch(all),
          },
          members: [...all, member],
        };
      },
      after: () => talk.round(all),
    });
    expect(deaths).toBeGreaterThan(1);
    await talk.judge(all);
  });

  test('of a hand-over, on either side', async () => {
    const { owner, guest, talk } = await pair();
    const all = [owner.member, guest.member];
    const [amina, tomas] = all as [MemberProcess, MemberProcess];
    for (const writer of [owner, guest]) {
      const deaths = await dieAtEachWrite({
        relay,
        writer,
        victim,
        make: async () => {
          const [from, to] = amina.room?.owner === true ? [amina, tomas] : [tomas, amina];
          const memberId = from.idOf(to.name);
          return {
            act: {
              actor: from,
              ask: async () => {
                if (from.room?.owner === true && from.room.ownershipTransfer === null) {
                  await from.ask('transfer', { member: memberId });
                }
                await to.sees('the offer', () => to.room?.ownershipTransfer?.role === 'offered');
                await to.ask('accept');
              },
              done: () => to.room?.owner === true && from.room?.owner === false && oneEpoch(all),
            },
            members: all,
          };
        },
        after: () => talk.round(all),
      });
      expect(deaths).toBeGreaterThan(1);
    }
    await talk.judge(all);
  });

  test('of a message', async () => {
    const { owner, guest, talk } = await pair();
    const all = [owner.member, guest.member];
    const deaths = await dieAtEachWrite({
      relay,
      writer: guest,
      victim,
      make: async (round) => {
        const before = owner.member.messages.length;
        const said = `unjudged ${String(round)}`;
        return {
          act: {
            actor: guest.member,
            // As whoever is not answered does: looks whether it is there before it says it again.
            ask: async () => {
              if (guest.member.messages.some(({ text }) => text === said)) return;
              await guest.member.ask('send', { text: said });
            },
            done: () =>
              owner.member.messages.length > before &&
              guest.member.messages.some(({ text, state }) => text === said && state !== 'sending'),
          },
          members: all,
        };
      },
      after: () => talk.round(all),
    });
    expect(deaths).toBeGreaterThan(1);
    // Not asked for twice once it was stored: each is there once.
    const texts = owner.member.messages.map(({ text }) => text).filter((text) => text.startsWith('unjudged'));
    expect(new Set(texts).size).toBe(texts.length);
    expect([...owner.member.alarms, ...guest.member.alarms]).toEqual([]);
  });

  test('of a room’s closing', async () => {
    const owner = await mortal('Amina');
    const guest = await mortal('Tomás');
    const all = [owner.member, guest.member];
    const deaths = await dieAtEachWrite({
      relay,
      writer: owner,
      victim,
      make: async (round) => {
        await owner.member.createRoom(`room ${String(round)}`);
        await guest.member.join(await owner.member.invite());
        await new Talk().round(all);
        return {
          act: {
            actor: owner.member,
            ask: () => owner.member.ask('close'),
            done: () => all.every((member) => member.room?.stage === 'closed'),
          },
          members: all,
        };
      },
      after: async () => {
        expect(all.flatMap((member) => member.alarms)).toEqual([]);
      },
    });
    expect(deaths).toBeGreaterThan(1);
  });
});
