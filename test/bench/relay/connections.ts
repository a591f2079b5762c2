/** What connections take: memory, handshakes, and coming back all at once. */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeMessageClear, type Bytes } from '@0fc/protocol';
import { ClientLink, RelayLink } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { disperse, paced, plainCrowd, relayCrowd, type Crowd } from './crowd.js';
import { PlainMember, rawPeer, Sent, type RawPeer } from './members.js';
import {
  cpuMicros,
  settled,
  SETTLE_MS,
  startBenchRelay,
  startPlainServer,
  type BenchRedis,
} from './servers.js';
import { type Report } from './table.js';

const ROOM = 10;
const [FEW, MANY] = [1_000, 4_000];
const STORM = 2_000;
/** Lines of each room that who comes back has missed. */
const MISSED = 5;
const RETRY_MS = 1_000;
const HANDSHAKES = 200;
const CONNECTS = 400;
const AT_ONCE = 16;
const TRAFFIC_PER_SECOND = 100;
const TRAFFIC_SECONDS = 20;

/** KiB for each connected member of a room of ten, from the thousandth to the fourth thousandth: the first fill the heap's nursery. */
export async function benchMemory(redis: BenchRedis, report: Report): Promise<void> {
  const rows = [];
  const [plain, relay] = [await startPlainServer(redis), await startBenchRelay(redis)];
  const shape = (members: number) => ({ rooms: members / ROOM, members: ROOM, bytes: 400 });
  const measured = async (name: string, pid: number, crowd: (members: number) => Promise<Crowd>) => {
    const few = await crowd(FEW);
    const atFew = await settled(pid);
    const rest = await crowd(MANY - FEW);
    const atMany = await settled(pid);
    disperse(few);
    disperse(rest);
    const after = await settled(pid);
    return {
      server: name,
      [`MiB at ${String(FEW)}`]: atFew / 1_024,
      [`MiB at ${String(MANY)}`]: atMany / 1_024,
      'MiB when all have left': after / 1_024,
      'KiB each': (atMany - atFew) / (MANY - FEW),
    };
  };
  try {
    rows.push(await measured('plain', plain.pid, (members) => plainCrowd(plain, shape(members))));
    rows.push(await measured('relay', relay.pid, (members) => relayCrowd([relay], shape(members))));
    const [a, b] = rows.map((row) => row['KiB each']);
    report.add('Memory', [...rows, { server: 'ratio', 'KiB each': (b ?? NaN) / (a ?? NaN) }]);
  } finally {
    await plain.stop();
    await relay.stop();
  }
}

/** Runs `one` so often, a few at a time. */
async function several(times: number, one: () => Promise<void>): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

interface Connecting {
  readonly perSecond: number;
  readonly cpu: number;
  readonly busy: number;
  readonly generator: number;
}

/** Of one core, by this process since then: where it is near to 1, it was the limit. */
function busyOf(since: NodeJS.CpuUsage, seconds: number): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6 / seconds;
}

/** Connections a second, with handshakes, alone and beside {@link TRAFFIC_PER_SECOND} lines a second in a room of 100. */
export async function benchConnects(redis: BenchRedis, report: Report): Promise<void> {
  const [plain, relay] = [await startPlainServer(redis), await startBenchRelay(redis)];
  const shape = { rooms: 1, members: 100, bytes: 400 };
  const rows = [];
  try {
    for (const [name, server, crowdOf, connect] of [
      [
        'plain',
        plain,
        () => plainCrowd(plain, shape),
        async () => {
          const member = new PlainMember(plain.url, new Sent());
          await member.opened;
          member.raw.destroy();
        },
      ],
      [
        'relay',
        relay,
        () => relayCrowd([relay], shape),
        async () => {
          const peer = await rawPeer(relay.address);
          peer.socket.disconnect();
        },
      ],
    ] as const) {
      const crowd: Crowd = await crowdOf();
      const measured = async (): Promise<Connecting> => {
        const [began, cpu, own] = [performance.now(), cpuMicros(server.pid), process.cpuUsage()];
        await several(CONNECTS, connect);
        const seconds = (performance.now() - began) / 1_000;
        const used = cpuMicros(server.pid) - cpu;
        return {
          perSecond: CONNECTS / seconds,
          cpu: used / CONNECTS / 1_000,
          busy: used / 1e6 / seconds,
          generator: busyOf(own, seconds),
        };
      };
      const alone = await measured();
      const traffic = paced(
        TRAFFIC_PER_SECOND,
        TRAFFIC_SECONDS,
        400,
      )(crowd.rooms.map((room) => room.slice(0, 5)));
      const beside = await measured();
      await traffic;
      rows.push({
        server: name,
        'connects/s alone': alone.perSecond,
        'CPU ms each': alone.cpu,
        busy: alone.busy,
        'generator busy': alone.generator,
        'connects/s under traffic': beside.perSecond,
      });
      disperse(crowd);
    }
    report.add('Connecting', rows);
  } finally {
    await plain.stop();
    await relay.stop();
  }
}

