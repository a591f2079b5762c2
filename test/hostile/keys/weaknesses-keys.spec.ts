/** What the first implementation got wrong about keys and secrets: W1, W2, W6, W7, W8, W9, W10, W13. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { toBase64Url, type Bytes, type Entry, type MemberId } from '@0fc/protocol';
import {
  asInviteToken, generateHybridKeyPair, generateKeyPair, type InviteToken, makeJoinRequest, openJoinRequest, openMessage, openRotation,
  parseInvite,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { verifyRotation } from '@0fc/crypto/verify';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { Stolen } from '../members/stolen.js';
import { codeOf, epochOf, failureOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

const ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('W1: a join without the token of a live invite', () => {
  test('W1 is not answered, whatever invite the relay names and under whatever key it seals', async () => {
    const { relay } = stage;
    const { owner, tomas, roomId } = await stage.two();
    const used = relay.requests('joinRequest', idOf(tomas))[0]?.body;
    const invite = await parseInvite(nodeHash, (await owner.invite(roomId)).link);
    const replies = relay.requests('joinReply').length;
    const drops = (): number => relay.requests('joinDrop').length;
    const thief = generateKeyPair();
    const attempts = [
      // an invite that never was, sealed under a token of the relay's own: an empty context in its time
      {
        inviteId: toBase64Url(nodeRandom.bytes(16)),
        request: (await requestFor({ token: asInviteToken(new Uint8Array(32)) })).payload,
      },
      // a used one, with what its joiner had sent
      { inviteId: used?.inviteId ?? '', request: used?.request ?? new Uint8Array(1) },
      // the live one, with a token of the relay's own and with what another joiner had sent
      {
        inviteId: invite.inviteId,
        request: (await requestFor({ token: asInviteToken(nodeRandom.bytes(32)) })).payload,
      },
      { inviteId: invite.inviteId, request: used?.request ?? new Uint8Array(1) },
    ];
    const before = drops();
    // All at once: a claim that comes while one before it is still being refused is refused as well.
    for (const { inviteId, request } of attempts) {
      relay.tell(idOf(owner), 'join', {
        inviteId: inviteId as typeof invite.inviteId,
        joinerKey: thief.publicKey,
        request,
        replied: 0,
      });
    }
    await until('the owner to refuse each', () => drops() === before + attempts.length);
    expect(relay.requests('joinReply')).toHaveLength(replies);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
    // The invite itself is alive: a bad proof costs its holder nothing.
    const dora = await stage.member('Dora');
    const { link } = await owner.invite(roomId);
    value(await dora.api.join(link, 'Dora'));
    await dora.admitted(roomId);

    async function requestFor(fields: { token: InviteToken }): Promise<{ payload: Bytes }> {
      return makeJoinRequest(ports, { link: { ...invite, ...fields }, name: 'Mallory' });
    }
  });

  test('W1 an old invite admits nobody else', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    const ines = await stage.member('Inès');
    value(await ines.api.join(link, 'Inès'));
    await ines.admitted(roomId);
    // The relay pretends that it is open still, and lets a second one claim it.
    stage.relay.onRequest('claim', () => ({ answer: { stage: 'claimed' as const } }));
    const late = await stage.member('Late');
    value(await late.api.join(link, 'Late'));
    const replies = stage.relay.requests('joinReply').length;
    const sent = await until('the second to ask', () =>
      stage.relay
        .requests('joinRequest')
        .find(({ memberId }) => memberId !== idOf(ines) && memberId !== idOf(tomas)),
    );
    const key = [...stage.relay.clients].find(({ memberId }) => memberId === sent.memberId)?.key;
    const drops = stage.relay.requests('joinDrop').length;
    stage.relay.tell(idOf(owner), 'join', {
      inviteId: sent.body.inviteId,
      joinerKey: key ?? new Uint8Array(45),
      request: sent.body.request,
      replied: 0,
    });
    await until('the owner to refuse', () => stage.relay.requests('joinDrop').length > drops);
    expect(stage.relay.requests('joinReply')).toHaveLength(replies);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás', 'Inès']);
  });
});

describe('W2: messages and rotations', () => {
  test('W2 a chat line relabelled as a rotation is no key, and the room goes on', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let lied = 0;
    stage.relay.onEntries((client, entries) =>
      client.memberId === idOf(tomas)
        ? entries.map((entry): Entry => {
            if (entry.kind !== 'message' || lied > 0) return entry;
            lied += 1;
            return { ...entry, kind: 'rotation', wrap: entry.payload };
          })
        : undefined,
    );
    await owner.say(roomId, 'a greeting that anybody can guess');
    await stage.alarm(tomas, 'ALARM_FOREIGN_ROTATION');
    await owner.say(roomId, 'after it');
    await tomas.has('after it');
    expect(epochOf(tomas)).toBe(1);
    expect(tomas.texts).toEqual(['after it']);
  });

  test('W2 a rotation relabelled as a chat line prints no key', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.onEntries((client, entries) =>
      client.memberId === idOf(tomas)
        ? entries.map((entry): Entry => {
            if (entry.kind !== 'rotation') return entry;
            const { wrap: _, ...bare } = entry;
            const line = stage.relay.entriesTo(idOf(owner)).find(({ kind }) => kind === 'message');
            return { ...bare, kind: 'message', clear: line?.clear ?? entry.clear };
          })
        : undefined,
    );
    value(await owner.api.rotateNow(roomId));
    await stage.alarm(tomas, 'ALARM_UNREADABLE');
    expect(tomas.texts).toEqual([]);
    expect(epochOf(tomas)).toBe(1);
  });
});

describe('W6: the key before', () => {
  test('W6 opens neither the rotation after it, nor anything later', async () => {
    const { relay } = stage;
    const { owner, tomas, roomId } = await stage.two();
    const before = await Stolen.from(tomas, roomId);
    value(await owner.api.rotateNow(roomId));
    await until('the new key', () => epochOf(tomas) === 2);
    await owner.say(roomId, 'under the second key');
    await tomas.has('under the second key');
    const command = relay.requests('rotate').at(-1)?.body;
    if (command === undefined) throw new Error('no rotation');
    const { clear, payload, wraps } = command;
    const rotation = await verifyRotation(nodeHash, before.roster, 1, clear, payload);
    // The thief has the old key and every wrap, as the relay has them; of prekeys it has its own.
    for (const [memberId, wrap] of Object.entries(wraps)) {
      await expect(
        openRotation(nodeHash, {
          roster: before.roster, rotation, payload, wrap, oldKey: before.current.key, memberId: memberId as MemberId,
          prekeys: new Map([1, 2].map((k) => [k, generateHybridKeyPair(nodeRandom)])),
        }), // prettier-ignore
      ).rejects.toMatchObject({ code: 'NO_ROOM_KEY' });
    }
    const line = relay
      .entriesTo(idOf(tomas))
      .findLast(({ kind, sender }) => kind === 'message' && sender === idOf(owner));
    const place = {
      roomId: before.core.roomId,
      sender: idOf(owner),
      senderKey: before.roster.members.get(idOf(owner))!.key,
    };
    for (const epoch of [1, 2]) {
      expect(() =>
        openMessage({ ...place, epoch, roomKey: before.current.key, payload: line!.payload }),
      ).toThrow();
    }
    // What the thief cannot, a member can: the search was in the right place.
    const { key } = (await Stolen.from(tomas, roomId)).current;
    expect(
      openMessage({ ...place, epoch: 2, roomKey: key, payload: line!.payload }).body.content,
    ).toMatchObject({
      text: 'under the second key',
    });
  });
});

describe('W7: a recorded join', () => {
  test('W7 is opened by nothing that the owner’s vault holds later', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { body } = stage.relay.requests('joinRequest', idOf(tomas))[0]!;
    const stolen = await Stolen.from(owner, roomId);
    expect(stolen.invites).toEqual([]);
    const link = await parseInvite(nodeHash, (await owner.invite(roomId)).link);
    const pairs = [stolen.identity, ...stolen.core.prekeys.map(({ pair }) => pair)];
    for (const inviteKeyPair of pairs) {
      await expect(
        openJoinRequest(ports, {
          roomId: link.roomId, inviteId: body.inviteId, ownerKey: stolen.identity.publicKey, token: link.token, inviteKeyPair,
          joinerKey: stolen.roster.members.get(idOf(tomas))!.key, payload: body.request,
        }), // prettier-ignore
      ).rejects.toMatchObject({ code: 'INVITE_BAD_PROOF' });
    }
  });
});

describe('W8: “there is no such room”', () => {
  test('W8 said by the relay deletes no key and no message, and is shown', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'to be kept');
    await tomas.has('to be kept');
    const before = await Stolen.from(tomas, roomId);
    for (const code of ['ROOM_UNKNOWN', 'ROOM_CLOSED'] as const) {
      stage.relay.onReply('open', (client) => (client.memberId === idOf(tomas) ? { code } : undefined));
      stage.relay.cut(idOf(tomas));
      await until('it to be named', () => tomas.room?.stopped?.code === code);
      await stage.alarm(tomas, 'ALARM_ROOM_GONE');
      // It asks again by itself, and the answer is shown once.
      const asked = stage.relay.requests('open').length;
      const shown = tomas.alarms.length;
      await until('it to ask again', () => stage.relay.requests('open').length >= asked + 3);
      expect(tomas.alarms).toHaveLength(shown);
      expect(stageOf(tomas, roomId)).toBe('member');
      const after = await Stolen.from(tomas, roomId);
      expect(after.core.keys).toEqual(before.core.keys);
      expect(tomas.texts[0]).toBe('to be kept');
      stage.relay.honest();
      await stage.goesOn(roomId, [owner, tomas], `after ${code},`);
    }
  });

  test('W8 a relay that has lost everything gets the room back by one member’s act, with its keys; the others follow', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'before the loss');
    await tomas.has('before the loss');
    const nothing = (await Stage.open()).relay;
    stage.relay.place([idOf(owner), idOf(tomas)], { snapshot: nothing.world.snapshot(), hidden: false });
    await until('both to say so', () =>
      [owner, tomas].every((who) => who.room?.stopped?.code === 'ROOM_UNKNOWN'),
    );
    // Both ask again, and nobody brings back what nobody asked for.
    const asked = stage.relay.requests('open').length;
    await stage.byItself(
      'both to ask again',
      [owner, tomas],
      () => stage.relay.requests('open').length > asked + 2,
    );
    expect(stage.relay.requests('restore')).toEqual([]);
    const keys = (await Stolen.from(tomas, roomId)).core.keys.length;
    value(await owner.api.restoreRoom(roomId));
    await stage.goesOn(roomId, [owner, tomas], 'after the loss,');
    expect(owner.texts).toContain('before the loss');
    expect(tomas.texts).toContain('before the loss');
    expect((await Stolen.from(tomas, roomId)).core.keys.length).toBeGreaterThanOrEqual(keys);
    await nothing.stop();
  });
});

describe('W9: a wrong passphrase', () => {
  test('W9 is an error, opens nothing, and overwrites nothing', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.say(roomId, 'in the vault');
    await owner.has('in the vault');
    await tomas.leave();
    await tomas.start();
    expect(codeOf(await tomas.api.unlock('not the passphrase of it'))).toBe('WRONG_PASSPHRASE');
    expect(codeOf(await tomas.api.createVault('not the passphrase of it'))).toBe('VAULT_EXISTS');
    expect(
      codeOf(await tomas.api.createRoom({ name: 'x', displayName: 'x', rotateEvery: 1, approval: false })),
    ).toBe('VAULT_LOCKED');
    await tomas.leave();
    await tomas.comeBack(roomId);
    expect(tomas.texts).toContain('in the vault');
    await tomas.live();
    await tomas.say(roomId, 'and alive');
    await owner.has('and alive');
  });
});

describe('W10: what a reload finds', () => {
  test('W10 are the rotated keys and the used invites, also for messages in flight', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const unused = await owner.invite(roomId);
    // A line of the old epoch is on its way while the owner rotates.
    let held: Entry | null = null;
    stage.relay.onRequest('append', ({ memberId }) => (memberId === idOf(tomas) ? 'drop' : undefined));
    await tomas.say(roomId, 'sealed under the first key');
    await until('the line to be sent', () => stage.relay.requests('append', idOf(tomas)).length > 1);
    value(await owner.api.rotateNow(roomId));
    await owner.leave();
    await tomas.leave();
    stage.relay.honest();
    await owner.comeBack(roomId);
    await owner.live();
    await tomas.comeBack(roomId);
    await tomas.live();
    await owner.has('sealed under the first key');
    expect([owner, tomas].map(epochOf)).toEqual([2, 2]);
    expect(owner.room?.invites.map(({ inviteId }) => inviteId)).toEqual([unused.inviteId]);
    held = stage.relay.entriesTo(idOf(owner)).findLast(({ sender }) => sender === idOf(tomas)) ?? null;
    expect(held?.kind).toBe('message');
    const used = stage.relay.requests('joinRequest', idOf(tomas))[0]!.body;
    const replies = stage.relay.requests('joinReply').length;
    stage.relay.tell(idOf(owner), 'join', { ...used, joinerKey: generateKeyPair().publicKey, replied: 0 });
    await until('the used invite to be refused', () =>
      stage.relay.requests('joinDrop').some(({ body }) => body.inviteId === used.inviteId),
    );
    expect(stage.relay.requests('joinReply')).toHaveLength(replies);
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

describe('W13: names and the relay’s key', () => {
  test('W13 a room has the id that its own genesis hashes to, whatever the relay answers', async () => {
    const owner = await stage.member('Amina');
    stage.relay.onReply('create', (_, reply) => ({
      ...reply,
      roomId: 'AAAAAAAAAAAAAAAAAAAAAA' as typeof reply.roomId,
    }));
    const made = await owner.api.createRoom({
      name: 'x',
      displayName: 'x',
      rotateEvery: 100,
      approval: false,
    });
    expect(codeOf(made)).toBe('RELAY_LIED');
    expect(owner.app?.rooms).toEqual([]);
  });

  test('W13 another key of the relay stops the client, which says nothing to it', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { key } = stage.relay;
    stage.relay.key = generateKeyPair();
    const asked = stage.relay.requests('open').length;
    stage.relay.cut();
    await until('both to stop', () =>
      [owner, tomas].every((who) => who.room?.stopped?.code === 'RELAY_KEY_MISMATCH'),
    );
    await stage.alarm(tomas, 'ALARM_RELAY_KEY');
    expect(stage.relay.requests('open')).toHaveLength(asked);
    expect(failureOf(tomas)).toBeUndefined();
    stage.relay.key = key;
    for (const who of [owner, tomas]) {
      value(await who.api.resumeRoom(roomId));
      await who.live();
    }
  });

  test('W13 nothing of the relay travels outside the session, refusals included', async () => {
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100);
    stage.relay.onRequest('signal', () => ({ refuse: 'STALE_EPOCH' }));
    stage.relay.cut();
    const told = await until('a refusal', () =>
      stage.relay.seen.find(({ message }) => 'error' in message && message.error.code === 'STALE_EPOCH'),
    );
    expect(told.memberId).toBe(idOf(owner));
    const all = stage.relay.frames.map((frame) => Buffer.from(frame).toString('latin1')).join('\n');
    for (const word of ['STALE_EPOCH', 'hello', 'entries', roomId]) expect(all.includes(word)).toBe(false);
  });
});
