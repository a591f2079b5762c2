/**
 * A relay whose store goes back to an earlier day, or is gone (docs/protocol.md section 6): what
 * is lost is shown with its numbers and comes again, no head, epoch or removal goes back, and
 * everybody can talk afterwards.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  decodeBody,
  fromBase64Url,
  ROSTER_KINDS,
  type Bytes,
  type RoomId,
  type RosterKind,
} from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import { loadThemis } from '@0fc/crypto/node';
import { MemberProcess } from '../support/member-process.js';
import { RelayProcess } from '../support/relay-process.js';
import { Talk } from '../support/talk.js';
import { Peer } from './relay-peer.js';

let relay: RelayProcess;
let talk: Talk;
const made: MemberProcess[] = [];
const copies: string[] = [];

beforeAll(() => loadThemis());
beforeEach(async () => {
  relay = await RelayProcess.start();
  talk = new Talk();
});
afterEach(async () => {
  await Promise.all(made.splice(0).map((member) => member.remove()));
  await relay.remove();
  for (const copy of copies.splice(0)) await rm(copy, { recursive: true, force: true });
});

async function member(name: string): Promise<MemberProcess> {
  const created = await MemberProcess.create(name, relay.url);
  made.push(created);
  return created;
}

async function joined(name: string, owner: MemberProcess): Promise<MemberProcess> {
  const created = await member(name);
  await created.join(await owner.invite());
  return created;
}

/** The relay stops, its store is copied, and it goes on. */
async function snapshot(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), '0fc-copy-'));
  copies.push(copy);
  await relay.stop();
  await cp(relay.folder, copy, { recursive: true });
  await relay.start();
  return copy;
}

/** Everything of the store but the relay's own key, which is no part of it. */
async function dropStore(): Promise<void> {
  for (const name of await readdir(relay.folder)) {
    if (name.startsWith('relay.sqlite')) await rm(join(relay.folder, name));
  }
}

/** The relay dies and comes back with the store of that day. */
async function putBack(copy: string): Promise<void> {
  await relay.stop('SIGKILL');
  await dropStore();
  await cp(copy, relay.folder, { recursive: true });
  await relay.start();
}

const address = async () => {
  const config = (await (await fetch(`${relay.url}/config.json`)).json()) as { relayPublicKey: string };
  return { url: relay.url, publicKey: fromBase64Url(config.relayPublicKey)! };
};

/** Every signed roster entry in the store of a relay that is stopped. */
function chainOf(folder: string): readonly Bytes[] {
  const store = new DatabaseSync(join(folder, 'relay.sqlite'));
  const rows = store.prepare('SELECT container FROM chain ORDER BY idx').all();
  store.close();
  return rows.map(({ container }) => Uint8Array.from(container as Uint8Array));
}

const kindOf = (container: Bytes): RosterKind => decodeBody(containerBody(container), ...ROSTER_KINDS).kind;

