/** Rooms full of members, at either server. */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { RelayAddress } from '../../integration/relay-peer.js';
import { TestRoom } from '../../integration/relay-room.js';
import { until } from '../../support/wait.js';
import { PlainMember, RelayMember, rawPeer, Sent, type BenchMember, type RawPeerSocket } from './members.js';
import { cpuMicros, type BenchRedis, type Relay, type Server } from './servers.js';

export interface Shape {
  readonly rooms: number;
  readonly members: number;
  /** bytes of a payload */
  readonly bytes: number;
}
export const nameOf = ({ rooms, members, bytes }: Shape): string =>
  `${String(rooms)}×${String(members)}, ${String(bytes)} B`;

/** Of all members, those that look at what comes while it is measured, and send; at least two in each room. */
const LOOKING = 0.05;
const QUIET_MS = 100;
const SECOND = 1_000;

export interface Crowd<M extends BenchMember = BenchMember> {
  /** members are spread over them */
  readonly servers: readonly Server[];
  readonly shape: Shape;
  readonly sent: Sent;
  readonly rooms: readonly (readonly M[])[];
}

/** A crowd at the relay also has its rooms, for those that come back. */
export interface RelayCrowd extends Crowd<RelayMember> {
  readonly made: readonly TestRoom<RawPeerSocket>[];
}

export async function relayCrowd(relays: readonly Relay[], shape: Shape): Promise<RelayCrowd> {
  const sent = new Sent();
  let next = 0;
  const address = (): RelayAddress => {
    const relay = relays[next++ % relays.length];
    if (relay === undefined) throw new Error('no relay');
    return relay.address;
  };
  const made: TestRoom<RawPeerSocket>[] = [];
  const rooms: RelayMember[][] = [];
  for (let at = 0; at < shape.rooms; at++) {
    const settings = { maxMembers: Math.max(2, shape.members), history: 10_000 };
    const first = address();
    const room = await TestRoom.over(first, settings, (identity) => rawPeer(first, identity));
    const members = [new RelayMember(room.owner, sent)];
    while (members.length < shape.members) {
      const peer = await rawPeer(address());
      await room.join(peer);
      members.push(new RelayMember(peer, sent));
    }
    made.push(room);
    rooms.push(members);
  }
  return { servers: relays, shape, sent, rooms, made };
}

export async function plainCrowd(server: Server, shape: Shape): Promise<Crowd<PlainMember>> {
  const sent = new Sent();
  const rooms: PlainMember[][] = [];
  for (let at = 0; at < shape.rooms; at++) {
    const members: PlainMember[] = [];
    while (members.length < shape.members) {
      const member = new PlainMember(server.url, sent);
      await member.enter(`a room of the baseline ${String(at)}`);
      members.push(member);
    }
    rooms.push(members);
  }
  return { servers: [server], shape, sent, rooms };
}

export function disperse({ rooms }: Crowd): void {
  for (const member of rooms.flat()) member.raw.destroy();
}

const lookersOf = (members: readonly BenchMember[]): readonly BenchMember[] =>
  spread(members, Math.max(2, Math.round(members.length * LOOKING)));

/** So many, evenly, the first and the last among them: servers deliver in the order in which members came. */
function spread<T>(all: readonly T[], count: number): readonly T[] {
  const some = new Set<T>();
  for (let at = 0; at < count; at++) {
    const one = all[Math.round((at * (all.length - 1)) / (count - 1))];
    if (one !== undefined) some.add(one);
  }
  return [...some];
}

/** Nothing has come for a while. */
export async function quiet(members: readonly BenchMember[]): Promise<void> {
  const received = (): number => members.reduce((sum, { raw }) => sum + raw.received, 0);
  for (let before = -1; before !== received();) {
    before = received();
    await pause(QUIET_MS);
  }
}

export interface Window {
  readonly lines: number;
  readonly deliveries: number;
  readonly seconds: number;
  /** of one core, in the window */
  readonly busy: number;
  readonly cpuMicrosEach: number;
  readonly redisMicrosPerLine: number;
  readonly linesPerFrame: number;
  /** milliseconds from sending to seeing, of those who look, ascending */
  readonly ages: readonly number[];
}

/**
 * Measures while `work` runs and until all of it has arrived. Everything is looked at afterwards: each member has each line of
 * its room once, as it was sent, in order.
 */
