/**
 * npm run bench -- crypto: what each operation of libs/crypto costs on this machine.
 *
 * Themis takes its randomness one byte a call; the relay and the command line serve it
 * from a pool (libs/crypto/src/node/pool.ts). Both ways are measured, each in a process of
 * its own because Themis is loaded once, one after the other because cores are shared.
 * Microseconds an operation, median of several rounds; the ratio is plain to pooled.
 *
 * Then a rotation by the number of members, with curve wraps and with hybrid ones, and Argon2id by its parameters: here,
 * and in a worker of Chromium. And for how long a rotation for a full room keeps its thread; what Themis and the platform's
 * ECDSA take to verify the same signatures, and whether they agree on them (docs/decisions/0049). `--node` leaves Chromium
 * out; `--signatures` leaves out what is before that on Node.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import {
  createGenesis, exposeSecret, generateHybridKeyPair, generateKeyPair, type HybridKeyPair, hybridPublicKey,
  type KeyPair, makeRotation, newVaultKey, openEarlierVaultKey, openMessage, openRecord, openRotation, openVaultKey, passphrasesOf,
  type Ports, sealMessage, sealRecord, sealVaultKey, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { ClientLink, RelayLink } from '@0fc/crypto/link';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import {
  memberIdOf,
  startRoster,
  verifyContainer,
  verifyRotation,
  type Roster,
  type RosterMember,
  type HybridPrekey,
} from '@0fc/crypto/verify';
import type { Body, MemberId, SessionMessage } from '@0fc/protocol';
import { sealUnstretched } from '../../libs/crypto/src/keys/unstretched.spec-support.js';
import { compareVerifiers } from './crypto/agreement.js';
import { measureInChromium } from './crypto/chromium.js';
import { measurePassphrase } from './crypto/passphrase.js';
import {
  printAgreement, printPassphrase, printRotations, printSlice, printVerification, printVerifiers,
} from './crypto/print.js'; // prettier-ignore
import { measureRotations } from './crypto/rotations.js';
import { longestSlice } from './crypto/slices.js';
import { measureVerification } from './crypto/verification.js';

/** Members of the room whose rotation is measured. */
const MEMBERS = 50;
/** Bytes of a record, about those of a short sealed message. */
const RECORD_BYTES = 512;
/** Rounds of an operation, and how long each lasts in milliseconds. */
const ROUNDS = 7;
const ROUND_MS = 60;

type Row = readonly [operation: string, micros: number];
type Mode = 'plain' | 'pooled';

const ports: Ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };

/** Microseconds of one run: median over the rounds. `per` divides a run that does several at once. */
async function measure(operation: string, run: () => unknown, per = 1): Promise<Row> {
  await run();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let runs = 0;
    let spent = 0;
    do {
      const result = run();
      if (result instanceof Promise) await result;
      runs++;
      spent = performance.now() - start;
    } while (spent < ROUND_MS);
    rounds.push((1_000 * spent) / (runs * per));
  }
  rounds.sort((a, b) => a - b);
  return [operation, rounds[ROUNDS >> 1] ?? NaN];
}

interface Handshake {
  readonly client: number;
  readonly relay: number;
  readonly links: readonly [ClientLink, RelayLink];
}

/** Milliseconds of each side. */
function handshake(identity: KeyPair, relay: KeyPair): Handshake {
  const spent = { client: 0, relay: 0 };
  const timed = <T>(side: 'client' | 'relay', run: () => T): T => {
    const start = performance.now();
    const result = run();
    spent[side] += performance.now() - start;
    return result;
  };
  const client = timed('client', () => ClientLink.open({ identity, relayKey: relay.publicKey }));
  const accepted = timed('relay', () => RelayLink.accept({ relay }));
  let frame: Uint8Array | null = timed('client', () => client.start());
  while (frame !== null) {
    const sent: Uint8Array = frame;
    const { reply } = timed('relay', () => accepted.receive(sent));
    frame = reply === null ? null : timed('client', () => client.receive(reply)).reply;
  }
  return { ...spent, links: [client, accepted] };
}