const sentSince = (before: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(talk.sent.map(({ id }) => id).filter((id) => !before.has(id)));
const sentSoFar = (): ReadonlySet<string> => new Set(talk.sent.map(({ id }) => id));

const LOST = 'ALARM_RELAY_LOST';

/** That the last loss is shown by its numbers, and that all of it is back. */
async function madeGood(everybody: readonly MemberProcess[], lost: number): Promise<void> {
  for (const each of everybody) {
    await each.sees('what was lost come back', () => {
      const alarm = each.items.filter((item) => item.type === 'alarm' && item.code === LOST).at(-1);
      if (alarm?.type !== 'alarm') return false;
      const { from, to, restored } = alarm.params;
      return Number(to) - Number(from) + 1 === Number(restored) && Number(restored) >= lost;
    });
  }
}

describe('a store that goes back', () => {
  test('over a tail of messages: they come again, and a newcomer sees them', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const everybody = [amina, await joined('Tomás', amina), await joined('Inès', amina)];
    await talk.round(everybody);
    const copy = await snapshot();
    const before = sentSoFar();
    for (let round = 0; round < 3; round++) await talk.round(everybody);
    const displaced = sentSince(before);
    await putBack(copy);
    await madeGood(everybody, displaced.size);
    await talk.round(everybody);
    const noe = await joined('Noé', amina);
    await noe.has(...talk.sent.map(({ text }) => text));
    await talk.round([...everybody, noe]);
    await talk.judge([...everybody, noe], {
      displaced,
      expectedAlarms: (name) => (name === 'Noé' ? [] : [LOST]),
    });
  });

  test('across rotations: no epoch goes back', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const everybody = [amina, await joined('Tomás', amina), await joined('Inès', amina)];
    await talk.round(everybody);
    const copy = await snapshot();
    const before = sentSoFar();
    await talk.round(everybody);
    await amina.ask('rotate');
    await talk.round(everybody);
    await amina.ask('rotate');
    await talk.round(everybody);
    const displaced = sentSince(before);
    expect(everybody.map(({ epoch }) => epoch)).toEqual([3, 3, 3]);
    await putBack(copy);
    await madeGood(everybody, displaced.size);
    await talk.round(everybody);
    expect(everybody.map(({ epoch }) => epoch)).toEqual([3, 3, 3]);
    // Who comes now begins at the rotation that was brought back, where the log has it now.
    const noe = await joined('Noé', amina);
    await talk.round([...everybody, noe]);
    await talk.judge([...everybody, noe], {
      displaced,
      expectedAlarms: (name) => (name === 'Noé' ? [] : [LOST]),
    });
  });

  test('across a removal and twenty rotations: the removed stays removed, whoever comes first', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const tomas = await joined('Tomás', amina);
    const ines = await joined('Inès', amina);
    await talk.round([amina, tomas, ines]);
    const copy = await snapshot();
    await talk.round([amina, tomas, ines]);
    // Inès is away while it is removed, and knows nothing of it.
    await ines.stop();
    const before = sentSoFar();
    await amina.ask('remove', { member: amina.idOf('Inès') });
    await tomas.sees('the removal', () => tomas.room?.members.length === 2 && tomas.room.paused === null);
    for (let round = 0; round < 20; round++) {
      await amina.ask('rotate');
      if (round % 5 === 0) await talk.round([amina, tomas]);
    }
    const epoch = 22;
    for (const each of [amina, tomas]) await each.sees('the last epoch', () => each.epoch === epoch);
    await Promise.all([amina.stop(), tomas.stop()]);
    await putBack(copy);
    // To the relay of that day it is a member.
    await ines.start();
    await ines.live();
    await tomas.start();
    await amina.start();
    await ines.sees('its removal', () => ines.room?.stage === 'removed');
    await talk.round([amina, tomas]);
    // All but one: what Inès had sent before comes again from it, under a key that is long gone here.
    for (const each of [amina, tomas]) {
      await each.sees('what was lost come back', () => {
        const alarm = each.items.find((item) => item.type === 'alarm' && item.code === LOST);
        return (
          alarm?.type === 'alarm' &&
          Number(alarm.params.restored) >= Number(alarm.params.to) - Number(alarm.params.from)
        );
      });
      expect(each.alarms).toEqual([LOST]);
    }
    for (const each of [amina, tomas]) {
      expect(each.epoch).toBeGreaterThanOrEqual(epoch);
      expect(each.room?.members.map(({ name }) => name).sort()).toEqual(['Amina', 'Tomás']);
    }
    const after = new Set([...sentSince(before)].map((id) => `message ${id}`));
    const { shown } = await ines.history();
    expect(shown.filter((line) => line.type === 'message' && after.has(`message ${line.id}`))).toEqual([]);
    await expect(ines.ask('send', { text: 'I am still here' })).rejects.toMatchObject({ code: 'NOT_MEMBER' });
  });

  test('across rotations and a hand-over, which somebody brings back out of order: the room goes on', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const tomas = await joined('Tomás', amina);
    const ines = await joined('Inès', amina);
    await talk.round([amina, tomas, ines]);
    const copy = await snapshot();
    await Promise.all([amina, tomas, ines].map((each) => each.live()));
    await amina.ask('rotate');
    await amina.ask('rotate');
    await amina.ask('transfer', { member: amina.idOf('Tomás') });
    await tomas.sees('the offer', () => tomas.room?.ownershipTransfer?.role === 'offered');
    await tomas.ask('accept');
    await tomas.sees('its room', () => tomas.room?.owner === true);
    await tomas.ask('remove', { member: tomas.idOf('Inès') });
    await ines.sees('its removal', () => ines.room?.stage === 'removed');
    const epoch = 5;
    for (const each of [amina, tomas]) await each.sees('the last epoch', () => each.epoch === epoch);
    const roomId = amina.roomId as RoomId;
    await Promise.all([amina.stop(), tomas.stop(), ines.stop()]);
    await relay.stop();
    const chain = chainOf(relay.folder);
    await putBack(copy);

    // Whoever was removed had read the hand-over; it needs no place in the room to bring it back.
    const somebody = await Peer.connect(await address());
    const restore = (kind: RosterKind) => {
      const payload = chain.find((container) => kindOf(container) === kind);
      if (payload === undefined) throw new Error(`no ${kind}`);
      const entry = { position: { g: 1, s: 0 }, kind: 'roster', sender: somebody.memberId, time: 0 } as const;
      return somebody.refusal('restore', {
        roomId,
        entries: [{ ...entry, clear: new Uint8Array(0), payload }],
      });
    };
    expect(await restore('transfer')).toBe('EPOCH_AHEAD');
    // Not even signed by whom this relay takes for the owner.
    expect(await restore('remove')).toBe('ROOM_UNKNOWN');

    // The former owner comes first, and brings back what takes the room from it.
    await amina.start();
    await amina.live();
    await tomas.start();
    await talk.round([amina, tomas]);
    for (const each of [amina, tomas]) {
      expect(each.epoch).toBeGreaterThanOrEqual(epoch);
      expect(each.alarms).toEqual([LOST]);
    }
    expect([amina.room?.owner, tomas.room?.owner]).toEqual([false, true]);
    await tomas.ask('rotate');
    const noe = await joined('Noé', tomas);
    await talk.round([amina, tomas, noe]);
    await ines.start();
    expect(ines.room?.stage).toBe('removed');
    somebody.leave();
  });

  test('twice to the same day: each loss is shown, each message comes again', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const everybody = [amina, await joined('Tomás', amina)];
    await talk.round(everybody);
    const copy = await snapshot();
    const before = sentSoFar();
    for (const round of [1, 2]) {
      await talk.round(everybody);
      await amina.ask('rotate');
      await talk.round(everybody);
      await putBack(copy);
      await madeGood(everybody, 4 * round);
      await talk.round(everybody);
    }
    for (const each of everybody) {
      expect(each.alarms.filter((code) => code === LOST)).toHaveLength(2);
      expect(each.epoch).toBe(3);
    }
    await talk.judge(everybody, { displaced: sentSince(before), expectedAlarms: () => [LOST] });
  });

  test('while everybody is away, and one comes back long before the others', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const tomas = await joined('Tomás', amina);
    const ines = await joined('Inès', amina);
    const everybody = [amina, tomas, ines];
    await talk.round(everybody);
    const copy = await snapshot();
    const before = sentSoFar();
    await talk.round(everybody);
    await amina.ask('rotate');
    await talk.round(everybody);
    for (const each of everybody) await each.stop();
    await putBack(copy);
    // It brings the rotation back for all, and its own messages; theirs come with them.
    await ines.start();
    await ines.live();
    const alone = await talk.say(ines);
    await ines.has(alone);
    await tomas.start();
    await amina.start();
    await talk.arrived([alone], everybody);
    await madeGood(everybody, sentSince(before).size - 1);
    await talk.round(everybody);
    await talk.judge(everybody, { displaced: sentSince(before), expectedAlarms: () => [LOST] });
  });
});