export async function measure(
  { servers, rooms, sent }: Crowd,
  redis: BenchRedis,
  work: (lookers: readonly (readonly BenchMember[])[]) => Promise<void>,
): Promise<Window> {
  const all = rooms.flat();
  const lookers = rooms.map(lookersOf);
  const looking = new Set(lookers.flat());
  const ages: number[] = [];
  for (const member of looking) member.onAge = (ms) => ages.push(ms);
  for (const member of all) if (!looking.has(member)) member.count();
  const before = new Map(all.map((member) => [member, member.lines]));
  const seen = (member: BenchMember): number => member.lines - (before.get(member) ?? 0);
  // Who looks gets answers as well; who counts gets lines alone, and now and then a heartbeat.
  const counting = all.filter((member) => !looking.has(member));
  const framesOf = (): number => counting.reduce((sum, member) => sum + member.frames, 0);
  const frames = framesOf();
  const said = sent.count;
  const serverCpu = (): number => servers.reduce((sum, { pid }) => sum + cpuMicros(pid), 0);
  const [cpu, redisCpu, began] = [serverCpu(), redis.cpu(), performance.now()];
  await work(lookers);
  const lines = sent.count - said;
  const each = lines / rooms.length;
  await until('all deliveries', () => {
    if (all.some(({ ended }) => ended)) throw new Error('a connection has ended');
    return [...looking].every((member) => seen(member) >= each);
  });
  await quiet(all);
  // Until the last of it came to anybody, also to who only counts.
  const seconds = (Math.max(...all.map(({ raw }) => raw.lastReceived)) - began) / SECOND;
  const used = serverCpu() - cpu;
  const redisUsed = redis.cpu() - redisCpu;
  const newFrames = framesOf() - frames;
  for (const member of all) {
    member.onAge = null;
    member.look();
    // Pings are to be answered meanwhile.
    await pause(0);
  }
  if (all.some(({ ended }) => ended)) throw new Error('a connection has ended');
  if (!all.every((member) => seen(member) === each)) throw new Error('a line is missing');
  const deliveries = lines * (rooms[0]?.length ?? 0);
  return {
    lines,
    deliveries,
    seconds,
    busy: used / 1e6 / seconds,
    cpuMicrosEach: used / deliveries,
    redisMicrosPerLine: redisUsed / lines,
    linesPerFrame: (each * counting.length) / newFrames,
    ages: ages.sort((a, b) => a - b),
  };
}

/** One line after the other in each room; so many in each. */
export const oneByOne =
  (each: number, bytes: number) =>
  async (lookers: readonly (readonly BenchMember[])[]): Promise<void> => {
    await Promise.all(
      lookers.map(async (members) => {
        for (let n = 0; n < each; n++) await members[n % members.length]?.say(bytes);
      }),
    );
  };

/** As much as the server takes: those who look have so many in flight together in each room. */
export const flatOut =
  (each: number, inFlight: number, bytes: number) =>
  async (lookers: readonly (readonly BenchMember[])[]): Promise<void> => {
    await Promise.all(
      lookers.map(async (members) => {
        let left = each;
        const worker = async (at: number): Promise<void> => {
          while (left-- > 0) await members[at % members.length]?.say(bytes);
        };
        await Promise.all(Array.from({ length: inFlight }, (_, at) => worker(at)));
      }),
    );
  };

/** So many lines a second of all rooms together, for so many seconds, each sent when it is due. */
export const paced =
  (perSecond: number, seconds: number, bytes: number) =>
  async (lookers: readonly (readonly BenchMember[])[]): Promise<void> => {
    const each = Math.ceil((perSecond * seconds) / lookers.length);
    const total = each * lookers.length;
    const began = performance.now();
    const answers: Promise<void>[] = [];
    while (answers.length < total) {
      const due = Math.min(total, Math.floor(((performance.now() - began) / SECOND) * perSecond));
      while (answers.length < due) {
        const n = answers.length;
        const members = lookers[n % lookers.length] ?? [];
        const member = members[Math.floor(n / lookers.length) % members.length];
        if (member === undefined) throw new Error('a room without members');
        answers.push(member.say(bytes));
      }
      await pause(1);
    }
    await Promise.all(answers);
  };
