/**
 * What a rotation costs by the number of members: with hybrid wraps, as they travel, and with wraps for the curve alone,
 * around the same signed parts. A thousand are more than a room takes. Runs on Node and in a worker of the browser alike.
 */
import {
  createGenesis, generateHybridKeyPair, generateKeyPair, type HybridKeyPair, hybridPublicKey, type KeyPair,
  makeKeyGrant, makeKeyRequest, makePrekey, makeRotation, type NewRotation, openWrap, type Ports, type RoomKey,
  sealWrap, unwrap,
} from '@0fc/crypto/keys'; // prettier-ignore
import {
  memberIdOf,
  startRoster,
  verifyRotation,
  type Roster,
  type RosterMember,
  type HybridPrekey,
} from '@0fc/crypto/verify';
import {
  ctx, decodeCbor, encodeAs, encodeCbor, LIMITS, tagOf, wrappedKey, type Bytes, type CborValue,
} from '@0fc/protocol'; // prettier-ignore
import { openCell, sealCell } from '../../../libs/crypto/src/cell.js';
import { decryptFrom, encryptTo } from '../../../libs/crypto/src/keys/envelope.js';

const MEMBERS = [10, 100, 500, 1_000];
const ROUNDS = 3;

/** Of one kind of wrap: milliseconds at the owner and at one member, bytes of the owner's command. */
interface Cost {
  readonly make: number;
  readonly open: number;
  readonly bytes: number;
}

export interface RotationRow {
  readonly members: number;
  readonly curve: Cost;
  readonly hybrid: Cost;
}

/** Bytes of one of each. */
interface Sizes {
  readonly wrap: readonly [curve: number, hybrid: number];
  /** a signed prekey with the KEM's key in it, and with its hash, the key beside it */
  readonly prekey: readonly [curve: number, whole: number, hashed: number];
  readonly grant: readonly [curve: number, hybrid: number];
}

interface Somebody extends RosterMember {
  readonly pair: HybridKeyPair;
  readonly prekey: HybridPrekey;
}

/** One wrap, however it is made, and what opens it. */
interface Wrapping {
  readonly seal: (one: Somebody, ephemeral: KeyPair, newKey: RoomKey) => Bytes | Promise<Bytes>;
  readonly open: (one: Somebody, ephemeral: Bytes, wrap: Bytes) => unknown;
}

export interface Rotations {
  readonly rows: readonly RotationRow[];
  readonly sizes: Sizes;
}

