/** Who gets in, who may decide, and whom the relay takes somebody for: G2, G11, G12, G13. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeFrame, FRAME_EVENT, FRAME_TYPES, type Bytes, type Entry, type JoinState } from '@0fc/protocol';
import {
  asRoomKey, generateKeyPair, makeJoinConfirm, makeJoinReply, makePrekey, signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { ClientLink } from '@0fc/crypto/link';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { applyRoster, bodyHash, memberIdOf } from '@0fc/crypto/verify';
import { value, type Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { Peer, rawSocket } from '../../integration/relay-peer.js';
import { moveClock } from '../members/clocked.js';
import { published } from '../members/published.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { LyingRelay } from '../relay/lying-relay.js';
import { codeOf, epochOf, failureOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** A member that has asked to join and waits, its request withheld from the owner. */
async function waiting(
  owner: Member,
  roomId: string,
): Promise<{ guest: Member; inviteId: string; request: Bytes; key: Bytes }> {
  stage.relay.onEvent('join', () => null);
  const { link, inviteId } = await owner.invite(roomId);
  const guest = await stage.member('Dora');
  value(await guest.api.join(link, 'Dora'));
  const sent = await until('the request', () =>
    stage.relay.requests('joinRequest').find(({ body }) => body.inviteId === inviteId),
  );
  const client = [...stage.relay.clients].find(({ memberId }) => memberId === sent.memberId);
  stage.relay.honest();
  return { guest, inviteId, request: sent.body.request, key: client?.key ?? new Uint8Array() };
}

