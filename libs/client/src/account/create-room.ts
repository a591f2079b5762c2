/** How a room begins on this device: created here, or joined (docs/protocol.md sections 4, 5). */
import {
  decodeBody, ERROR_CODES, parse, settings as settingsSchema, type ErrorCode, type EventBody, type JoinReplyBody, type MemberId, type RoomId, type RoomSettings,
} from '@0fc/protocol'; // prettier-ignore
import {
  bodyHash,
  containerBody,
  memberIdOf,
  startRoster,
  transcriptAtFloor,
  transcriptStart,
  type Roster,
} from '@0fc/crypto/verify';
import { createGenesis, generateKeyPair, keyHash, type NewRoom as SignedRoom } from '@0fc/crypto/keys';
import { Connection } from '../link/connection.js';
import type { Failure } from '../contract/api.js';
import { ClientError } from '../contract/errors.js';
import type { Platform } from '../contract/ports.js';
import type { Vault } from '../vault/vault.js';
import { relayedOf, system } from '../room/log/items.js';
import { applyForwardedName } from '../room/log/profiles.js';
import { enqueueContent } from '../room/member/outbox.js';
import {
  append,
  extendChain,
  rememberTranscript,
  set,
  setSender,
  writeRecord,
  type RoomDraft,
} from '../room/state/draft.js';
import { hasUnknownFields } from '../room/log/room-keys.js';
import { membershipOf, STORES, type JoinRecord, type RoomCore, type SenderRecord } from '../vault/records.js';
import { RoomState } from '../room/state/state.js';

/** Position at which the first epoch of every room begins. */
export const GENESIS_POSITION = { g: 1, s: 0 } as const;

/** Initial values that are the same in every new room. */
export const INITIAL_CORE = {
  version: 2, stage: 'member', nextIndex: 0, readIndex: 0, nextN: 1, epochMessages: 0, paused: false,
  rotationWanted: false, mustRotate: false, pending: null, tasks: { removals: [], settings: null, close: false },
  ownershipTransfer: null, declined: null, leaving: [], leaveRequest: null, losses: [], lost: null, skipped: false, publishedK: 1, publishedThen: 1,
  needKey: null, granted: [], wrappedTo: [], imported: false, verified: [], lastReadMarker: null, relayKeyShown: false, people: [], roomName: null,
  usedK: 0, logLength: 1, chainShown: 1, alarms: 0, others: 0, othersRead: 0, sealed: 0, missed: 0, shownIndex: null,
  lineIndex: null, provisional: 0, starts: [], turns: [], settingsPlaced: [],
} satisfies Partial<RoomCore>; // prettier-ignore

/**
 * Settings of a genesis that the user does not choose: members (fewer where the relay allows fewer), entries that the
 * relay keeps, milliseconds.
 */
export const ROOM_DEFAULTS = { maxMembers: 256, history: 100_000, joinDeadline: 86_400_000 } as const;

/** Where a room is made. */
export interface RelayPlace {
  readonly url: string;
  readonly key: Uint8Array;
  /** as a connection asks it */
  readonly otherKey: () => Promise<Failure>;
}

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
  relay: RelayPlace,
  options: NewRoom,
): Promise<RoomState> {
  const { hash, clock } = platform.crypto;
  const asked = parse(settingsSchema, options.settings);
  const identity = generateKeyPair();
  const { genesis, reply } = await createdBy(platform, relay, identity, ({ maxMembers }) => {
    const settings = { ...asked, maxMembers: Math.min(asked.maxMembers, maxMembers) };
    return createGenesis(platform.crypto, { settings, identity });
  });
  const roster = await startRoster(hash, genesis.container);
  const me = await memberIdOf(hash, genesis.identity.publicKey);
  if (reply.roomId !== genesis.roomId) throw new ClientError(ERROR_CODES.RELAY_LIED);
  const t = await transcriptStart(hash, genesis.container);
  const now = clock.now();
  const core: RoomCore = {
    ...INITIAL_CORE,
    roomId: genesis.roomId,
    me,
    identity: genesis.identity,
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
    logEpoch: 1,
    lastTime: now,
    people: [{ memberId: me, name: options.displayName, proof: null }],
    roomName: { name: options.name, proof: null },
  };
  const relayed = relayedOf({
    kind: 'roster',
    sender: me,
    clear: new Uint8Array(),
    payload: genesis.container,
  });
  return RoomState.create(vault, hash, { core, roster }, (draft) => {
    draft.apply(
      extendChain(genesis.container, roster.head, roster),
      append({ position: GENESIS_POSITION, t, relayed }, now, [system('created', { actor: me })]),
    );
    enqueueContent(draft, platform, { type: 'roomName', name: options.name });
    enqueueContent(draft, platform, { type: 'profile', name: options.displayName });
  });
}