/** Themis must be loaded. `now`: milliseconds of whatever is measured. `progress` hears of each row. */
export async function measureRotations(
  ports: Ports,
  now: () => number,
  progress: (members: number) => void,
): Promise<Rotations> {
  const timed = <T>(run: () => Promise<T>): Promise<Timed<T>> => timedBy(now, run);
  const settings = {
    rotateEvery: 100,
    maxMembers: LIMITS.maxMembers,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  const room = await createGenesis(ports, { settings });
  const alone = await startRoster(ports.hash, room.container);
  const everybody = await crowd(ports, alone, Math.max(...MEMBERS));
  const { identity, roomKey } = room;
  const wrappings = { curve: curve(alone, roomKey), hybrid: hybrid(ports, alone, roomKey) };
  const prekeys = new Map([[alone.owner, { k: 1, ...hybridPublicKey(room.prekey) }]]);
  // The signed parts: with a wrap for the owner alone, which is measured along.
  const base = (): Promise<NewRotation> =>
    makeRotation(ports, {
      identity,
      roster: alone,
      epoch: 1,
      roomKey,
      base: null,
      prekeys,
      least: new Map(),
    });
  const rows: RotationRow[] = [];
  for (const members of MEMBERS) {
    const some = everybody.slice(0, members);
    const cost = (wrapping: Wrapping): Promise<Cost> => costOf(timed, ports, alone, some, wrapping, base);
    rows.push({
      members,
      curve: await cost(wrappings.curve),
      hybrid: await cost(wrappings.hybrid),
    });
    progress(members);
  }
  return { rows, sizes: await sizesOf(ports, alone, room, wrappings, everybody) };
}

/** Members without a chain: only a benchmark may put them together by hand. */
async function crowd(ports: Ports, { head }: Roster, count: number): Promise<readonly Somebody[]> {
  const all: Somebody[] = [];
  while (all.length < count) {
    const { publicKey: key } = generateKeyPair();
    const pair = generateHybridKeyPair(ports.random);
    const prekey = { k: 1, ...hybridPublicKey(pair) };
    all.push({ memberId: await memberIdOf(ports.hash, key), key, admit: head, epoch: 1, pair, prekey });
  }
  return all;
}

const hybrid = (ports: Ports, { roomId }: Roster, oldKey: RoomKey): Wrapping => ({
  seal: ({ memberId, prekey }, ephemeral, newKey) =>
    sealWrap(ports, { roomId, newEpoch: 2, memberId, ephemeral, prekey, oldKey, newKey }),
  open: ({ memberId, pair }, ephemeral, wrap) => {
    const place = { roomId, newEpoch: 2, memberId };
    const { message } = openWrap({ ...place, wrap, oldKey });
    return unwrap(ports.hash, { ...place, cold: false, pair, ephemeral, message });
  },
});

/** `Seal(K_old, {k, SecureMessage})`: what went before ML-KEM stood around it. */
const curve = ({ roomId }: Roster, oldKey: RoomKey): Wrapping => ({
  seal: ({ memberId, prekey }, ephemeral, newKey) => {
    const plain = encodeAs(wrappedKey, [tagOf('wrapped-key'), roomId, 2, memberId, newKey]);
    const sealed = encryptTo(ephemeral.privateKey, prekey.key, plain);
    return sealCell(oldKey, encodeCbor({ k: prekey.k, sealed }), ctx('wrap', roomId, 2, memberId));
  },
  open: ({ memberId, pair }, ephemeral, wrap) => {
    const body = openCell(oldKey, wrap, ctx('wrap', roomId, 2, memberId), { code: 'NO_ROOM_KEY' });
    const { sealed } = decodeCbor(body) as { readonly sealed: Bytes };
    return decryptFrom(pair.privateKey, ephemeral, sealed);
  },
});

async function costOf(
  timed: Timer,
  ports: Ports,
  alone: Roster,
  some: readonly Somebody[],
  wrapping: Wrapping,
  base: () => Promise<NewRotation>,
): Promise<Cost> {
  const made = await timed(async () => {
    const signed = await base();
    const ephemeral = generateKeyPair();
    const wraps: Record<string, Bytes> = {};
    for (const one of some) wraps[one.memberId] = await wrapping.seal(one, ephemeral, signed.newKey);
    return { command: { ...signed.command, wraps }, ephemeral: ephemeral.publicKey };
  });
  const { command, ephemeral } = made.value;
  const reader = some.at(-1);
  const wrap = reader && command.wraps[reader.memberId];
  if (reader === undefined || wrap === undefined) throw new Error('nobody reads');
  const open = await timed(async () => {
    await verifyRotation(ports.hash, alone, 1, command.clear, command.payload);
    return wrapping.open(reader, ephemeral, wrap);
  });
  return { make: made.ms, open: open.ms, bytes: bytesOf(command) };
}

async function sizesOf(
  ports: Ports,
  alone: Roster,
  { identity, roomKey }: Awaited<ReturnType<typeof createGenesis>>,
  wrappings: { readonly curve: Wrapping; readonly hybrid: Wrapping },
  [one]: readonly Somebody[],
): Promise<Sizes> {
  if (one === undefined) throw new Error('nobody there');
  const { roomId } = alone;
  const joiner = generateKeyPair();
  const memberId = await memberIdOf(ports.hash, joiner.publicKey);
  const member = { ...one, memberId, key: joiner.publicKey };
  const roster = { ...alone, members: new Map([...alone.members, [memberId, member] as const]) };
  const wrapOf = async ({ seal }: Wrapping): Promise<number> =>
    (await seal(member, generateKeyPair(), roomKey)).length;
  const rotation = roster.head;
  const { container: request } = makeKeyRequest(ports, {
    identity: joiner, roomId, memberId, epoch: 1, rotation, failed: [],
  }); // prettier-ignore
  const news = { profiles: [], roomName: null };
  const granting = { identity, roster, epoch: 1, roomKey, to: memberId, request, rotation, news };
  const { grant } = await makeKeyGrant(ports, granting);
  const { prekey, ek } = await makePrekey(ports, { identity: joiner, roomId, memberId, k: 1 });
  /** of one more field in a signed body, which is a map of few */
  const field = (body: Readonly<Record<string, Bytes>>): number => encodeCbor(body).length - 1;
  const ct = new Uint8Array(LIMITS.kemCiphertextBytes);
  const curvePrekey = prekey.length - field({ ekHash: new Uint8Array(32) });
  return {
    wrap: [await wrapOf(wrappings.curve), await wrapOf(wrappings.hybrid)],
    prekey: [curvePrekey, curvePrekey + field({ ek }), prekey.length],
    // The cell around the Secure Message is 44 bytes longer than what is in it.
    grant: [grant.length - 44 - field({ ct }), grant.length],
  };
}

/** Of what the owner sends, in canonical CBOR. */
const bytesOf = (command: object): number => encodeCbor(command as CborValue).length;

interface Timed<T> {
  readonly value: T;
  readonly ms: number;
}
type Timer = <T>(run: () => Promise<T>) => Promise<Timed<T>>;

/** The last value, and milliseconds as the least of the rounds: on a busy machine that says most. */
async function timedBy<T>(now: () => number, run: () => Promise<T>): Promise<Timed<T>> {
  const all: number[] = [];
  for (;;) {
    const start = now();
    const value = await run();
    all.push(now() - start);
    if (all.length === ROUNDS) return { value, ms: Math.min(...all) };
  }
}