function handshakes(identity: KeyPair, relay: KeyPair): Row[] {
  const runs = Array.from({ length: 40 }, () => {
    const run = handshake(identity, relay);
    for (const link of run.links) link.destroy();
    return run;
  });
  const median = (side: 'client' | 'relay'): number =>
    1_000 * (runs.map((run) => run[side]).sort((a, b) => a - b)[runs.length >> 1] ?? NaN);
  return [
    ['handshake, client side', median('client')],
    ['handshake, relay side', median('relay')],
  ];
}

/** A roster of many without its chain: only a benchmark may put one together by hand. */
async function crowd(
  roster: Roster,
  own: HybridKeyPair,
): Promise<{
  roster: Roster;
  prekeys: ReadonlyMap<MemberId, HybridPrekey>;
  reader: MemberId;
  prekey: HybridKeyPair;
}> {
  const members = new Map<MemberId, RosterMember>(roster.members);
  const prekeys = new Map([[roster.owner, { k: 1, ...hybridPublicKey(own) }]]);
  let last = { reader: roster.owner, prekey: own };
  while (members.size < MEMBERS) {
    const identity = generateKeyPair();
    const memberId = await memberIdOf(nodeHash, identity.publicKey);
    members.set(memberId, { memberId, key: identity.publicKey, admit: roster.head, epoch: 1 });
    last = { reader: memberId, prekey: generateHybridKeyPair(nodeRandom) };
    prekeys.set(memberId, { k: 1, ...hybridPublicKey(last.prekey) });
  }
  return { roster: { ...roster, members }, prekeys, ...last };
}

