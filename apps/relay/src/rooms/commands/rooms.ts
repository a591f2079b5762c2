/** create, open, chain. */
import {
  equalBytes,
  LIMITS,
  PROTOCOL_VERSION,
  utf8,
  type Entry,
  type OpenReply,
  type RoomId,
} from '@0fc/protocol';
import { startRoster, type Roster } from '@0fc/crypto/verify';
import type { Answer, Call, Handler, RelayContext } from './context.js';
import type { BoundSubscription, Peer } from '../delivery/peer.js';
import { RoomSubscription } from '../delivery/room-subscription.js';
import { unwrap, Refusal } from '../port/result.js';
import type { LogPage, LogPlacement, RoomFacts } from '../port/room-store.js';
import { storedPrekey } from './prekeys-and-grants.js';

/** Binds the connection to a room, once and for good, and subscribes to its feed. */
export async function bind(
  context: RelayContext,
  peer: Peer,
  roomId: RoomId,
  role: Call['role'],
): Promise<BoundSubscription> {
  if (peer.subscription !== null) {
    if (peer.subscription.roomId !== roomId) throw new Refusal('ALREADY_BOUND');
    return peer.subscription;
  }
  const subscription = await RoomSubscription.open(context, peer, roomId, role);
  if (peer.gone) {
    subscription.end();
    throw new Refusal('TRY_AGAIN');
  }
  peer.subscription = subscription;
  return subscription;
}

/** Nothing of a room of another version is understood here: it is kept until its time is over. Throws UNSUPPORTED_VERSION. */
export function assertVersion({ version }: Pick<RoomFacts, 'version'>): void {
  if (version !== PROTOCOL_VERSION) throw new Refusal('UNSUPPORTED_VERSION', { version });
}

/** The room that this connection is bound to. */
export function boundRoom(peer: Peer): RoomId {
  if (peer.subscription === null) throw new Refusal('NOT_BOUND');
  return peer.subscription.roomId;
}

/**
 * Puts a verified genesis into the store; also how a lost room comes back (section 6): as it was signed, whatever
 * this relay would allow a new one.
 */
export async function storeGenesis(
  context: RelayContext,
  roster: Roster,
  genesis: Uint8Array,
  restored: boolean,
): Promise<LogPlacement> {
  const owner = roster.members.get(roster.owner);
  const tooMany = !restored && roster.settings.maxMembers > context.limits.maxMembers;
  if (owner === undefined || tooMany) throw new Refusal('BAD_ENTRY');
  const { placed } = unwrap(
    await context.store.createRoom({
      roomId: roster.roomId,
      version: roster.version,
      genesis,
      head: roster.head,
      owner: roster.owner,
      history: roster.settings.history,
      restored,
    }),
  );
  return placed;
}

/** Compares hashes, so that the time it takes says nothing about how much was right. */
async function sameText({ hash }: RelayContext, a: string, b: string): Promise<boolean> {
  return equalBytes(await hash.sha256(utf8(a)), await hash.sha256(utf8(b)));
}

export const create: Handler<'create'> = {
  authorizedBy: 'store',
  async handle(context, peer, { genesis, ticket }) {
    const { creationToken } = context.limits;
    if (creationToken !== null && !(await sameText(context, ticket ?? '', creationToken))) {
      throw new Refusal('ROOM_CREATION_REFUSED');
    }
    const roster = await startRoster(context.hash, genesis);
    // The genesis names the key that this session has proved, or it is somebody else's room.
    if (roster.owner !== peer.memberId) throw new Refusal('FORBIDDEN');
    if (peer.subscription !== null && peer.subscription.roomId !== roster.roomId)
      throw new Refusal('ALREADY_BOUND');
    const known = await context.store.readRoom(roster.roomId, peer.memberId);
    if (!known.ok && known.code === 'ROOM_UNKNOWN' && !context.mayCreate(peer.address)) {
      throw new Refusal('RATE_LIMITED', { retryMs: 60_000 });
    }
    const placed = await storeGenesis(context, roster, genesis, false);
    await bind(context, peer, roster.roomId, 'owner');
    return { reply: { roomId: roster.roomId, placed } };
  },
};

export const open: Handler<'open'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, roomId, role }, { after }) {
    const subscription = await bind(context, peer, roomId, role);
    const { page, follow } = await subscription.page(after);
    return page.role === 'departed' ? departed(page) : { reply: replyOf(page), after: follow };
  },
};

type ReadPage = Extract<LogPage, { readonly role: 'member' | 'owner' }>;

const replyOf = ({ role, room, generations, rotation, entries, end, prekey }: ReadPage): OpenReply => ({
  role,
  generations: [...generations],
  tip: room.tip,
  trimmed: room.trimmed,
  ...(room.trimmedT === null ? {} : { trimmedT: room.trimmedT }),
  head: room.head,
  epoch: room.epoch,
  epochMessages: room.epochMessages,
  prekey: storedPrekey(prekey)?.prekey ?? null,
  ...(rotation === null ? {} : { rotation }),
  entries: [...entries],
  live: end,
});

/** The signed entry that says so, and nothing that came after it. */
function departed(page: Extract<LogPage, { readonly role: 'departed' }>): Answer<OpenReply> {
  const entries: Entry[] = page.entry === null ? [] : [page.entry];
  const start = { g: 1, s: 0 };
  return {
    reply: {
      role: 'departed',
      generations: [],
      tip: page.entry?.position ?? start,
      trimmed: start,
      head: page.head,
      epoch: page.epoch,
      epochMessages: 0,
      prekey: null,
      entries,
      live: false,
    },
  };
}

export const chain: Handler<'chain'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, roomId, role }, { from }) {
    const reader = role === 'departed' || role === 'joiner' ? peer.memberId : undefined;
    const { entries, length } = unwrap(await context.store.readChain(roomId, from, LIMITS.chainPage, reader));
    return { reply: { entries: [...entries], more: from + entries.length < length } };
  },
};
