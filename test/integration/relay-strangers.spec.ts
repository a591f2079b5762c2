/** What a stranger reads out of the relay's refusals: of a room that is there as much as of one that is not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REQUEST_KINDS, toBase64Url, type RequestBody, type RequestKind, type RoomId } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { anyBodies } from '../hostile/members/any-bodies.js';
import { Peer, Refused } from './relay-peer.js';
import { anyBytes, newInviteId, TestRoom } from './relay-room.js';

let folder: string;
let relay: RunningRelay;
/** by how it stands to whoever asks */
const rooms = new Map<string, RoomId>();
/** of a room that nobody here asks about */
let other: TestRoom;

beforeAll(async () => {
  await loadThemis();
  folder = await mkdtemp(join(tmpdir(), '0fc-relay-'));
  relay = await startRelay({
    environment: { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', DATA_DIR: folder },
  });
  other = await TestRoom.create(relay);
  const open = await TestRoom.create(relay);
  const closed = await TestRoom.create(relay);
  await closed.owner.request('roster', { entry: await closed.signed('close', {}) });
  await closed.owner.gone();
  rooms.set('unknown', toBase64Url(anyBytes(16)) as RoomId);
  rooms.set('open', open.roomId);
  rooms.set('closed', closed.roomId);
});
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Everything that a stranger may say of a room, once in each way. */
function requestsOf(roomId: RoomId): readonly (readonly [RequestKind, Record<string, unknown>])[] {
  const at = { position: { g: 1, s: 0 }, sender: other.owner.memberId, time: 0, clear: anyBytes(0) };
  const entries: RequestBody<'restore'>['entries'] = [
    { ...at, kind: 'roster', payload: other.made.container },
    { ...at, kind: 'rotation', clear: anyBytes(200), payload: anyBytes(100) },
    { ...at, kind: 'message', payload: anyBytes(100) },
    { ...at, kind: 'leaveRequest', payload: anyBytes(100) },
  ];
  return [
    ...anyBodies({ roomId, head: anyBytes(32) }),
    ...entries.map((entry) => ['restore', { roomId, entries: [entry] }] as const),
  ];
}

/** All that an answer says: null for a reply. */
async function refusalOf(
  peer: Peer,
  kind: RequestKind,
  body: Record<string, unknown>,
): Promise<string | null> {
  try {
    await Promise.all(peer.raw({ kind, body }));
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

describe('a room that a stranger asks about', () => {
  test('is not told apart from one that is not there, whatever is asked, by a code or anything beside it', async () => {
    const told = new Map<string, readonly string[]>();
    for (const [which, roomId] of rooms) {
      const answers: string[] = [];
      for (const [kind, body] of requestsOf(roomId)) {
        const peer = await Peer.connect(relay);
        const code = await refusalOf(peer, kind, body);
        answers.push(`${kind}: ${String(code)}`);
        peer.leave();
      }
      told.set(which, answers);
    }
    expect(new Set(requestsOf(other.roomId).map(([kind]) => kind))).toEqual(new Set(REQUEST_KINDS));
    expect(told.get('open')).toEqual(told.get('unknown'));
    expect(told.get('closed')).toEqual(told.get('unknown'));
    expect(told.get('unknown')).toContain('open: ROOM_UNKNOWN');
    expect(told.get('unknown')).toContain('claim: INVITE_UNKNOWN');
  });

  test('is as good as not there for a joiner whose join has ended, on the same connection', async () => {
    const room = await TestRoom.create(relay);
    const { roomId } = room;
    const inviteId = newInviteId();
    await room.owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    const joiner = await Peer.connect(relay);
    await joiner.request('claim', { roomId, inviteId });
    // While its claim stands it is somebody: only what it may not do is refused.
    expect(await joiner.refusal('prekeys', {})).toBe('FORBIDDEN');
    await room.owner.request('joinDrop', { inviteId, release: true, reason: 'full' });
    for (const [kind, body] of requestsOf(roomId)) {
      if (kind === 'claim' || kind === 'create') continue;
      const code = await refusalOf(joiner, kind, body);
      expect([kind, code]).toEqual([kind, 'ROOM_UNKNOWN']);
    }
    expect(await joiner.refusal('claim', { roomId, inviteId: newInviteId() })).toBe('INVITE_UNKNOWN');
    joiner.leave();
  });
});
