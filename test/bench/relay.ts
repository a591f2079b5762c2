/**
 * npm run bench -- relay: deliveries a second, server CPU microseconds for each and memory for each connection,
 * of one relay on Redis beside a plain Socket.IO server with the sharded adapter on the same
 * Redis, in the same run. Payloads of 400 bytes; 10 rooms of 10 members, and one of 100.
 *
 * Then: how long a member waits for its append, alone and beside a flood (flood.child.ts).
 *
 * Every delivery is counted and its order checked: a fast relay that loses or swaps would not do.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { io, type Socket } from 'socket.io-client';
import type { Bytes } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { Peer } from '../integration/relay-peer.js';
import { message, TestRoom } from '../integration/relay-room.js';
import { startRedis } from '../support/redis.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

const PAYLOAD = 400;
const TICKS_PER_SECOND = 100;
const DEADLINE_MS = 300_000;
/** Connections that are there before: what the first ones take is the process, not they. */
const WARM = 200;

interface Shape {
  readonly rooms: number;
  readonly members: number;
  /** messages of each member */
  readonly each: number;
}
const SHAPES: readonly Shape[] = [
  { rooms: 10, members: 10, each: 60 },
  { rooms: 1, members: 100, each: 8 },
];

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly kibPerConnection: number;
}

/** Seconds of CPU that a process has used, to 10 ms. */
function cpuSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]);
}

/** Runs `work`, which ends when all deliveries have arrived. */
async function measure(
  pid: number,
  { rooms, members, each }: Shape,
  idleKib: number,
  work: () => Promise<void>,
): Promise<Measured> {
  const kibPerConnection = (residentKib(pid) - idleKib) / (rooms * members);
  const deliveries = rooms * members * members * each;
  const [cpu, began] = [cpuSeconds(pid), performance.now()];
  await work();
  const seconds = (performance.now() - began) / 1_000;
  return {
    perSecond: deliveries / seconds,
    cpuMicros: ((cpuSeconds(pid) - cpu) * 1e6) / deliveries,
    kibPerConnection,
  };
}

async function relayRun(relay: RelayProcess, publicKey: Bytes, shape: Shape): Promise<Measured> {
  const { pid } = relay;
  const address = { url: relay.url, publicKey };
  const warm: Peer[] = [];
  while (warm.length < WARM) warm.push(await Peer.connect(address));
  const idle = residentKib(pid);
  const rooms: Peer[][] = [];
  for (let at = 0; at < shape.rooms; at++) {
    const room = await TestRoom.create(address, { maxMembers: Math.max(2, shape.members) });
    const peers = [room.owner];
    while (peers.length < shape.members) {
      const peer = await Peer.connect(address);
      await room.join(peer);
      peers.push(peer);
    }
    rooms.push(peers);
  }
  const before = new Map(rooms.flat().map((peer) => [peer, peer.entries.length]));
  const measured = await measure(pid, shape, idle, async () => {
    await Promise.all(
      rooms.flat().map(async (peer) => {
        for (let n = 0; n < shape.each; n++)
          await peer.request('append', { messages: [message(1, PAYLOAD)] });
      }),
    );
    const due = shape.members * shape.each;
    const arrived = (peer: Peer): number => peer.entries.length - (before.get(peer) ?? 0);
    await until('all deliveries', () => rooms.flat().every((peer) => arrived(peer) >= due), DEADLINE_MS);
  });
  for (const peers of rooms)
    checkOrder(peers.map((peer) => peer.entries.slice(before.get(peer)).map((e) => e.position.s)));
  for (const peer of [...warm, ...rooms.flat()]) peer.socket.disconnect();
  return measured;
}

/** Everybody has the same entries, each once, one after the other. */
function checkOrder(lists: readonly (readonly number[])[]): void {
  for (const list of lists) {
    const [first = 0] = list;
    if (list.some((s, at) => s !== first + at))
      throw new Error('an entry is missing, double or out of order');
  }
}

async function connected(url: string): Promise<Socket> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true });
  await new Promise<void>((resolve) => socket.on('connect', resolve));
  return socket;
}