describe('G2: invites', () => {
  test('G2 a request under another joiner’s key gets nothing: a token admits exactly one key pair', async () => {
    const { owner, roomId } = await stage.two();
    const { guest, inviteId, request } = await waiting(owner, roomId);
    const replies = stage.relay.requests('joinReply').length;
    stage.relay.tell(idOf(owner), 'join', {
      inviteId: inviteId as never, joinerKey: generateKeyPair().publicKey, request, replied: 0,
    }); // prettier-ignore
    await until('the refusal', () =>
      stage.relay.requests('joinDrop').some(({ body }) => body.inviteId === inviteId),
    );
    expect(stage.relay.requests('joinDrop').at(-1)?.body).toMatchObject({
      reason: 'badProof',
      release: true,
    });
    expect(stage.relay.requests('joinReply')).toHaveLength(replies);
    expect(namesIn(owner)).not.toContain('Dora');
    await until('the claim to be over', () => failureOf(guest) === 'JOIN_DROPPED');
  });

  test('G2 of two claimants one is answered, and what was answered is given to nobody else', async () => {
    const { owner, roomId } = await stage.two();
    const { guest, inviteId, request, key } = await waiting(owner, roomId);
    const honest = { inviteId: inviteId as never, joinerKey: key, request, replied: 0 };
    const second = { ...honest, joinerKey: generateKeyPair().publicKey };
    stage.relay.tell(idOf(owner), 'join', honest);
    stage.relay.tell(idOf(owner), 'join', second);
    stage.relay.tell(idOf(owner), 'join', {
      ...honest,
      request: request.map((byte, at) => (at === 200 ? byte ^ 1 : byte)),
    });
    await guest.admitted(roomId);
    stage.relay.tell(idOf(owner), 'join', second);
    await stage.settled([owner, guest], 3);
    // One reply, however often it is sent: sealed under the join key that the first request holds.
    const replies = stage.relay.requests('joinReply').filter(({ body }) => body.inviteId === inviteId);
    expect(new Set(replies.map(({ body }) => Buffer.from(body.payload).toString('base64'))).size).toBe(1);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás', 'Dora']);
  });

  test('G2 a revoked invite and one past its time by the owner’s clock yield nothing, whatever the relay keeps', async () => {
    const { owner, roomId } = await stage.two();
    const revoked = await waiting(owner, roomId);
    value(await owner.api.revokeInvite(roomId, revoked.inviteId));
    // Its time passes, by the owner's clock, while the relay holds the request back.
    stage.relay.onEvent('join', () => null);
    const { link, inviteId } = await owner.invite(roomId);
    const late = await stage.member('Late');
    value(await late.api.join(link, 'Late'));
    const sent = await until('the request', () =>
      stage.relay.requests('joinRequest').find(({ body }) => body.inviteId === inviteId),
    );
    const key =
      [...stage.relay.clients].find(({ memberId }) => memberId === sent.memberId)?.key ?? new Uint8Array();
    await owner.leave();
    moveClock(owner, 7_200_000);
    await owner.comeBack(roomId);
    await owner.live();
    stage.relay.honest();
    const replies = stage.relay.requests('joinReply').length;
    for (const one of [
      { inviteId: revoked.inviteId, joinerKey: revoked.key, request: revoked.request },
      { inviteId, joinerKey: key, request: sent.body.request },
    ]) {
      stage.relay.tell(idOf(owner), 'join', { ...one, inviteId: one.inviteId as never, replied: 0 });
      await until('the refusal', () =>
        stage.relay.requests('joinDrop').some(({ body }) => body.inviteId === one.inviteId),
      );
    }
    expect(stage.relay.requests('joinReply')).toHaveLength(replies);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
  });

  test('G2 the relay cannot answer a joiner: not with a made-up reply, another join’s, another epoch’s, another room’s chain', async () => {
    const { owner, roomId, tomas } = await stage.two();
    const other = await stage.two();
    const foreign = await Stolen.from(other.owner, other.roomId);
    const earlier = stage.relay.requests('joinReply', idOf(owner))[0]!.body;
    const lies: readonly (() => void)[] = [
      () => stage.relay.onRequest('joinReply', (_, body) => ({ instead: { ...body, payload: new Uint8Array(500).fill(9) } })),
      () => stage.relay.onRequest('joinReply', (_, body) => ({ instead: { ...body, payload: earlier.payload } })),
      () => {
        // In both ways in which it comes: as an event, and when the joiner asks again.
        const other = ({ reply, ...state }: JoinState): JoinState => ({
          ...state, ...(reply === undefined ? {} : { reply: { ...reply, epoch: reply.epoch + 1 } }),
        });
        stage.relay.onEvent('joinState', (_, state) => other(state));
        stage.relay.onReply('claim', (_, state) => other(state));
      },
      () => stage.relay.onReply('chain', () => ({ entries: [...foreign.chain], more: false })),
      () => stage.relay.onReply('chain', (_, reply) => ({ ...reply, entries: reply.entries.slice(0, 1) })),
    ]; // prettier-ignore
    for (const [at, lie] of lies.entries()) {
      // The chain of another room proves nothing of this one. Of a chain that ends too soon nobody can tell whether it is the
      // reply that names what is not there.
      const code = ['RELAY_LIED', 'JOIN_REPLY_MISPLACED'][at - 3] ?? 'INVITE_REPLY_INVALID';
      lie();
      const guest = await stage.member('Guest');
      value(await guest.api.join((await owner.invite(roomId)).link, 'Guest'));
      await until('the joiner to refuse', () => failureOf(guest) === code);
      expect(guest.app?.rooms).toEqual([]);
      // Under an honest relay it would go on by itself, and come in.
      value(await guest.api.abandonJoin(roomId));
      stage.relay.honest();
    }
    expect(namesIn(owner)).toEqual(namesIn(tomas));
    expect(namesIn(owner)).toHaveLength(2);
  });

  test('G2 an owner’s answer with a key that it has not committed to, or in a room that is another’s, is refused', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const successor = await Stolen.from(tomas, roomId);
    // The first is the answer as it should be: what is refused is not the hand that made it.
    for (const lie of ['none', 'key', 'owner'] as const) {
      // The relay has the owner's own answer, without which it shows a joiner no chain, and keeps it back.
      let forged: Uint8Array | null = null;
      stage.relay.onEvent('joinState', (_, state) =>
        state.stage === 'replied' && state.reply?.payload !== forged ? null : undefined,
      );
      const { link, inviteId } = await owner.invite(roomId);
      const guest = await stage.member('Guest');
      value(await guest.api.join(link, 'Guest'));
      await until('the owner to answer', () =>
        stage.relay.requests('joinReply').some(({ body }) => body.inviteId === inviteId),
      );
      const stolen = await Stolen.from(owner, roomId);
      const { token, joiner } = stolen.invites.find((one) => one.inviteId === inviteId)!;
      const { core, current, roster } = stolen;
      const parties = { old: stolen.me, new: successor.me };
      const handedOver = stolen.entry('transfer', {
        to: successor.me,
        acceptance: signBody(successor.identity, 'transferAcceptance', {
          roomId: core.roomId, epoch: core.epoch, ...parties, nonce: new Uint8Array(16),
        }),
      }); // prettier-ignore
      const to = await memberIdOf(nodeHash, joiner!.key);
      const payload = await makeJoinReply(nodeHash, {
        owner: stolen.identity, joinKey: joiner!.joinKey!, token: token!, roomId: core.roomId, joiner: to, request: joiner!.request,
        reply: {
          epoch: 1, key: lie === 'key' ? asRoomKey(new Uint8Array(32).fill(7)) : current.key, rotation: null, floor: current.floor, t: stolen.floorT,
          head: lie === 'owner' ? await bodyHash(nodeHash, handedOver) : roster.head, counters: [...current.counters],
          profiles: [], roomName: null,
        },
      }); // prettier-ignore
      if (lie === 'owner')
        stage.relay.onReply('chain', (_, reply) => ({ ...reply, entries: [...reply.entries, handedOver] }));
      forged = payload;
      stage.relay.tell(to, 'joinState', { stage: 'replied', reply: { epoch: 1, payload } });
      const confirmed = (): boolean => stage.relay.requests('joinConfirm', to).length > 0;
      await until('the joiner to confirm or refuse', () => confirmed() || failureOf(guest) !== undefined);
      expect(confirmed()).toBe(lie === 'none');
      if (lie !== 'none') {
        expect(failureOf(guest)).toBe('INVITE_REPLY_INVALID');
        expect(guest.app?.rooms).toEqual([]);
      }
      // Under an honest relay it would come in, and the chain grow beside the next lie.
      value(await guest.api.abandonJoin(roomId));
      stage.relay.honest();
    }
  });

  test('G2 an answer leaves only once its invite is burnt on disk', async () => {
    const { owner, roomId } = await stage.two();
    // Taken and never confirmed: an owner that stopped here would find what its vault has.
    stage.relay.onRequest('joinReply', () => 'drop');
    const { link, inviteId } = await owner.invite(roomId);
    const guest = await stage.member('Guest');
    value(await guest.api.join(link, 'Guest'));
    await until('the answer', () =>
      stage.relay.requests('joinReply').some(({ body }) => body.inviteId === inviteId),
    );
    const { invites } = await Stolen.from(owner, roomId);
    const burnt = invites.find((one) => one.inviteId === inviteId);
    expect(burnt).toMatchObject({ stage: 'replied', pair: null });
    expect(burnt?.replies).toHaveLength(1);
  });

  test('G2 a confirmation of another join, or of one who has the room key but not this reply, admits nobody', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { core } = await Stolen.from(tomas, roomId);
    const confirm = await makeJoinConfirm(nodeHash, {
      identity: core.identity, roomId: core.roomId, epoch: 1, roomKey: core.keys[0]!.key!,
      request: new Uint8Array(200), reply: new Uint8Array(200),
    }); // prettier-ignore
    stage.relay.onRequest('joinConfirm', (_, body) => ({ instead: { ...body, payload: confirm } }));
    const guest = await stage.member('Guest');
    value(await guest.api.join((await owner.invite(roomId)).link, 'Guest'));
    await until('the join to fail', () => failureOf(guest) === 'JOIN_DROPPED');
    // It holds the key of epoch 1 and is on no roster: a rotation ends that.
    await until('a new key', () => [owner, tomas].every((who) => epochOf(who) === 2));
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
  });
});