/** Milliseconds of CPU that a handshake takes at the relay's end, as this process runs it alone. */
async function handshakeMs(): Promise<number> {
  const [relay, identity] = [generateKeyPair(), generateKeyPair()];
  let micros = 0;
  for (let n = 0; n < HANDSHAKES; n++) {
    const client = ClientLink.open({ identity, relayKey: relay.publicKey });
    const end = RelayLink.accept({ relay });
    const receive = (frame: Bytes | null): Bytes | null => {
      const before = process.cpuUsage();
      const { reply } = end.receive(frame);
      const { user, system } = process.cpuUsage(before);
      micros += user + system;
      return reply;
    };
    receive(client.receive(receive(client.start())).reply);
    client.destroy();
    end.destroy();
    await pause(0);
  }
  return micros / 1_000 / HANDSHAKES;
}

/** All are dropped and come back at once, each having missed lines, while nobody speaks: until the last has caught up. */
export async function benchStorm(redis: BenchRedis, report: Report): Promise<void> {
  const relay = await startBenchRelay(redis);
  try {
    const crowd = await relayCrowd([relay], { rooms: STORM / ROOM, members: ROOM, bytes: 400 });
    const places = crowd.rooms.flatMap((members, at) =>
      members.map(({ peer, cursor }) => ({ at, identity: peer.identity, cursor })),
    );
    disperse(crowd);
    await pause(SETTLE_MS);
    const writers: RawPeer[] = [];
    for (const [at, members] of crowd.rooms.entries()) {
      const [owner] = members;
      const room = crowd.made[at];
      if (owner === undefined || room === undefined) throw new Error('a room without an owner');
      const writer = await rawPeer(relay.address, owner.peer.identity);
      writers.push(writer);
      await room.open(writer);
      for (let n = 0; n < MISSED; n++)
        await writer.request('append', {
          messages: [{ clear: encodeMessageClear(1), payload: crowd.sent.next(400) }],
        });
    }
    for (const writer of writers) writer.socket.disconnect();
    await pause(SETTLE_MS);
    const [began, cpu, own] = [performance.now(), cpuMicros(relay.pid), process.cpuUsage()];
    let again = 0;
    const back = await Promise.all(
      places.map(async ({ at, identity, cursor }) => {
        const room = crowd.made[at];
        if (room === undefined) throw new Error('no room');
        for (;;) {
          const peer = await rawPeer(relay.address, identity).catch(() => null);
          if (peer !== null) {
            const { entries } = await room.open(peer, cursor === null ? undefined : { g: 1, s: cursor });
            const lines = entries.filter(({ kind }) => kind === 'message').length;
            if (lines !== MISSED) throw new Error('lines are missing');
            return peer;
          }
          // Its turn did not come: too many wait, or for too long. A client tries again after a while, too.
          again += 1;
          await pause(RETRY_MS * (0.5 + Math.random()));
        }
      }),
    );
    const seconds = (performance.now() - began) / 1_000;
    const used = (cpuMicros(relay.pid) - cpu) / 1_000;
    const themis = await handshakeMs();
    report.add(`${STORM.toLocaleString('en')} dropped`, [
      {
        'all back, s': seconds,
        busy: used / 1_000 / seconds,
        'generator busy': busyOf(own, seconds),
        'CPU ms each': used / STORM,
        'tried again': again,
        'Themis ms each': themis,
        'Themis %': (100 * themis * (STORM + again)) / used,
      },
    ]);
    for (const peer of back) peer.socket.disconnect();
  } finally {
    await relay.stop();
  }
}