async function baselineRun(pid: number, url: string, shape: Shape): Promise<Measured> {
  const warm: Socket[] = [];
  while (warm.length < WARM) warm.push(await connected(url));
  const idle = residentKib(pid);
  const sockets: { readonly room: string; readonly socket: Socket; arrived: number }[] = [];
  for (let at = 0; at < shape.rooms * shape.members; at++) {
    const room = `a room of the baseline ${String(at % shape.rooms)}`;
    const socket = await connected(url);
    const entry = { room, socket, arrived: 0 };
    socket.on('said', () => {
      entry.arrived += 1;
    });
    await socket.emitWithAck('enter', room);
    sockets.push(entry);
  }
  const payload = Buffer.alloc(PAYLOAD, 7);
  const measured = await measure(pid, shape, idle, async () => {
    await Promise.all(
      sockets.map(async ({ room, socket }) => {
        for (let n = 0; n < shape.each; n++) await socket.emitWithAck('say', room, payload);
      }),
    );
    const due = shape.members * shape.each;
    await until('all deliveries', () => sockets.every(({ arrived }) => arrived >= due), DEADLINE_MS);
  });
  for (const socket of [...warm, ...sockets.map((entry) => entry.socket)]) socket.disconnect();
  return measured;
}

const column = (value: string): string => value.padStart(16);
function print(name: string, { perSecond, cpuMicros, kibPerConnection }: Measured): void {
  const cells = [perSecond.toFixed(0), cpuMicros.toFixed(1), kibPerConnection.toFixed(0)];
  console.log(name.padEnd(28) + cells.map(column).join(''));
}

async function baselineServer(url: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const file = join(import.meta.dirname, 'baseline-server.mjs');
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, REDIS_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, url: `http://127.0.0.1:${port}` };
}

await loadThemis();
const redis = await startRedis({ kind: 'standalone' });
const key = generateKeyPair();
const limits = {
  APPEND_PER_SECOND: '100000', APPEND_BURST: '100000', REQUESTS_PER_SECOND: '100000', REQUESTS_BURST: '100000',
  MAX_CONNECTIONS_PER_ADDRESS: '10000', ROOMS_PER_ADDRESS_PER_DAY: '10000', LOG_LEVEL: 'error',
}; // prettier-ignore
/** A server of its own for each shape: memory that one has used would hide what the next one takes. */
async function both(shape: Shape): Promise<{ readonly plain: Measured; readonly ours: Measured }> {
  const baseline = await baselineServer(redis.environment.REDIS_URL ?? '');
  const privateKey = { RELAY_PRIVATE_KEY: writeKey(key) };
  const relay = await RelayProcess.start({ ...limits, ...redis.environment, ...privateKey });
  try {
    const plain = await baselineRun(baseline.child.pid ?? 0, baseline.url, shape);
    return { plain, ours: await relayRun(relay, key.publicKey, shape) };
  } finally {
    baseline.child.kill();
    await relay.remove();
  }
}

const APPENDS = 400;

/** Milliseconds from an append to its reply, one after the other. */
async function waits(
  peer: Peer,
): Promise<{ readonly p50: number; readonly p99: number; readonly most: number }> {
  const all: number[] = [];
  for (let n = 0; n < APPENDS; n++) {
    const began = performance.now();
    await peer.request('append', { messages: [message(1, PAYLOAD)] });
    all.push(performance.now() - began);
  }
  const sorted = all.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

/** What strangers can do to a member of some room. */
async function besideFlood(): Promise<void> {
  const relay = await RelayProcess.start({ ...limits, RELAY_PRIVATE_KEY: writeKey(key) });
  const room = await TestRoom.create({ url: relay.url, publicKey: key.publicKey });
  const alone = await waits(room.owner);
  const file = join(import.meta.dirname, 'flood.child.ts');
  const flood = spawn(process.execPath, [...process.execArgv, file, relay.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(createInterface(flood.stdout), 'line');
    const beside = await waits(room.owner);
    console.log(''.padEnd(28) + ['p50 ms', 'p99 ms', 'longest ms'].map(column).join(''));
    for (const [name, { p50, p99, most }] of Object.entries({
      'append alone': alone,
      'beside a flood': beside,
    }))
      console.log(name.padEnd(28) + [p50, p99, most].map((ms) => column(ms.toFixed(1))).join(''));
    console.log('relay MiB'.padEnd(28) + column((residentKib(relay.pid) / 1_024).toFixed(0)));
  } finally {
    flood.kill();
    room.owner.socket.disconnect();
    await relay.remove();
  }
}

try {
  await besideFlood();
  console.log(''.padEnd(28) + ['deliveries/s', 'CPU µs each', 'KiB/connection'].map(column).join(''));
  for (const shape of SHAPES) {
    const name = `${String(shape.rooms)} × ${String(shape.members)}`;
    const { plain, ours } = await both(shape);
    print(`${name} Socket.IO + adapter`, plain);
    print(`${name} relay`, ours);
    const ratio = [
      ours.perSecond / plain.perSecond,
      ours.cpuMicros / plain.cpuMicros,
      ours.kibPerConnection / plain.kibPerConnection,
    ];
    console.log(`${name} ratio`.padEnd(28) + ratio.map((value) => column(value.toFixed(2))).join(''));
  }
} finally {
  await redis.stop();
}
