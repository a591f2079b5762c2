/** A room with three members, and ways to spoil things, for the specs of this library. */
import { expect } from '@jest/globals';
import {
  BODIES, encodeBody, ProtocolError, toBase64Url, type Body, type BodyKind, type Bytes, type CborValue,
  type InviteId, type MemberId, type RoomId, type RoomSettings,
} from '@0fc/protocol'; // prettier-ignore
import {
  createGenesis,
  generateKeyPair,
  hybridPublicKey,
  makePrekey,
  signBody,
  signPrekey,
  type HybridKeyPair,
  type KeyPair,
  type NewRoom,
  type Ports,
} from './keys/index.js';
import { loadThemis, nodeHash, nodeRandom, systemClock } from './node/index.js';
import {
  applyRoster,
  CryptoError,
  memberIdOf,
  startRoster,
  type Roster,
  type HybridPrekey,
} from './verify/index.js';

await loadThemis();

export const hash = nodeHash;
export const random = nodeRandom;
export const ports: Ports = { hash, random, clock: systemClock };

export const SETTINGS: RoomSettings = {
  rotateEvery: 100,
  maxMembers: 5,
  history: 1_000,
  approval: false,
  joinDeadline: 86_400_000,
};

export interface Person {
  readonly identity: KeyPair;
  readonly id: MemberId;
  readonly prekey: HybridKeyPair;
  readonly prekeyContainer: Bytes;
}

export interface World {
  readonly room: NewRoom;
  readonly roomId: RoomId;
  readonly owner: Person;
  readonly bob: Person;
  readonly carol: Person;
  /** genesis, admit of bob, admit of carol */
  readonly chain: readonly Bytes[];
  readonly roster: Roster;
}

const id16 = (): string => toBase64Url(random.bytes(16));
export const newInviteId = (): InviteId => id16() as InviteId;
export const newRoomId = (): RoomId => id16() as RoomId;
export const newMemberId = (): MemberId => id16() as MemberId;

/** Somebody with a key pair and a first prekey for this room. */
export async function person(roomId: RoomId): Promise<Person> {
  const identity = generateKeyPair();
  const id = await memberIdOf(hash, identity.publicKey);
  const { prekey, keyPair } = await makePrekey(ports, { identity, roomId, memberId: id, k: 1 });
  return { identity, id, prekey: keyPair, prekeyContainer: prekey };
}

/** The first prekeys of people, as an owner has them from the relay. */
export const firstPrekeys = (...people: readonly Person[]): Map<MemberId, HybridPrekey> =>
  new Map(people.map(({ id, prekey }) => [id, { k: 1, ...hybridPublicKey(prekey) }]));

/** The owner's admit entry for a person, on this roster. */
export const admitEntry = (
  owner: KeyPair,
  roster: Roster,
  who: Person,
  over: Partial<Body<'admit'>> = {},
): Bytes =>
  signBody(owner, 'admit', {
    roomId: roster.roomId,
    head: roster.head,
    owner: roster.owner,
    key: who.identity.publicKey,
    prekey: who.prekeyContainer,
    epoch: roster.epoch,
    inviteId: newInviteId(),
    ...over,
  });

export async function makeWorld(settings: RoomSettings = SETTINGS): Promise<World> {
  const room = await createGenesis(ports, { settings });
  const start = await startRoster(hash, room.container);
  const [bob, carol] = [await person(room.roomId), await person(room.roomId)];
  const first = admitEntry(room.identity, start, bob);
  const one = (await applyRoster(hash, start, first)).roster;
  const second = admitEntry(room.identity, one, carol);
  const { roster } = await applyRoster(hash, one, second);
  const { identity, roomId, prekey } = room;
  const place = { identity, roomId, memberId: roster.owner, k: 1 };
  const owner: Person = {
    identity,
    id: roster.owner,
    prekey,
    prekeyContainer: (await signPrekey(hash, place, prekey)).prekey,
  };
  return { room, roomId: room.roomId, owner, bob, carol, chain: [room.container, first, second], roster };
}

/** Runs and returns the typed error: anything else, success included, fails the test. */
export async function refusal(run: () => unknown): Promise<CryptoError | ProtocolError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof CryptoError || error instanceof ProtocolError) {
      expect(error.code).not.toBe('INTERNAL');
      return error;
    }
    throw error;
  }
  throw new Error('expected a refusal, and it was accepted');
}

export const codeOf = async (run: () => unknown): Promise<string> => (await refusal(run)).code;

export async function alarmOf(run: () => unknown): Promise<string | null> {
  const error = await refusal(run);
  return error instanceof CryptoError ? error.alarm : null;
}

export function flipBit(bytes: Bytes, bit: number): Bytes {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

export const appended = (bytes: Bytes, ...more: number[]): Bytes => Uint8Array.of(...bytes, ...more);

/** Every value that differs from this one in a single leaf, or in its length. */
function mutations(value: unknown): CborValue[] {
  if (value instanceof Uint8Array) return [flipBit(value, 8 * value.length - 1), flipBit(value, 0)];
  if (typeof value === 'number') return [value + 1];
  if (typeof value === 'boolean') return [!value];
  if (value === 'removed') return ['misuse'];
  if (typeof value === 'string') return /^[\w-]{21}[AQgw]$/.test(value) ? [id16()] : [`${value}x`];
  if (Array.isArray(value)) return [id16(), 7].map((more) => [...(value as CborValue[]), more]);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) =>
      mutations(item).map((other) => ({ ...value, [key]: other })),
    );
  }
  return [];
}

/** A container with another body under the old signature. */
export function withBody(container: Bytes, body: Bytes): Bytes {
  const header = new DataView(container.buffer, container.byteOffset);
  const old = header.getUint32(4, true);
  const forged = Uint8Array.of(...container.subarray(0, 12), ...body, ...container.subarray(12 + old));
  new DataView(forged.buffer).setUint32(4, body.length, true);
  return forged;
}

/** Bodies that differ from this one in one field; those that the schema itself refuses are left out. */
export function otherBodies<K extends BodyKind>(kind: K, body: Body<K>): { field: string; body: Body<K> }[] {
  return Object.keys(BODIES[kind].entries).flatMap((field) =>
    mutations(body[field as keyof Body<K>])
      .map((value) => ({ field, body: { ...body, [field]: value } as Body<K> }))
      .filter(({ body: other }) => encodes(kind, other)),
  );
}

function encodes<K extends BodyKind>(kind: K, body: Body<K>): boolean {
  try {
    encodeBody(kind, body);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
