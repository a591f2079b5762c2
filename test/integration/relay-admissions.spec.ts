/** What a relay takes beside an admission: the encapsulation key of the joiner's first prekey (docs/protocol.md section 7). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makePrekey } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { Peer } from './relay-peer.js';
import { anyBytes, newInviteId, ports, TestRoom } from './relay-room.js';

const ENVIRONMENT = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', HANDSHAKE_MS: '60000' };
let relay: RunningRelay;

beforeAll(async () => {
  await loadThemis();
  relay = await startRelay({ environment: ENVIRONMENT, inMemory: true });
});
afterAll(() => relay.stop());

describe('an encapsulation key', () => {
  test('beside an admission is the one that the joiner signed for, and stands for its first prekey', async () => {
    const room = await TestRoom.create(relay);
    const { owner, roomId, epoch } = room;
    const peer = await Peer.connect(relay);
    const { identity, memberId } = peer;
    const inviteId = newInviteId();
    await owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    await peer.request('claim', { roomId, inviteId });
    await peer.request('joinRequest', { inviteId, request: anyBytes(200) });
    await owner.request('joinReply', { inviteId, epoch, payload: anyBytes(200) });
    await peer.request('joinConfirm', { inviteId, epoch, payload: anyBytes(100) });
    const { prekey, ek } = await makePrekey(ports, { identity, roomId, memberId, k: 1 });
    const entry = await room.admit(peer, inviteId, prekey);
    const { ek: another } = await makePrekey(ports, { identity, roomId, memberId, k: 1 });
    for (const wrong of [another, new Uint8Array(1_184)])
      expect(await owner.refusal('roster', { entry, ek: wrong })).toBe('BAD_KEY');
    expect(await owner.refusal('roster', { entry, ek: ek.slice(1) })).toBe('MALFORMED');
    await owner.request('roster', { entry, ek });
    const { prekeys } = await owner.request('prekeys', {});
    expect(prekeys.find((one) => one.memberId === memberId)).toEqual({ memberId, prekey: { prekey, ek } });
    peer.leave();
  });

  test('beside any other entry is refused', async () => {
    const room = await TestRoom.create(relay);
    const { owner } = room;
    const settings = { ...room.roster.settings, approval: true };
    const entry = await room.signed('settings', { settings });
    expect(await owner.refusal('roster', { entry, ek: new Uint8Array(1_184).fill(1) })).toBe('BAD_ENTRY');
    await owner.request('roster', { entry });
  });
});
