/** How a room begins on this device: created here, or joined (docs/protocol.md sections 4, 5). */
import {
  decodeBody, ERROR_CODES, parse, settings as settingsSchema, type ErrorCode, type JoinReplyBody, type RoomId, type RoomSettings,
} from '@0fc/protocol'; // prettier-ignore
import {
  bodyHash,
  containerBody,
  encodeRoster,
  memberIdOf,
  startRoster,
  transcriptStart,
  type Roster,
} from '@0fc/crypto/verify';
import { createGenesis, keyHash } from '@0fc/crypto/keys';
import { Connection } from '../connection.js';
import { ClientError } from '../errors.js';
import type { Platform } from '../ports.js';
import type { Vault } from '../vault.js';
import type { JoinRecord, RoomCore } from './records.js';
import { enqueue, RoomState } from './state.js';
import { takeProof } from './proofs.js';
import { relayedOf, system } from './items.js';

const GENESIS_POSITION = { g: 1, s: 0 } as const;

type Fresh = Pick<
  RoomCore,
  | 'version' | 'stage' | 'nextIndex' | 'readIndex' | 'nextN' | 'retired' | 'seen' | 'epochMessages' | 'paused'
  | 'rotationWanted' | 'mustRotate' | 'pending' | 'tasks' | 'handOver' | 'declined' | 'leaving' | 'leaveRequest' | 'losses'
  | 'lost' | 'skipped' | 'publishedK' | 'publishedThen' | 'needKey' | 'wrappedTo' | 'imported' | 'verified' | 'told' | 'relayKeyShown' | 'people'
  | 'roomName' | 'forked' | 'usedK'
>; // prettier-ignore

const fresh = (): Fresh => ({
  version: 1, stage: 'member', nextIndex: 0, readIndex: 0, nextN: 1, retired: [], seen: [], epochMessages: 0, paused: false,
  rotationWanted: false, mustRotate: false, pending: null, tasks: { removals: [], settings: null, close: false },
  handOver: null, declined: null, leaving: [], leaveRequest: null, losses: [], lost: null, skipped: false, publishedK: 1, publishedThen: 1,
  needKey: null, wrappedTo: [], imported: false, verified: [], told: null, relayKeyShown: false, people: [], roomName: null,
  forked: [], usedK: 0,
}); // prettier-ignore

export interface NewRoom {
  readonly settings: RoomSettings;
  readonly name: string;
  readonly displayName: string;
  readonly instance: Uint8Array;
}

/**
 * Makes the keys, has the relay store the genesis, and stores the room. The room is in the
 * vault only once the relay has answered with the id that the genesis hashes to.
 */
export async function createRoom(
  platform: Platform,
  vault: Vault,
  relay: { readonly url: string; readonly key: Uint8Array },
  options: NewRoom,
): Promise<RoomState> {
  const { hash, clock } = platform.crypto;
  const settings = parse(settingsSchema, options.settings);
  const genesis = await createGenesis(platform.crypto, { settings });
  const roster = await startRoster(hash, genesis.container);
  const me = await memberIdOf(hash, genesis.identity.publicKey);
  const reply = await oneRequest(platform, relay, genesis.identity, genesis.container);
  if (reply.roomId !== genesis.roomId) throw new ClientError(ERROR_CODES.RELAY_LIED);
  const t = await transcriptStart(hash, genesis.container);
  const now = clock.now();
  const state = RoomState.begin(vault, {
    ...fresh(),
    roomId: genesis.roomId,
    me,
    identity: genesis.identity,
    roster: encodeRoster(roster),
    epoch: 1,
    keys: [
      {
        epoch: 1, key: genesis.roomKey, keyHash: roster.genesisKeyHash, rotation: null, floor: GENESIS_POSITION, t,
        counters: [], since: now,
      },
    ], // prettier-ignore
    position: GENESIS_POSITION,
    t,
    instance: options.instance,
    prekeys: [{ k: 1, pair: genesis.prekey }],
    counters: [],
    logEpoch: 1,
    logLength: 1,
    chainShown: 1,
    lastTime: now,
  });
  state.extendChain(genesis.container, roster.head, roster);
  const relayed = relayedOf({
    kind: 'roster',
    sender: me,
    clear: new Uint8Array(),
    payload: genesis.container,
  });
  state.append({ position: GENESIS_POSITION, t, relayed }, now, [system('created', { actor: me })]);
  state.core.people.push({ memberId: me, name: options.displayName, proof: null });
  state.core.roomName = { name: options.name, proof: null };
  enqueue(state, platform, { type: 'roomName', name: options.name });
  enqueue(state, platform, { type: 'profile', name: options.displayName });
  return state;
}

