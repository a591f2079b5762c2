/** Whose name stands where: each alarm has its own, and newcomers get those that hold (G3, G7). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeRandom } from '@0fc/crypto/node';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { sealSignalOf } from '../members/unchecked.js';
import { idOf, namesIn, Stage } from '../stage.js';

/** More than stand apart before alarms of one code are counted. */
const FORKS = 10;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

async function transferOwnership(from: Member, to: Member, roomId: string): Promise<void> {
  value(await from.api.offerOwnership(roomId, idOf(to)));
  await stage.byItself('the offer', [from, to], () => to.room?.ownershipTransfer?.role === 'offered');
  value(await to.api.acceptOwnership(roomId));
  await stage.byItself(
    'the room to be handed over',
    [from, to],
    () => to.room?.owner === true && from.room?.owner === false,
  );
}

describe('alarms in a row', () => {
  test('G7 about different histories of many members name each of them', async () => {
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100);
    const names = Array.from({ length: FORKS }, (_, at) => `Guest ${String(at + 1)}`);
    const guests: Member[] = [];
    for (const name of names) guests.push(await stage.joined(owner, roomId, name));
    await stage.byItself('all names', [owner], () => names.every((name) => namesIn(owner).includes(name)));
    for (const guest of guests) {
      const { peer, stolen } = await stage.byHand(guest, roomId);
      const seen = { position: stolen.core.position, t: nodeRandom.bytes(32) };
      const content = { type: 'presence', seen, head: stolen.roster.head };
      const payload = sealSignalOf(stolen, { counter: Date.now() + 60_000, content });
      await peer.request('signal', { epoch: stolen.core.epoch, payload });
      peer.leave();
    }
    const told = (): readonly unknown[] =>
      owner.items.flatMap((item) =>
        item.type === 'alarm' && item.code === 'ALARM_FORK' ? [item.params.member] : [],
      );
    await stage.goesOn(roomId, [owner], 'beside it,');
    await stage.byItself('the alarms', [owner], () => told().length >= 8);
    await stage.goesOn(roomId, [owner], 'after it,');
    expect([...told()].sort()).toEqual([...names].sort());
  });
});

describe('who comes after the room was handed over', () => {
  test('G3 gets the room’s name, as its owner of that time gave it, and every member’s', async () => {
    const { owner, tomas, roomId } = await stage.two();
    value(await owner.api.renameRoom(roomId, 'Rive gauche'));
    await stage.byItself('the new name', [tomas], () => tomas.room?.name === 'Rive gauche');
    await transferOwnership(owner, tomas, roomId);
    const dora = await stage.joined(tomas, roomId, 'Dora');
    await stage.goesOn(roomId, [owner, tomas, dora], 'among three,');
    await stage.byItself('all names', [dora], () => namesIn(dora).every((name) => name !== ''));
    expect([...namesIn(dora)].sort()).toEqual(['Amina', 'Dora', 'Tomás']);
    expect(dora.room?.name).toBe('Rive gauche');
    // Who was the owner then names nothing now.
    expect(await owner.api.renameRoom(roomId, 'not any more')).toMatchObject({ ok: false });
    await transferOwnership(tomas, dora, roomId);
    const ines = await stage.joined(dora, roomId, 'Inès');
    await stage.goesOn(roomId, [dora, ines], 'among four,');
    expect(ines.room?.name).toBe('Rive gauche');
    expect([...namesIn(ines)].sort()).toEqual(['Amina', 'Dora', 'Inès', 'Tomás']);
  });
});
