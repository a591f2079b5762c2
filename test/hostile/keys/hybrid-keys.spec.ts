/** Hybrid keys and ciphertexts that are none (G6, G9, G16): a typed error each, shown, and the others go on. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ctx,
  decodeAs,
  decodeBody,
  encodeCbor,
  wrapBody,
  type Bytes,
  type CborValue,
  type MemberId,
} from '@0fc/protocol';
import { makeKeyGrant, signBody } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { containerBody } from '@0fc/crypto/verify';
import { openCell, sealCell } from '../../../libs/crypto/src/cell.js';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { flipped } from '../acts.js';
import { published } from '../members/published.js';
import type { Stolen } from '../members/stolen.js';
import { prekeyOf } from '../members/unchecked.js';
import { codeOf, epochOf, idOf, Stage } from '../stage.js';

const ZEROS = { ek: new Uint8Array(1_184), ct: new Uint8Array(1_088) };
const NO_NEWS = { profiles: [], roomName: null };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Who got no wrap in the last rotation, as a member's conversation shows it. */
const unwrappedAt = (who: Member): unknown =>
  who.items
    .flatMap((item) => (item.type === 'system' && item.event.startsWith('rotated') ? [item.params] : []))
    .at(-1);
/** A prekey that is signed for another `ek` than any that can be encrypted to. */
async function signedFor({ core, identity }: Stolen, ek: Bytes): Promise<{ prekey: Bytes; ek: Bytes }> {
  const { publicKey: key } = core.prekeys[0]!.pair;
  const fields = {
    roomId: core.roomId,
    memberId: core.me,
    k: 2 ** 20,
    key,
    ekHash: await nodeHash.sha256(ek),
  };
  return { prekey: signBody(identity, 'prekey', fields), ek };
}

describe('an encapsulation key that is none', () => {
  test('G9 is not published, whatever is wrong with it', async () => {
    const { tomas, roomId } = await stage.two();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const good = await prekeyOf(stolen, 2 ** 20);
    const codes: (string | null)[] = [];
    for (const ek of [
      new Uint8Array(),
      good.ek.slice(1),
      Uint8Array.of(...good.ek, 0),
      ZEROS.ek,
      flipped(good.ek),
    ])
      codes.push(await peer.refusal('prekey', { ...good, ek }));
    expect(codes).toEqual(['MALFORMED', 'MALFORMED', 'MALFORMED', 'BAD_KEY', 'BAD_KEY']);
    // A coefficient of 4,095, and nothing but zeros, under its holder's own signature.
    for (const ek of [Uint8Array.of(0xff, 0xff, ...good.ek.subarray(2)), ZEROS.ek])
      expect(await peer.refusal('prekey', await signedFor(stolen, ek))).toBe('BAD_KEY');
    await peer.request('prekey', good);
    peer.leave();
  });

  test('G9 G16 that the relay hands out all the same leaves its member without a wrap, shown, and the others go on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const all = [owner, tomas, ines];
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    peer.leave();
    await tomas.comeBack(roomId);
    const bad = [
      await signedFor(stolen, ZEROS.ek),
      await signedFor(stolen, Uint8Array.of(0xff, 0xff, ...nodeRandom.bytes(1_182))),
      { ...(await prekeyOf(stolen, 2 ** 20)), ek: ZEROS.ek },
    ];
    for (const [at, prekey] of bad.entries()) {
      stage.relay.onReply('prekeys', (_, { prekeys }) => ({
        prekeys: prekeys.map((one) => (one.memberId === idOf(tomas) ? { ...one, prekey } : one)),
      }));
      value(await owner.api.rotateNow(roomId));
      await stage.byItself('the next key', all, () =>
        all.every((who) => epochOf(who) === 2 + at && who.room?.paused === null),
      );
      for (const who of all)
        expect(unwrappedAt(who)).toMatchObject({
          member: 'Tomás',
          unwrapped: 1,
          mine: who === tomas ? 1 : 0,
        });
      stage.relay.honest();
      await stage.goesOn(roomId, all, `after ${String(at)},`);
    }
  });

  test('G9 G16 that the relay has lost is published again by its member, the same as before', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.leave();
    stage.relay.onReply('open', ({ memberId }, reply) =>
      memberId === idOf(tomas) && 'prekey' in reply ? { ...reply, prekey: null } : undefined,
    );
    const [first] = (await published(stage.relay)).filter(({ memberId }) => memberId === idOf(tomas));
    const before = stage.relay.requests('prekey', idOf(tomas)).length;
    await tomas.comeBack(roomId);
    const { body } = await until('it again', () => stage.relay.requests('prekey', idOf(tomas))[before]);
    expect(body.ek).toEqual(first?.ek);
    expect(containerBody(body.prekey)).toEqual(containerBody(first!.prekey));
    stage.relay.honest();
    await stage.goesOn(roomId, [owner, tomas], 'with it,');
  });

  test('G16 of another length in the relay’s answer holds a rotation up for as long as the relay lies', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let lies = 0;
    stage.relay.onReplyOfAnyShape('prekeys', () => {
      lies += 1;
      const prekey = { prekey: nodeRandom.bytes(200), ek: new Uint8Array(1_183) };
      return { prekeys: [{ memberId: idOf(tomas), prekey }] };
    });
    expect(codeOf(await owner.api.rotateNow(roomId))).toBe('RELAY_LIED');
    expect(lies).toBeGreaterThan(0);
    expect(epochOf(owner)).toBe(1);
    stage.relay.honest();
    await stage.byItself('the next key', [owner, tomas], () =>
      [owner, tomas].every((who) => epochOf(who) === 2 && who.room?.paused === null),
    );
    await stage.goesOn(roomId, [owner, tomas], 'after it,');
  });

  test('G16 in a request for the key is refused, and gets no answer where the relay passes it on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const { body } = decodeBody(containerBody(await stolen.asksForKey()), 'needKey');
    const requests = [ZEROS.ek, Uint8Array.of(0xff, 0xff, ...body.ek.subarray(2))].map((ek) =>
      signBody(stolen.identity, 'needKey', { ...body, ek }),
    );
    for (const request of requests) {
      expect(await peer.refusal('needKey', { request })).toBe('BAD_KEY');
      stage.relay.tell(idOf(owner), 'keyNeeded', { from: idOf(tomas), request });
    }
    await stage.goesOn(roomId, [owner, ines], 'past it,');
    expect(stage.relay.requests('keyGrant', idOf(owner))).toEqual([]);
    peer.leave();
  });
});