/**
 * A connection for the one request that makes the room; the room's own comes after. `make`: signs the genesis, within
 * the limits that the relay publishes.
 */
async function createdBy(
  platform: Platform,
  relay: RelayPlace,
  identity: RoomCore['identity'],
  make: (hello: EventBody<'hello'>) => Promise<SignedRoom>,
): Promise<{ readonly genesis: SignedRoom; readonly reply: { readonly roomId: RoomId } }> {
  let connection: Connection | null = null;
  let made: Promise<SignedRoom> | null = null;
  try {
    return await new Promise((resolve, reject) => {
      const cancel = platform.timers.after(20_000, () => {
        reject(new ClientError(ERROR_CODES.RELAY_UNREACHABLE));
      });
      connection = new Connection({
        url: relay.url,
        relayKey: relay.key,
        otherKey: relay.otherKey,
        identity,
        platform,
        onUp: (hello) => {
          made ??= make(hello);
          const create = async (signed: Promise<SignedRoom>, link: Connection) => {
            const genesis = await signed;
            return { genesis, reply: await link.request('create', { genesis: genesis.container }) };
          };
          if (connection === null) return;
          create(made, connection).then(
            (created) => {
              cancel();
              resolve(created);
            },
            (error: unknown) => {
              // The connection reconnects, and the same genesis is sent again.
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

/**
 * The room of a join that was admitted: it begins at the floor that the owner's reply names. Token and join key
 * go in the same write that stores it (section 5.10).
 */
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
  const floorT = reply.t === null ? null : transcriptAtFloor(reply.t);
  const core: RoomCore = {
    ...INITIAL_CORE,
    roomId: join.roomId,
    ...(join.membership === undefined ? {} : { membership: join.membership }),
    me,
    identity: join.identity,
    epoch: reply.epoch,
    keys: [
      {
        epoch: reply.epoch,
        key: reply.key,
        keyHash: await keyHash(hash, roster.nonce, reply.epoch, reply.key),
        rotation: reply.rotation,
        floor: reply.floor,
        t: floorT,
        ...(reply.rotation !== null && hasUnknownFields(reply.rotation) ? { newer: true as const } : {}),
        counters: reply.counters,
        since: now,
      },
    ],
    position: reply.floor,
    t: floorT ?? transcriptAtFloor(new Uint8Array(32)),
    // The owner did not know it: the next rotation gives it.
    provisional: floorT === null ? 1 : 0,
    instance,
    prekeys: [{ k: 1, pair: join.prekey }],
    logEpoch: reply.epoch,
    lastTime: now,
  };
  return RoomState.create(vault, hash, { core, roster }, async (draft) => {
    for (const container of chain)
      draft.apply(extendChain(container, await bodyHash(hash, container), roster));
    // A new member sees nothing before its floor: only what the log holds from there on is shown.
    const chainShown = shownAtFloor(draft, reply);
    draft.apply(set({ chainShown, logLength: chainShown }), rememberTranscript(reply.floor, core.t));
    for (const [sender, counter] of handedOnCounters(draft, reply, chainShown))
      draft.apply(setSender(sender, { counter, handedOn: true }));
    for (const profile of reply.profiles) applyForwardedName(draft, profile);
    if (reply.roomName !== null) applyForwardedName(draft, reply.roomName);
    const people = [...draft.core.people, { memberId: me, name: join.name, proof: null }];
    draft.apply(set({ people }), writeRecord(STORES.joins, membershipOf(join), null));
    enqueueContent(draft, platform, { type: 'profile', name: join.name });
  });
}

/**
 * Of each member that was on the roster before the floor: its last counter as the join reply names it, null where the
 * reply names none. Later members begin at counter 1; other senders have none.
 */
function handedOnCounters(
  draft: RoomDraft,
  { counters }: JoinReplyBody,
  chainShown: number,
): ReadonlyMap<MemberId, SenderRecord['counter']> {
  const { members, former } = draft.roster;
  const before = [...members.values()]
    .filter(({ admit }) => (draft.chainIndex(admit) ?? 0) < chainShown)
    .map(({ memberId }) => memberId);
  const countersBySender = new Map(counters.map(({ sender, instance, n }) => [sender, { instance, n }]));
  return new Map(
    [...before, ...former.keys()].map((sender) => [sender, countersBySender.get(sender) ?? null]),
  );
}

/** How many entries of the chain lie before the floor: those up to the head that its rotation names. */
function shownAtFloor(draft: RoomDraft, reply: JoinReplyBody): number {
  if (reply.rotation === null) return 1;
  const { head } = decodeBody(containerBody(reply.rotation), 'rotation').body;
  return (draft.chainIndex(head) ?? 0) + 1;
}