async function run(mode: Mode): Promise<Row[]> {
  await loadThemis({ pooledRandom: mode === 'pooled' });
  const settings = {
    rotateEvery: 100,
    maxMembers: 100,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const room = await createGenesis(ports, { settings });
  const { identity, roomId, roomKey } = room;
  const alone = await startRoster(nodeHash, room.container);
  const body: Body<'message'> = {
    roomId,
    epoch: 1,
    sender: alone.owner,
    instance: nodeRandom.bytes(16),
    n: 1,
    mid: nodeRandom.bytes(16),
    seen: { position: { g: 1, s: 0 }, t: alone.head },
    sentAt: systemClock.now(),
    content: { type: 'text', text: 'See you all on Thursday at seven.' },
  };
  const { payload, container } = sealMessage({ identity, roomKey, body });
  const place = { roomKey, roomId, epoch: 1, sender: alone.owner, senderKey: identity.publicKey, payload };
  const value = nodeRandom.bytes(RECORD_BYTES);
  const vaultKey = newVaultKey(nodeRandom);
  const record = sealRecord(vaultKey, 'store', 'key', value);

  const { links } = handshake(identity, generateKeyPair());
  const [client, relay] = links;
  const messages: readonly SessionMessage[] = [{ e: 'entries', body: { payload } }];
  const frame = (): Uint8Array => client.seal(messages);

  const { roster, prekeys, reader, prekey } = await crowd(alone, room.prekey);
  const made = await makeRotation(ports, {
    identity,
    roster,
    epoch: 1,
    roomKey,
    base: null,
    prekeys,
    least: new Map(),
  });
  const rotation = await verifyRotation(nodeHash, roster, 1, made.command.clear, made.command.payload);
  const wrap = made.command.wraps[reader];
  const reading = {
    roster,
    rotation,
    payload: made.command.payload,
    wrap,
    oldKey: roomKey,
    memberId: reader,
    prekeys: new Map([[1, prekey]]),
  };
  const passphrases = passphrasesOf(ports.random);
  const sealedKey = await sealVaultKey(ports.random, passphrases, 'correct horse battery staple', vaultKey);
  const earlier = sealUnstretched('correct horse battery staple', exposeSecret(vaultKey), 'vault-key');

  const rows: Row[] = [
    await measure('key pair', generateKeyPair),
    await measure('sign a message', () => signBody(identity, 'message', body)),
    await measure('verify a message', () => verifyContainer(identity.publicKey, container)),
    await measure(`seal ${RECORD_BYTES} B`, () => sealRecord(vaultKey, 'store', 'key', value)),
    await measure(`open ${RECORD_BYTES} B`, () => openRecord(vaultKey, 'store', 'key', record)),
    await measure('message: sign and seal', () => sealMessage({ identity, roomKey, body })),
    await measure('message: open and verify', () => openMessage(place)),
  ];
  // A session takes a frame once, in order: frames are wrapped and unwrapped in pairs.
  const wrapping = await measure(`frame of ${payload.length} B: wrap and unwrap`, () =>
    relay.receive(frame()),
  );
  const sealing = await wrapsAlone(identity, messages);
  rows.push(
    [`frame of ${payload.length} B: wrap`, sealing],
    [`frame of ${payload.length} B: unwrap`, wrapping[1] - sealing],
  );
  rows.push(...handshakes(identity, generateKeyPair()));
  rows.push(
    await measure(
      `rotation, each of ${MEMBERS} wraps`,
      () =>
        makeRotation(ports, {
          identity,
          roster,
          epoch: 1,
          roomKey,
          base: null,
          prekeys,
          least: new Map(),
        }),
      MEMBERS,
    ),
    await measure('rotation: open', () => openRotation(nodeHash, reading)),
    await measure('passphrase: seal', () =>
      sealVaultKey(ports.random, passphrases, 'correct horse battery staple', vaultKey),
    ),
    await measure('passphrase: open', () =>
      openVaultKey(passphrases, 'correct horse battery staple', sealedKey),
    ),
    await measure('passphrase: open, version 3', () =>
      openEarlierVaultKey('correct horse battery staple', earlier),
    ),
  );
  for (const link of links) link.destroy();
  return rows;
}

/** Microseconds to wrap one frame, on a session whose frames nobody reads. */
async function wrapsAlone(identity: KeyPair, messages: readonly SessionMessage[]): Promise<number> {
  const { links } = handshake(identity, generateKeyPair());
  const [, micros] = await measure('wrap', () => links[0].seal(messages));
  for (const link of links) link.destroy();
  return micros;
}

function inProcess(mode: Mode): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [mode]);
    child.once('message', (rows) => resolve(rows as readonly Row[]));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the ${mode} run ended with ${code ?? 'a signal'}`)));
  });
}

const micros = (value: number): string => value.toFixed(value < 100 ? 1 : 0);

async function main(): Promise<void> {
  const plain = await inProcess('plain');
  const pooled = new Map(await inProcess('pooled'));
  const width = Math.max(...plain.map(([operation]) => operation.length));
  const line = (...cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(width) : cell.padStart(10))).join('  ');
  console.log(line('operation', 'plain µs', 'pooled µs', 'ratio'));
  for (const [operation, before] of plain) {
    const after = pooled.get(operation) ?? NaN;
    console.log(line(operation, micros(before), micros(after), (before / after).toFixed(2)));
  }
}

/** Of this process: other work of the machine is not in it. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** How long a rotation keeps its thread, and who could verify how much. */
async function bySlices(): Promise<void> {
  await loadThemis();
  printVerification('Node, by the clock', [await measureVerification(ports)]);
  printAgreement('Node', await compareVerifiers(ports));
  printSlice('Node', await longestSlice(ports));
}

async function byMembers(chromium: boolean): Promise<void> {
  await loadThemis();
  const progress = (members: number): void => console.error(`rotation of ${members}: measured`);
  printRotations('Node, of CPU time', await measureRotations(ports, cpu, progress));
  printPassphrase('Node, of CPU time', await measurePassphrase(nodeRandom, cpu));
  if (chromium) await inChromium();
}

async function inChromium(): Promise<void> {
  const measured = await measureInChromium();
  printRotations('Chromium’s worker, by the clock', measured.rotations);
  printPassphrase('Chromium’s worker, by the clock', measured.passphrase);
  printVerification('Chromium’s worker, by the clock', [measured.verification]);
  printAgreement('Chromium', measured.agreement);
  printVerifiers(measured.verifiers);
  printSlice('Chromium’s worker', measured.slice);
}

const [mode] = process.argv.slice(2);
if ((mode === 'plain' || mode === 'pooled') && process.send !== undefined) process.send(await run(mode));
else {
  const rest = mode !== '--signatures';
  if (rest) await main();
  await bySlices();
  if (rest) await byMembers(mode !== '--node');
  else await inChromium();
}
