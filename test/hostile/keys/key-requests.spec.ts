/** Requests for the key and their answers, with a relay and members that lie about both (G2, G8, G11, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBody, type Body, type Bytes, type KeyGrantNews } from '@0fc/protocol';
import { asRoomKey, makeKeyGrant } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { containerBody } from '@0fc/crypto/verify';
import type { Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import type { Peer } from '../../integration/relay-peer.js';
import { keptFromOwner, restarted, rotated } from '../acts.js';
import { MovedClock } from '../members/clocked.js';
import { published } from '../members/published.js';
import { entryAt, type Stolen } from '../members/stolen.js';
import { epochOf, idOf, Stage, type Company } from '../stage.js';

/** How long an owner waits for a grant, in milliseconds, and a little more. */
const PATIENCE_MS = 61_000;
const NO_NEWS: KeyGrantNews = { profiles: [], roomName: null };

let stage: Stage;
const clock = new MovedClock();
beforeAll(async () => {
  stage = await Stage.open(clock.open);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const linesOf = (who: Member, event: string): readonly Record<string, unknown>[] =>
  who.items.flatMap((item) => (item.type === 'system' && item.event === event ? [item.params] : []));
const coldOnes = (who: Member): number => linesOf(who, 'rotatedCold').length;
const requestOf = (container: Bytes): Body<'needKey'> => decodeBody(containerBody(container), 'needKey').body;
const grantsOf = (who: Member): readonly Bytes[] =>
  stage.relay.requests('keyGrant', idOf(who)).map(({ body }) => body.grant);

/** A grant of a key that nobody has, by a member's own hand. */
async function grantsNonsense(peer: Peer, by: Stolen, to: Member, request: Bytes): Promise<void> {
  const { identity, roster } = by;
  const made = await makeKeyGrant({ hash: nodeHash, random: nodeRandom }, {
    identity, roster, epoch: 2, roomKey: asRoomKey(nodeRandom.bytes(32)), to: idOf(to), request,
    rotation: requestOf(request).rotation, news: NO_NEWS,
  }); // prettier-ignore
  await peer.request('keyGrant', { to: idOf(to), ...made });
}

/** An epoch whose key the owner’s own client does not get; `asked`: its newest request. */
async function keylessOwner(): Promise<Company & { readonly asked: () => Promise<Bytes> }> {
  const company = await stage.three();
  await keptFromOwner(stage, company);
  const asked = (): Promise<Bytes> =>
    until('its request', () => stage.relay.requests('needKey', idOf(company.owner)).at(-1)?.body.request);
  return { ...company, asked };
}

describe('a request for the key', () => {
  test('G8 G16 that was recorded gets no later key, from the relay or from anybody', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const recorded = await stolen.asksForKey();
    await rotated(owner, roomId, [owner, ines]);
    expect(await peer.refusal('needKey', { request: recorded })).toBe('STALE_EPOCH');
    stage.relay.tell(idOf(owner), 'keyNeeded', { from: idOf(tomas), request: recorded });
    await stage.goesOn(roomId, [owner, ines], 'past it,');
    expect(grantsOf(owner)).toEqual([]);
    peer.leave();
    await tomas.comeBack(roomId);
    await stage.goesOn(roomId, [owner, tomas, ines], 'with all,');
  });

  test('G16 gets three answers an epoch at most, whatever is restarted, and each is shown', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    for (let time = 1; time <= 5; time++) {
      await peer.request('needKey', { request: await stolen.asksForKey() });
      if (time <= 3) await until('an answer', () => peer.told('keyGranted').length === time);
      await restarted(roomId, owner);
    }
    await stage.goesOn(roomId, [owner, ines], 'past them,');
    expect(grantsOf(owner)).toHaveLength(3);
    expect(linesOf(owner, 'keyGiven')).toHaveLength(3);
    peer.leave();
  });

  test('G16 repeated by the relay gets the same bytes, after a restart too, and is shown once', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    let lost = 0;
    stage.relay.onRequest('keyGrant', () => {
      lost += 1;
      return { answer: {} };
    });
    await peer.request('needKey', { request: await stolen.asksForKey() });
    await until('an answer that is lost', () => lost === 1);
    await until('it to be shown', () => linesOf(owner, 'keyGiven').length === 1);
    await restarted(roomId, owner);
    await until('the answer again', () => lost === 2);
    await stage.goesOn(roomId, [owner], 'past it,');
    const [first, second] = grantsOf(owner);
    expect(second).toEqual(first);
    expect(linesOf(owner, 'keyGiven')).toHaveLength(1);
    peer.leave();
  });
});