/** A connection for the one request that makes the room; the room's own comes after. */
async function oneRequest(
  platform: Platform,
  relay: { readonly url: string; readonly key: Uint8Array },
  identity: RoomCore['identity'],
  genesis: Uint8Array,
): Promise<{ readonly roomId: RoomId }> {
  let connection: Connection | null = null;
  try {
    return await new Promise((resolve, reject) => {
      const cancel = platform.timers.after(20_000, () => {
        reject(new ClientError(ERROR_CODES.RELAY_UNREACHABLE));
      });
      connection = new Connection({
        url: relay.url,
        relayKey: relay.key,
        identity,
        platform,
        onUp: () => {
          connection?.request('create', { genesis }).then(
            (reply) => {
              cancel();
              resolve(reply);
            },
            (error: unknown) => {
              // A link that fell is made anew, and the same genesis is sent again.
              if (ClientError.from(error).code === ERROR_CODES.OFFLINE) return;
              cancel();
              reject(ClientError.from(error));
            },
          );
        },
        onEvent: () => undefined,
        onState: (_state, stopped) => {
          if (stopped === null) return;
          cancel();
          reject(new ClientError(stopped.code as ErrorCode, stopped.params ?? {}));
        },
      });
      connection.start();
    });
  } finally {
    (connection as Connection | null)?.stop();
  }
}

/** The room of a join that was admitted: it begins at the floor that the owner's reply names. */
export async function joinedRoom(
  platform: Platform,
  vault: Vault,
  join: JoinRecord,
  reply: JoinReplyBody,
  chain: readonly Uint8Array[],
  roster: Roster,
  instance: Uint8Array,
): Promise<RoomState> {
  const { hash, clock } = platform.crypto;
  const me = await memberIdOf(hash, join.identity.publicKey);
  const now = clock.now();
  const state = RoomState.begin(vault, {
    ...fresh(),
    roomId: join.roomId,
    me,
    identity: join.identity,
    roster: encodeRoster(roster),
    epoch: reply.epoch,
    keys: [
      {
        epoch: reply.epoch,
        key: reply.key,
        keyHash: await keyHash(hash, roster.nonce, reply.epoch, reply.key),
        rotation: reply.rotation,
        floor: reply.floor,
        t: reply.t,
        counters: reply.counters,
        since: now,
      },
    ],
    position: reply.floor,
    t: reply.t,
    instance,
    prekeys: [{ k: 1, pair: join.prekey.pair }],
    counters: reply.counters.map((counter) => ({ ...counter })),
    logEpoch: reply.epoch,
    logLength: 1,
    chainShown: 1,
    lastTime: now,
  });
  for (const container of chain) state.extendChain(container, await bodyHash(hash, container), roster);
  // What lies before the floor is not this member's to see: only what the log brings from there on is shown.
  state.core.chainShown = shownAtFloor(state, reply);
  state.core.logLength = state.core.chainShown;
  state.rememberTranscript(reply.floor, reply.t);
  for (const profile of reply.profiles) takeProof(state, profile);
  if (reply.roomName !== null) takeProof(state, reply.roomName);
  state.core.people.push({ memberId: me, name: join.name, proof: null });
  enqueue(state, platform, { type: 'profile', name: join.name });
  return state;
}

/** How many entries of the chain lie before the floor: those up to the head that its rotation names. */
function shownAtFloor(state: RoomState, reply: JoinReplyBody): number {
  if (reply.rotation === null) return 1;
  const { head } = decodeBody(containerBody(reply.rotation), 'rotation').body;
  return (state.chainIndex(head) ?? 0) + 1;
}
