/**
 * Three replicas on one Redis behind one address, with the real client: members land where they land, and
 * nobody can tell. A replica and Redis itself are killed under traffic; nothing acknowledged is lost,
 * doubled or out of order.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPair, type KeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { Balancer } from '../support/balancer.js';
import { Member, value } from '../support/member.js';
import { startRedis, type RedisKind, type RunningRedis } from '../support/redis.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { Peer } from './relay-peer.js';
import { message, newInviteId, TestRoom } from './relay-room.js';

const REPLICAS = 3;

describe.each<RedisKind>(['standalone', 'cluster'])('three replicas on %s Redis', (kind) => {
  let redis: RunningRedis;
  let relays: RelayProcess[];
  let balancer: Balancer;
  let key: KeyPair;
  const members: Member[] = [];

  beforeAll(async () => {
    await loadThemis();
    redis = await startRedis({ kind, appendonly: true });
    key = generateKeyPair();
    const environment = { ...redis.environment, RELAY_PRIVATE_KEY: writeKey(key) };
    relays = await Promise.all(Array.from({ length: REPLICAS }, () => RelayProcess.start(environment)));
    balancer = await Balancer.start(relays.map(({ port }) => port));
  });

  afterAll(async () => {
    await Promise.all(members.map((made) => made.remove()));
    await balancer.stop();
    await Promise.all(relays.map((relay) => relay.remove()));
    await redis.stop();
  });

  async function member(name: string): Promise<Member> {
    const made = await Member.create(name, balancer.url);
    members.push(made);
    return made;
  }

  async function joined(owner: Member, roomId: string, name: string): Promise<Member> {
    const guest = await member(name);
    value(await guest.api.join((await owner.invite(roomId)).link, name));
    await guest.admitted(roomId);
    return guest;
  }

  const address = (at: number): { url: string; publicKey: KeyPair['publicKey'] } => {
    const relay = relays[at % REPLICAS];
    if (relay === undefined) throw new Error('no such replica');
    return { url: relay.url, publicKey: key.publicKey };
  };

  test('carry a room whose members are everywhere, over rotations, a removal and a hand-over', async () => {
    const owner = await member('Amina');
    const roomId = await owner.createRoom('Rive droite', 10);
    const tomas = await joined(owner, roomId, 'Tomás');
    const ines = await joined(owner, roomId, 'Inès');
    const all = [owner, tomas, ines];
    const sent = Array.from({ length: 24 }, (_, n) => `message ${String(n)}`);
    for (let from = 0; from < sent.length; from += 6) {
      const burst = sent.slice(from, from + 6);
      await Promise.all(
        burst.map(async (text, n) => {
          await all[n % 3]?.say(roomId, text);
        }),
      );
      await Promise.all(all.map((who) => who.has(...burst)));
    }
    await until('two rotations', () => all.every((who) => (who.room?.key?.epoch ?? 0) >= 3));
    for (const who of all) expect(who.texts).toEqual(owner.texts);
    value(await owner.api.removeMember(roomId, ines.room?.me ?? ''));
    await until('the removed to know', () => ines.app?.rooms[0]?.stage === 'removed');
    value(await owner.api.offerOwnership(roomId, tomas.room?.me ?? ''));
    await until('the offer to arrive', () => tomas.room?.ownershipTransfer?.role === 'offered');
    value(await tomas.api.acceptOwnership(roomId));
    await until('the new owner', () => tomas.room?.owner === true && owner.room?.owner === false);
    await owner.say(roomId, 'as a member');
    await tomas.has('as a member');
    expect(all.flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('go on when one of them is killed with -9 under traffic, and when Redis is', async () => {
    const owner = await member('Amina');
    const roomId = await owner.createRoom('Under traffic', 1_000);
    const tomas = await joined(owner, roomId, 'Tomás');
    const sent = Array.from({ length: 30 }, (_, n) => `line ${String(n)}`);
    for (const [n, text] of sent.entries()) {
      if (n === 8) await relays[0]?.stop('SIGKILL');
      if (n === 12) await relays[0]?.start();
      if (n === 18) await redis.kill(0);
      if (n === 22) await redis.restart(0);
      await (n % 2 === 0 ? owner : tomas).say(roomId, text);
    }
    await Promise.all([owner.has(...sent), tomas.has(...sent)]);
    const mine = (who: Member): readonly string[] => who.texts.filter((text) => sent.includes(text));
    expect(mine(owner)).toHaveLength(sent.length);
    expect(mine(tomas)).toEqual(mine(owner));
    expect([...owner.alarms, ...tomas.alarms]).toEqual([]);
    await Promise.all(relays.map((relay) => relay.ready()));
  });

  test('give one token to one of two that claim it on two of them, 200 times', async () => {
    const room = await TestRoom.create(address(0));
    const [first, second] = [await Peer.connect(address(1)), await Peer.connect(address(2))];
    for (let n = 0; n < 200; n++) {
      const inviteId = newInviteId();
      await room.owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
      const codes = await Promise.all(
        [first, second].map((peer) => peer.refusal('claim', { roomId: room.roomId, inviteId })),
      );
      expect([...codes].sort()).toEqual(['INVITE_TAKEN', null]);
      await room.owner.request('revoke', { inviteId });
    }
    for (const peer of [room.owner, first, second]) peer.socket.disconnect();
  });

  test('take nothing of an epoch that a rotation elsewhere has ended, nor of who was removed elsewhere', async () => {
    const room = await TestRoom.create(address(0));
    const [writer, reader] = [await Peer.connect(address(1)), await Peer.connect(address(2))];
    await room.join(writer);
    await room.join(reader);
    for (let n = 0; n < 20; n++) {
      const { epoch } = room;
      await Promise.all([
        room.rotate(),
        writer.request('append', { messages: [message(epoch), message(epoch), message(epoch)] }),
      ]);
    }
    await Promise.all([
      room.change('remove', { member: writer.memberId, reason: 'removed' }),
      ...Array.from({ length: 10 }, () => writer.refusal('append', { messages: [message(room.epoch)] })),
    ]);
    await until('the rotation that follows the removal', () => {
      const [before, last] = reader.entries.slice(-2);
      return before?.kind === 'roster' && last?.kind === 'rotation';
    });
    const { entries } = reader;
    const removal = entries.findLastIndex(({ kind }) => kind === 'roster');
    let epoch = 1;
    for (const [at, entry] of entries.entries()) {
      expect(entry.position.s).toBe((entries[0]?.position.s ?? 0) + at);
      if (entry.kind === 'rotation') epoch += 1;
      if (entry.kind !== 'message') continue;
      expect(entry.clear).toEqual(message(epoch).clear);
      expect(at).toBeLessThan(removal);
    }
    expect(epoch).toBe(room.epoch);
    for (const peer of [room.owner, writer, reader]) peer.socket.disconnect();
  });
});