describe('G11: the owner’s authority', () => {
  test('G11 no member, no former owner and no relay admits, removes, rotates, hands over or closes', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const stolen = await Stolen.from(tomas, roomId);
    const { roomId: id } = stolen.core;
    const guest = generateKeyPair();
    const memberId = await memberIdOf(nodeHash, guest.publicKey);
    const { prekey } = await makePrekey(
      { hash: nodeHash, random: nodeRandom },
      { identity: guest, roomId: id, memberId, k: 1 },
    );
    const inviteId = 'AAAAAAAAAAAAAAAAAAAAAA' as never;
    const nonce = new Uint8Array(16);
    const acceptance = signBody(stolen.identity, 'transferAcceptance', {
      roomId: id,
      epoch: 1,
      old: idOf(owner),
      new: stolen.me,
      nonce,
    });
    const admit = { key: guest.publicKey, prekey, epoch: 1, inviteId };
    const forged = [
      stolen.entry('admit', admit),
      stolen.entry('remove', { member: idOf(ines), reason: 'removed' }),
      stolen.entry('transfer', { to: stolen.me, acceptance }),
      stolen.entry('settings', { settings: { ...stolen.roster.settings, rotateEvery: 1_000_000 } }),
      stolen.entry('close', {}),
      stolen.entry('admit', { ...admit, owner: stolen.me }),
    ];
    const usurped = { ...stolen.roster, owner: stolen.me };
    const { command } = await stolen.rotation(await published(stage.relay), usurped);
    const { roster } = await applyRoster(
      nodeHash,
      stolen.roster,
      (await Stolen.from(owner, roomId)).entry('remove', { member: idOf(ines), reason: 'removed' }),
    );
    expect(roster.members.size).toBe(2); // such an entry by the owner's own hand would count
    // The relay itself refuses each ...
    await tomas.leave();
    const usurper = await Peer.connect(stage.relay, stolen.identity);
    await usurper.request('open', { roomId: id, after: stolen.core.position, head: null, epoch: 1 });
    for (const entry of forged) expect(await usurper.refusal('roster', { entry })).toBe('FORBIDDEN');
    expect(await usurper.refusal('rotate', command)).toBe('FORBIDDEN');
    usurper.leave();
    // ... and clients do too when it does not.
    let place = stolen.core.position;
    const invented: Entry[] = [...forged, command].map((made) => {
      place = { g: place.g, s: place.s + 1 };
      return made instanceof Uint8Array
        ? entryAt(place, 'roster', idOf(owner), { payload: made })
        : entryAt(place, 'rotation', idOf(owner), {
            clear: made.clear,
            payload: made.payload,
            wrap: made.wraps[idOf(ines)]!,
          });
    });
    stage.relay.tell(idOf(ines), 'entries', { entries: invented });
    await until('an alarm for each', () => ines.alarms.length >= invented.length);
    expect(ines.alarms.filter((code) => code === 'ALARM_BAD_ROSTER')).toHaveLength(forged.length);
    expect(ines.alarms.filter((code) => code === 'ALARM_FOREIGN_ROTATION')).toHaveLength(1);
    expect(namesIn(ines)).toEqual(['Amina', 'Tomás', 'Inès']);
    expect(ines.room?.members.find(({ owner: owns }) => owns)?.memberId).toBe(idOf(owner));
    expect(stageOf(ines, roomId)).toBe('member');
    expect(epochOf(ines)).toBe(1);
    expect(ines.room?.settings.rotateEvery).toBe(100);
  });

  test('G11 a former owner rotates and removes no more, with or without the relay', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const before = await Stolen.from(owner, roomId);
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await until('the offer', () => tomas.room?.ownershipTransfer?.role === 'offered');
    value(await tomas.api.acceptOwnership(roomId));
    await until('the new owner’s key', () => [owner, tomas, ines].every((who) => epochOf(who) === 2));
    await stage.level([owner, tomas, ines]);
    const after = await Stolen.from(owner, roomId);
    const removal = after.entry('remove', { member: idOf(tomas), reason: 'removed', owner: idOf(owner) });
    const { command } = await after.rotation(await published(stage.relay), {
      ...after.roster,
      owner: idOf(owner),
    });
    const old = before.entry('remove', { member: idOf(tomas), reason: 'removed' });
    const at = (n: number) => ({ g: after.core.position.g, s: after.core.position.s + n });
    stage.relay.tell(idOf(ines), 'entries', {
      entries: [
        entryAt(at(1), 'roster', idOf(tomas), { payload: removal }),
        entryAt(at(2), 'rotation', idOf(tomas), { clear: command.clear, payload: command.payload, wrap: command.wraps[idOf(ines)]! }),
        entryAt(at(3), 'roster', idOf(owner), { payload: old }),
      ],
    }); // prettier-ignore
    await until('an alarm for each', () => ines.alarms.length >= 3);
    expect(ines.alarms).toContain('ALARM_FOREIGN_ROTATION');
    expect(namesIn(ines)).toHaveLength(3);
    expect(ines.room?.members.find(({ owner: owns }) => owns)?.memberId).toBe(idOf(tomas));
    expect(epochOf(ines)).toBe(2);
    expect(codeOf(await owner.api.removeMember(roomId, idOf(ines)))).toBe('NOT_OWNER');
  });

  test('G11 an owner that says two things on one head is shown to whoever sees both, and the first stays', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const stolen = await Stolen.from(owner, roomId);
    const rival = stolen.entry('settings', { settings: { ...stolen.roster.settings, rotateEvery: 7 } });
    const { command } = await stolen.rotation(await published(stage.relay));
    value(await owner.api.rotateNow(roomId));
    value(await owner.api.changeSettings(roomId, { rotateEvery: 50, approval: false }));
    await until('the settings', () => tomas.room?.settings.rotateEvery === 50);
    await stage.level([owner, tomas]);
    const { position } = (await Stolen.from(tomas, roomId)).core;
    stage.relay.tell(idOf(tomas), 'entries', {
      entries: [
        entryAt({ g: 1, s: position.s + 1 }, 'roster', idOf(owner), { payload: rival }),
        entryAt({ g: 1, s: position.s + 2 }, 'rotation', idOf(owner), { clear: command.clear, payload: command.payload, wrap: command.wraps[idOf(tomas)]! }),
      ],
    }); // prettier-ignore
    await until(
      'both proofs',
      () => tomas.alarms.filter((code) => code === 'ALARM_OWNER_EQUIVOCATED').length === 2,
    );
    expect(tomas.room?.settings.rotateEvery).toBe(50);
    expect(epochOf(tomas)).toBe(2);
  });

  test('G11 the relay’s word voids nothing that the owner has signed, and brings no second entry on one head', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    let lies = 0;
    stage.relay.onRequest('roster', () =>
      lies++ < 2 ? { refuse: lies === 1 ? 'STALE_HEAD' : 'STALE_EPOCH' } : undefined,
    );
    value(await owner.api.removeMember(roomId, idOf(ines)));
    value(await owner.api.changeSettings(roomId, { rotateEvery: 60, approval: false }));
    await until(
      'both to be carried out',
      () => tomas.room?.members.length === 2 && tomas.room.settings.rotateEvery === 60,
    );
    const sent = stage.relay
      .requests('roster', idOf(owner))
      .map(({ body }) => Buffer.from(body.entry).toString('base64'));
    // Two admissions, the removal three times over in the same bytes, the settings.
    expect(sent).toHaveLength(6);
    expect(new Set(sent).size).toBe(4);
    await until('the key', () => [owner, tomas].every((who) => epochOf(who) === 2));
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('G11 what the owner signs is on its disk before the relay has it', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.onRequest('roster', () => 'drop');
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    const { body } = await until('the removal', () =>
      stage.relay.requests('roster', idOf(owner)).find((one) => one.body.rotation !== undefined),
    );
    const { pending } = (await Stolen.from(owner, roomId)).core;
    expect(pending?.entry).toEqual(body.entry);
    expect(pending?.rotation).toEqual(body.rotation);
  });

  test('G11 an acceptance counts for the offer that stands, once', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    const offered = await until('the offer', () => stage.relay.events('transferOffered', idOf(tomas))[0]);
    await until('to be seen', () => tomas.room?.ownershipTransfer?.role === 'offered');
    // The owner thinks again; the relay goes on offering, and brings the acceptance of what was taken back.
    value(await owner.api.endOwnershipOffer(roomId));
    value(await tomas.api.acceptOwnership(roomId));
    const { body } = await until(
      'the acceptance',
      () => stage.relay.requests('transferAcceptance', idOf(tomas))[0],
    );
    stage.relay.tell(idOf(owner), 'transferAccepted', { from: idOf(tomas), acceptance: body.acceptance });
    // Offered to him again: what accepted the first offer does not accept this one.
    stage.relay.onEvent('transferOffered', () => null);
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    stage.relay.tell(idOf(owner), 'transferAccepted', { from: idOf(tomas), acceptance: body.acceptance });
    await owner.say(roomId, 'on second thoughts');
    await owner.has('on second thoughts');
    value(await owner.api.endOwnershipOffer(roomId));
    stage.relay.honest();
    value(await owner.api.offerOwnership(roomId, idOf(ines)));
    stage.relay.tell(idOf(owner), 'transferAccepted', { from: idOf(tomas), acceptance: body.acceptance });
    stage.relay.tell(idOf(owner), 'transferAccepted', { from: idOf(ines), acceptance: body.acceptance });
    stage.relay.tell(idOf(ines), 'transferOffered', offered.body);
    await owner.say(roomId, 'still mine');
    await Promise.all([tomas.has('still mine'), ines.has('still mine')]);
    expect(
      [owner, tomas, ines].map((who) => who.room?.members.find(({ owner: owns }) => owns)?.memberId),
    ).toEqual(Array(3).fill(idOf(owner)));
    // The genesis, where it begins, and the two admissions since; no transfer.
    expect(stage.relay.entriesTo(idOf(ines)).filter(({ kind }) => kind === 'roster')).toHaveLength(3);
  });
});

