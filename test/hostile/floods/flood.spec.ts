/** Floods: by a member, by strangers, and of alarms by the relay. Who has nothing to do with one goes on (G16, W11, G6). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeMessageClear, LIMITS, type Entry } from '@0fc/protocol';
import { makeKeyRequest, makePrekey } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../../apps/relay/src/start.js';
import { Member, value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { Peer, rawSocket } from '../../integration/relay-peer.js';
import { newInviteId, TestRoom } from '../../integration/relay-room.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { idOf, Stage } from '../stage.js';

const ROOMS = 6;
const CONNECTIONS = 24;
const ENVIRONMENT = {
  PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', METRICS_PORT: '0', HANDSHAKE_MS: '60000',
  ROOMS_PER_ADDRESS_PER_DAY: String(ROOMS), MAX_CONNECTIONS_PER_ADDRESS: String(CONNECTIONS),
  // Low, so that a busy machine is beyond them too.
  REQUESTS_PER_SECOND: '10', REQUESTS_BURST: '150', APPEND_PER_SECOND: '10', APPEND_BURST: '32',
} as const; // prettier-ignore
/** What a flood may be refused with. */
const TYPED =
  /^(reply|RATE_LIMITED|MALFORMED|FORBIDDEN|BAD_ENTRY|BAD_SIGNATURE|INVITE_UNKNOWN|ROOM_UNKNOWN|STALE_EPOCH|CLOSED)$/;

const members: Member[] = [];
const peers: Peer[] = [];
let relay: RunningRelay;
beforeAll(async () => {
  relay = await startRelay({ environment: ENVIRONMENT, inMemory: true });
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.leave();
  await Promise.all(members.splice(0).map((member) => member.remove()));
});
afterAll(() => relay.stop());

/** Two that talk, with their own clients. */
async function pair(
  names: readonly [string, string],
): Promise<{ one: Member; other: Member; roomId: string }> {
  const [one, other] = await Promise.all(names.map((name) => Member.create(name, relay.url)));
  members.push(one!, other!);
  const roomId = await one!.createRoom(`of ${names.join(' and ')}`, 100);
  value(await other!.api.join((await one!.invite(roomId)).link, other!.name));
  await other!.admitted(roomId);
  await until('both to see each other', () =>
    [one!, other!].every((who) => who.room?.members.every(({ name }) => name !== '') === true),
  );
  return { one: one!, other: other!, roomId };
}

async function connect(identity?: Peer['identity']): Promise<Peer> {
  const peer = await Peer.connect(relay, identity);
  peers.push(peer);
  return peer;
}

async function endOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'reply';
  } catch (error) {
    return (error as { code?: string }).code ?? 'UNTYPED';
  }
}