describe('a store that is gone', () => {
  test('says so; the room comes back with its keys and its members, once one of them wants it', async () => {
    const amina = await member('Amina');
    await amina.createRoom('Rive droite');
    const tomas = await joined('Tomás', amina);
    const ines = await joined('Inès', amina);
    const everybody = [amina, tomas, ines];
    await talk.round(everybody);
    await amina.ask('rotate');
    await talk.round(everybody);
    await amina.ask('remove', { member: amina.idOf('Inès') });
    await ines.sees('its removal', () => ines.room?.stage === 'removed');
    await talk.round([amina, tomas]);
    const { epoch } = amina;
    const displaced = sentSoFar();
    await relay.stop('SIGKILL');
    await dropStore();
    await relay.start();
    for (const each of [amina, tomas]) {
      await each.sees(
        'that the room is gone',
        () => each.room?.stopped?.code === 'ROOM_UNKNOWN' && each.alarms.includes('ALARM_ROOM_GONE'),
      );
    }
    await tomas.ask('restore');
    await tomas.live();
    await amina.live();
    await talk.round([amina, tomas]);
    expect(amina.room?.members.map(({ name }) => name).sort()).toEqual(['Amina', 'Tomás']);
    expect(amina.epoch).toBeGreaterThanOrEqual(epoch);
    const noe = await joined('Noé', amina);
    await talk.round([amina, tomas, noe]);
    await talk.judge([amina, tomas, noe], {
      displaced,
      expectedAlarms: (name) => (name === 'Noé' ? [] : [LOST, 'ALARM_ROOM_GONE']),
    });
  });
});