describe('G12: who is on the other end', () => {
  test('G12 a recorded handshake and a claimed key give nobody’s place, and cut nobody’s connection', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const stolen = await Stolen.from(tomas, roomId);
    const before = stage.relay.seen.length;
    // The first message of a session under the key of Tomás, with no private key behind it for what follows.
    const recorded = stage.relay.frames.filter((frame) => frame[1] === FRAME_TYPES.handshake);
    for (const frame of [...recorded, encodeFrame(FRAME_TYPES.session, new Uint8Array(200))]) {
      const socket = rawSocket(stage.relay.url);
      await until('the socket to open', () => socket.connected);
      const over = new Promise((resolve) => socket.on('disconnect', resolve));
      socket.emit(FRAME_EVENT, Buffer.from(frame));
      socket.emit(FRAME_EVENT, Buffer.from(encodeFrame(FRAME_TYPES.session, new Uint8Array(200))));
      await over;
    }
    const half = ClientLink.open({
      identity: { ...generateKeyPair(), publicKey: stolen.identity.publicKey },
      relayKey: stage.relay.publicKey,
    });
    const socket = rawSocket(stage.relay.url);
    socket.on(FRAME_EVENT, (frame: unknown) => {
      try {
        const { reply } = half.receive(Uint8Array.from(frame as Uint8Array));
        if (reply !== null) socket.emit(FRAME_EVENT, Buffer.from(reply));
      } catch {
        socket.disconnect();
      }
    });
    await until('the socket to open', () => socket.connected);
    const over = new Promise((resolve) => socket.on('disconnect', resolve));
    socket.emit(FRAME_EVENT, Buffer.from(half.start()));
    await over;
    expect(half.established).toBe(false);
    // No session came of it: nobody was greeted, opened a log or was shown the door.
    const since = stage.relay.seen
      .slice(before)
      .flatMap(({ message }) => ('e' in message ? [message.e] : 'q' in message ? [message.kind] : []));
    expect(since.filter((kind) => ['hello', 'open', 'closing'].includes(kind))).toEqual([]);
    await tomas.say(roomId, 'still me');
    await owner.has('still me');
    expect(tomas.room?.connection).toBe('connected');
    stage.relay.failures.length = 0; // what broke was each attempt
  });

  test('G12 what a member sends is its own, whatever its messages claim', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.leave();
    const stolen = await Stolen.from(tomas, roomId);
    const peer = await Peer.connect(stage.relay, stolen.identity);
    await peer.request('open', {
      roomId: stolen.core.roomId,
      after: stolen.core.position,
      head: null,
      epoch: 1,
    });
    const { identity, core } = stolen;
    const place = { identity, roomId: core.roomId, memberId: idOf(owner), k: 9 };
    const { keyPair: _, ...ownerPrekey } = await makePrekey({ hash: nodeHash, random: nodeRandom }, place);
    expect(await peer.refusal('prekey', ownerPrekey)).toBe('BAD_ENTRY');
    await peer.request('append', { messages: [stolen.text('as the owner', { sender: idOf(owner) })] });
    await stage.alarm(owner, 'ALARM_UNREADABLE');
    expect(owner.texts).toEqual([]);
    expect(stage.relay.entriesTo(idOf(owner)).at(-1)?.sender).toBe(stolen.me);
    peer.leave();
  });
});