describe('an owner without the key', () => {
  test('G2 G16 names whose grant failed, who is not asked again, and has the key from another', async () => {
    const { owner, tomas, ines, roomId, asked } = await keylessOwner();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    await ines.leave();
    await owner.comeBack(roomId);
    const first = await asked();
    expect(requestOf(first)).toMatchObject({ epoch: 2, failed: [] });
    await grantsNonsense(peer, stolen, owner, first);
    await stage.alarm(owner, 'ALARM_WRONG_KEY');
    const second = await until('another request', async () => {
      const request = await asked();
      return requestOf(request).failed.length > 0 && request;
    });
    expect(requestOf(second)).toMatchObject({ epoch: 2, failed: [idOf(tomas)] });
    expect(coldOnes(owner)).toBe(0);
    peer.leave();
    // His client, with nothing wrong about it, does not answer either.
    await tomas.comeBack(roomId);
    await stage.byItself('him to hear of it', [tomas], () =>
      stage.relay.events('keyNeeded', idOf(tomas)).some(({ body }) => body.request.join() === second.join()),
    );
    await tomas.say(roomId, 'not by me');
    await tomas.has('not by me');
    const his = grantsOf(tomas).length;
    await ines.comeBack(roomId);
    await stage.byItself('the key', [owner, ines], () => owner.room?.paused === null);
    expect(linesOf(owner, 'keyGranted')).toEqual([expect.objectContaining({ actor: 'Inès' })]);
    expect(grantsOf(tomas)).toHaveLength(his);
    await stage.goesOn(roomId, [owner, tomas, ines], 'with a key,');
    expect(epochOf(owner)).toBe(2);
  });

  test('G2 G16 begins anew without it once two have failed it, and names both', async () => {
    const { owner, tomas, ines, roomId, asked } = await keylessOwner();
    const hands = [await stage.byHand(tomas, roomId), await stage.byHand(ines, roomId)];
    await owner.comeBack(roomId);
    for (const [failed, { peer, stolen }] of hands.entries()) {
      const request = await until('the next request', async () => {
        const made = await asked();
        return requestOf(made).failed.length === failed && made;
      });
      await grantsNonsense(peer, stolen, owner, request);
    }
    await stage.byItself(
      'a key of its own',
      [owner],
      () => epochOf(owner) === 3 && owner.room?.paused === null,
    );
    expect(owner.alarms.filter((code) => code === 'ALARM_WRONG_KEY')).toHaveLength(2);
    for (const { peer } of hands) peer.leave();
    for (const who of [tomas, ines]) await who.comeBack(roomId);
    await stage.goesOn(roomId, [owner, tomas, ines], 'anew,');
    for (const who of [owner, tomas, ines]) expect(coldOnes(who)).toBe(1);
  });

  test('G11 G16 whose relay says that nobody answers begins anew without it, and everybody is shown so', async () => {
    const { owner, tomas, ines, roomId, asked } = await keylessOwner();
    const all = [owner, tomas, ines];
    stage.relay.onEvent('keyNeeded', () => null);
    await owner.comeBack(roomId);
    await asked();
    await tomas.say(roomId, 'meanwhile');
    await ines.has('meanwhile');
    expect(epochOf(owner)).toBe(2);
    clock.aheadMs += PATIENCE_MS;
    await stage.byItself('a key that all have', all, () =>
      all.every((who) => epochOf(who) === 3 && who.room?.paused === null),
    );
    for (const who of all) expect(coldOnes(who)).toBe(1);
    await stage.goesOn(roomId, all, 'anew,');
    await rotated(owner, roomId, all);
    for (const who of all) expect(coldOnes(who)).toBe(1);
  });
});

describe('a rotation without the key before', () => {
  test('G11 of a member’s making is refused by the relay, shown by everybody, and no key', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const { command } = await stolen.rotation(
      await published(stage.relay),
      { ...stolen.roster, owner: stolen.me },
      { cold: true },
    );
    expect(await peer.refusal('rotate', command)).toBe('FORBIDDEN');
    const { g, s } = stolen.core.position;
    for (const who of [owner, ines]) {
      const { clear, payload, wraps } = command;
      const entry = entryAt({ g, s: s + 1 }, 'rotation', idOf(owner), {
        clear,
        payload,
        wrap: wraps[idOf(who)]!,
      });
      stage.relay.tell(idOf(who), 'entries', { entries: [entry] });
      await stage.alarm(who, 'ALARM_FOREIGN_ROTATION');
      expect(epochOf(who)).toBe(1);
      expect(coldOnes(who)).toBe(0);
    }
    peer.leave();
  });
});