describe('a ciphertext that is none', () => {
  test('G6 G16 one bit of one wrap on its way: that member shows it and asks, and the others go on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const all = [owner, tomas, ines];
    stage.relay.onEntries(({ memberId }, entries) =>
      memberId === idOf(ines)
        ? entries.map((entry) => (entry.wrap === undefined ? entry : { ...entry, wrap: flipped(entry.wrap) }))
        : undefined,
    );
    value(await owner.api.rotateNow(roomId));
    await stage.alarm(ines, 'ALARM_NO_KEY');
    stage.relay.honest();
    await stage.byItself('the key', all, () =>
      all.every((who) => epochOf(who) === 2 && who.room?.paused === null),
    );
    for (const who of [owner, tomas]) expect(who.alarms).toEqual([]);
    await stage.goesOn(roomId, all, 'with the key,');
  });

  test('G9 G16 in a wrap that the owner itself sealed: that member shows it and asks, and the others go on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const spoil: readonly ((body: { k: number; ct: Bytes; sealed: Bytes }) => CborValue)[] = [
      (body) => ({ ...body, ct: ZEROS.ct }),
      (body) => ({ ...body, ct: body.ct.slice(1) }),
      (body) => ({ ...body, ct: flipped(body.ct) }),
      (body) => ({ ...body, sealed: flipped(body.sealed) }),
      ({ k, sealed }) => ({ k, sealed }),
    ];
    for (const [at, change] of spoil.entries()) {
      const { peer, stolen } = await stage.byHand(owner, roomId);
      const { command, newEpoch } = await stolen.rotation(await published(stage.relay));
      const id = idOf(ines);
      const context = ctx('wrap', roomId, newEpoch, id);
      const { key } = stolen.current;
      const body = decodeAs(wrapBody, openCell(key, command.wraps[id]!, context, { code: 'MALFORMED' }));
      const wrap = sealCell(key, encodeCbor(change(body)), context);
      await peer.request('rotate', { ...command, wraps: { ...command.wraps, [id]: wrap } });
      await until(
        'her to show it',
        () => ines.alarms.filter((code) => code === 'ALARM_NO_KEY').length === at + 1,
      );
      await until('him to have the key', () => epochOf(tomas) === newEpoch && tomas.room?.paused === null);
      peer.leave();
      await owner.comeBack(roomId);
      const all = [owner, tomas, ines];
      await stage.byItself('all to have the key', all, () => all.every((who) => who.room?.paused === null));
      await stage.goesOn(roomId, all, `after ${String(at)},`);
    }
    expect(tomas.alarms).toEqual([]);
  });

  test('G2 G16 in a grant that its granter signed is shown with the granter, who grants the key itself once its client is back', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    stage.relay.onEntries(({ memberId }, entries) =>
      memberId === idOf(ines) ? entries.map(({ wrap: _, ...entry }) => entry) : undefined,
    );
    stage.relay.onEvent('keyNeeded', () => null);
    value(await owner.api.rotateNow(roomId));
    await stage.alarm(ines, 'ALARM_NO_KEY');
    const { body } = await until('the request', () => stage.relay.requests('needKey', idOf(ines))[0]);
    await until('the others to have the key', () => epochOf(owner) === 2 && epochOf(tomas) === 2);
    const { peer, stolen } = await stage.byHand(owner, roomId);
    peer.leave();
    const { rotation } = decodeBody(containerBody(body.request), 'needKey').body;
    const { identity, roster } = stolen;
    const to: MemberId = idOf(ines);
    const made = await makeKeyGrant(
      { hash: nodeHash, random: nodeRandom },
      {
        identity,
        roster,
        epoch: 2,
        roomKey: stolen.current.key,
        to,
        request: body.request,
        rotation,
        news: NO_NEWS,
      },
    );
    const granted = decodeBody(containerBody(made.grant), 'keyGrant').body;
    const grant = signBody(identity, 'keyGrant', { ...granted, ct: ZEROS.ct });
    // Of the relay's making, under no signature: nobody is blamed for it.
    stage.relay.tell(to, 'keyGranted', { from: idOf(owner), grant: flipped(made.grant), news: made.news });
    stage.relay.tell(to, 'keyGranted', { from: idOf(owner), grant, news: made.news });
    await stage.alarm(ines, 'ALARM_WRONG_KEY');
    expect(ines.alarms.filter((code) => code === 'ALARM_WRONG_KEY')).toHaveLength(1);
    expect(ines.room?.paused).toBe('key');
    stage.relay.honest();
    await owner.comeBack(roomId);
    const all = [owner, tomas, ines];
    await stage.byItself('the next key', all, () =>
      all.every((who) => epochOf(who) === 2 && who.room?.paused === null),
    );
    await stage.goesOn(roomId, all, 'with it,');
  });
});