describe('G13: the pinned relay', () => {
  test('G13 neither config.json nor an invite replaces a pin, and both fingerprints are told', async () => {
    const { owner, roomId } = await stage.two();
    const guest = await stage.member('Guest');
    const link = (await owner.invite(roomId)).link;
    stage.relay.configKey = generateKeyPair().publicKey;
    const joined = await guest.api.join(link, 'Guest');
    expect(codeOf(joined)).toBe('RELAY_KEY_MISMATCH');
    if (!joined.ok) {
      const { pinned, other } = joined.error.params ?? {};
      expect(pinned).toMatch(/^[0-9A-F]{16}$/);
      expect(other).toMatch(/^[0-9A-F]{16}$/);
      expect(pinned).not.toBe(other);
    }
    // Who has a pin does not even look.
    await owner.leave();
    await owner.comeBack(roomId);
    await owner.live();
    stage.relay.configKey = null;
    value(await guest.api.join(link, 'Guest'));
    await guest.admitted(roomId);
  });

  test('G13 a relay between, with a key of its own, hears not one word', async () => {
    const { owner, tomas, roomId } = await stage.two();
    // The first way to the relay is taken over: same address, another key.
    const { key } = stage.relay;
    stage.relay.key = generateKeyPair();
    const asked = stage.relay.seen.length;
    stage.relay.cut();
    await until('both to stop', () => [owner, tomas].every((who) => who.room?.connection === 'stopped'));
    value(await tomas.api.sendText(roomId, 'waits at home'));
    const heard = stage.relay.seen.slice(asked).filter(({ way }) => way === 'fromClient');
    expect(heard).toEqual([]);
    stage.relay.key = key;
    for (const who of [owner, tomas]) value(await who.api.resumeRoom(roomId));
    await owner.has('waits at home');
  });

  test('G13 two relays with one key that show two histories: who speaks to both members tells', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    // A second relay with the same key and a copy of the store takes one member over.
    const second = await LyingRelay.start({ key: stage.relay.key });
    second.place([idOf(ines)], { snapshot: stage.relay.world.snapshot(), hidden: true });
    await ines.leave();
    Object.assign(ines, { relayUrl: second.url });
    await ines.comeBack(roomId);
    await ines.live();
    await ines.say(roomId, 'to nobody');
    await ines.has('to nobody');
    await tomas.say(roomId, 'to the others');
    await owner.has('to the others');
    await ines.leave();
    Object.assign(ines, { relayUrl: stage.relay.url });
    await ines.comeBack(roomId);
    await ines.live();
    await owner.say(roomId, 'hello again');
    await stage.alarm(ines, 'ALARM_FORK');
    await second.stop();
  });
});