const queuedBytes = async (): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${String(relay.metricsPort)}/metrics`)).text();
  return Number(/^relay_queue_bytes (\S+)$/m.exec(text)?.[1]);
};

/** Says lines one after the other and has each arrive, for as long as something else goes on. */
async function talkWhile(
  { one, other, roomId }: { one: Member; other: Member; roomId: string },
  work: Promise<unknown>,
): Promise<number> {
  const still = { going: true };
  const end = work.finally(() => {
    still.going = false;
  });
  let lines = 0;
  while (still.going || lines === 0) {
    const text = `line ${String(++lines)}`;
    await one.say(roomId, text);
    await other.has(text);
  }
  await end;
  return lines;
}

describe('a member that floods its room', () => {
  test('G16 is refused by type and cut; its room has every line once, and the room beside it hears nothing of it', async () => {
    const beside = await pair(['Amina', 'Tomás']);
    const { one: owner, other: flooder, roomId } = await pair(['Inès', 'Dora']);
    await flooder.leave();
    const stolen = await Stolen.from(flooder, roomId);
    const { identity, core } = stolen;
    const rotation = await stolen.begin();
    const requests = async (
      at: number,
    ): Promise<readonly { kind: string; body: Record<string, unknown> }[]> => {
      const { clear, payload } = stolen.text(`flood ${String(at)}`, { n: core.nextN + at });
      const { container } = makeKeyRequest(
        { random: nodeRandom },
        { identity, roomId: core.roomId, memberId: core.me, epoch: 1, rotation, failed: [] },
      );
      const place = { identity, roomId: core.roomId, memberId: core.me, k: 2 + at };
      const { prekey, ek } = await makePrekey({ hash: nodeHash, random: nodeRandom }, place);
      const restored = entryAt({ g: 1, s: 1 }, 'roster', core.me, { payload: nodeRandom.bytes(300) });
      return [
        { kind: 'append', body: { messages: [{ clear, payload }] } },
        { kind: 'signal', body: { epoch: 1, payload: nodeRandom.bytes(LIMITS.signalBytes) } },
        { kind: 'needKey', body: { request: container } },
        { kind: 'prekey', body: { prekey, ek } },
        { kind: 'restore', body: { roomId: core.roomId, entries: [restored] } },
        { kind: 'transferOffer', body: { to: core.me, offer: nodeRandom.bytes(200) } },
        { kind: 'ack', body: { position: { g: 1, s: at } } },
        { kind: 'chain', body: { from: 0 } },
      ];
    };
    let most = 0;
    const flood = async (): Promise<Map<string, number>> => {
      const ends = new Map<string, number>();
      const peer = await connect(identity);
      await peer.request('open', { roomId: core.roomId, after: core.position, head: null, epoch: 1 });
      for (let round = 0; round < 5; round++) {
        const made = Array.from({ length: 12 }, (_, n) => requests(12 * round + n));
        const all = (await Promise.all(made)).flat();
        for (const end of await Promise.all(peer.raw(...all).map(endOf)))
          ends.set(end, (ends.get(end) ?? 0) + 1);
        most = Math.max(most, await queuedBytes());
      }
      return ends;
    };
    const flooding = flood();
    const lines = await talkWhile(beside, flooding);
    const ends = await flooding;
    expect([...ends.keys()].filter((end) => !TYPED.test(end))).toEqual([]);
    expect(ends.get('RATE_LIMITED')).toBeGreaterThan(0);
    expect(ends.get('FORBIDDEN')).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(LIMITS.frameBytes * 3);
    // More than may wait at once ends the connection, with a word.
    const peer = await connect(identity);
    const all = Array.from({ length: 10 }, () =>
      Array.from({ length: 200 }, () => ({ kind: 'prekeys', body: {} })),
    );
    const answers = all.flatMap((some) => peer.raw(...some)).map(endOf);
    await peer.gone();
    expect((await Promise.all(answers)).filter((end) => !TYPED.test(end) && end !== 'NOT_BOUND')).toEqual([]);
    expect(peer.closing).toBe('RATE_LIMITED');
    // What was taken stands there once, in the order in which it was sent.
    await owner.say(roomId, 'enough');
    await owner.has('enough');
    const read = owner.texts.filter((text) => text.startsWith('flood'));
    expect(read.length).toBeGreaterThan(0);
    expect(new Set(read).size).toBe(read.length);
    expect(read.map((text) => Number(text.slice(6)))).toEqual(
      [...read.map((text) => Number(text.slice(6)))].sort((a, b) => a - b),
    );
    for (const who of [beside.one, beside.other]) {
      expect(who.texts).toEqual(Array.from({ length: lines }, (_, n) => `line ${String(n + 1)}`));
      expect([...who.alarms, who.room?.connection]).toEqual(['connected']);
    }
  });
});

describe('strangers in bulk', () => {
  test('W11 make no more rooms than an address may, claim nothing, and take no place of those who are there', async () => {
    const beside = await pair(['Amina', 'Tomás']);
    const strange = async (): Promise<string[]> => {
      const ends: string[] = [];
      for (let n = 0; n < ROOMS; n++) {
        try {
          peers.push((await TestRoom.create(relay)).owner);
          ends.push('reply');
        } catch (error) {
          ends.push((error as { code?: string }).code ?? 'UNTYPED');
        }
      }
      const claimant = await connect();
      const roomId = beside.roomId as never;
      const claims = Array.from({ length: 200 }, () => ({
        kind: 'claim',
        body: { roomId, inviteId: newInviteId() },
      }));
      for (let round = 0; round < 4; round++)
        ends.push(...(await Promise.all(claimant.raw(...claims).map(endOf))));
      return ends;
    };
    const bulk = strange();
    await talkWhile(beside, bulk);
    const ends = await bulk;
    expect(ends.slice(0, ROOMS)).toContain('RATE_LIMITED');
    expect(new Set(ends.slice(ROOMS))).toEqual(new Set(['INVITE_UNKNOWN', 'RATE_LIMITED']));
    // More connections than an address may have: the new ones are turned away, none of the old ones is.
    const sockets = Array.from({ length: 2 * CONNECTIONS }, () => rawSocket(relay.url));
    const ended = new Set<unknown>();
    for (const socket of sockets)
      for (const event of ['disconnect', 'connect_error']) socket.on(event, () => ended.add(socket));
    await until('those beyond the limit to be turned away', () => ended.size >= CONNECTIONS);
    expect(ended.size).toBeLessThan(sockets.length);
    await beside.other.say(beside.roomId, 'still here');
    await beside.one.has('still here');
    for (const socket of sockets) socket.disconnect();
    expect([beside.one, beside.other].flatMap(({ alarms, room }) => [...alarms, room?.connection])).toEqual([
      'connected',
      'connected',
    ]);
  });
});

describe('a relay that floods a client with alarms', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.close());

  test('G6 has each kind counted with its places: shown, bounded in the vault, and the room goes on', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'before');
    await tomas.has('before');
    await stage.level([owner, tomas]);
    const me = idOf(tomas);
    const { core } = await Stolen.from(tomas, roomId);
    const { g, s } = core.position;
    // For Tomás the log has so many more entries from here on, and is otherwise the true one.
    const FLOOD = 600;
    stage.relay.onEntries((client, entries) =>
      client.memberId === me
        ? entries.map((entry) => ({ ...entry, position: { g, s: entry.position.s + FLOOD } }))
        : undefined,
    );
    stage.relay.onRequest('open', (client, body) =>
      client.memberId === me
        ? { instead: { ...body, after: { g, s: Math.max(s, (body.after?.s ?? 0) - FLOOD) } } }
        : undefined,
    );
    stage.relay.onReply('open', (client, reply) =>
      client.memberId === me ? { ...reply, tip: { g, s: reply.tip.s + FLOOD } } : undefined,
    );
    const invented = Array.from({ length: FLOOD }, (_, n): Entry => {
      const place = { g, s: s + 1 + n };
      const payload = nodeRandom.bytes(120);
      return n % 2 === 0
        ? entryAt(place, 'roster', idOf(owner), { payload })
        : entryAt(place, 'message', idOf(owner), { payload, clear: encodeMessageClear(1) });
    });
    for (let at = 0; at < FLOOD; at += 100)
      stage.relay.tell(me, 'entries', { entries: invented.slice(at, at + 100) });
    // An entry after them that is read before them would be a gap, which this is not about.
    await until(
      'all of it to be read',
      async () => (await Stolen.from(tomas, roomId)).core.position.s === s + FLOOD,
    );
    await owner.say(roomId, 'are you there?');
    await tomas.has('before', 'are you there?');
    const counted = () =>
      tomas.items.flatMap((item) =>
        item.type === 'alarm' && item.params.times !== undefined
          ? [[item.code, item.params.times, item.params.last] as const]
          : [],
      );
    const due = [
      ['ALARM_BAD_ROSTER', FLOOD / 2 - 7, s + FLOOD - 1],
      ['ALARM_UNREADABLE', FLOOD / 2 - 7, s + FLOOD],
    ];
    expect([...counted()].sort()).toEqual(due);
    const after = (await Stolen.from(tomas, roomId)).core;
    expect(after.nextIndex - core.nextIndex).toBeLessThan(32);
    // A restart finds the same, and the log goes on from where it was.
    await tomas.leave();
    await tomas.comeBack(roomId);
    await tomas.live();
    await owner.say(roomId, 'and now?');
    await tomas.has('before', 'are you there?', 'and now?');
    expect([...counted()].sort()).toEqual(due);
    expect(tomas.alarms).not.toContain('ALARM_GAP');
    expect(owner.room?.connection).toBe('connected');
  });
});
