/** An owner who hands over falsely, or keys that are no new ones, and who leaves while others are away (section 4, 7). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { signBody } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { applyRoster } from '@0fc/crypto/verify';
import type { Bytes, ReplyBody } from '@0fc/protocol';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { flipped } from '../acts.js';
import { published } from '../members/published.js';
import { Stolen } from '../members/stolen.js';
import { codeOf, epochOf, idOf, Stage, stageOf, type Company } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** What happened in the room, as a member reads it. */
const eventsAt = (who: Member): readonly string[] =>
  who.items.flatMap((item) => (item.type === 'system' ? [item.event] : []));

const offered = (who: Member): Promise<true> =>
  until(`${who.name} to be offered the room`, () => who.room?.ownershipTransfer?.role === 'offered');

async function handedOver(from: Member, to: Member, roomId: string): Promise<void> {
  const epoch = epochOf(to);
  value(await from.api.offerOwnership(roomId, idOf(to)));
  await offered(to);
  value(await to.api.acceptOwnership(roomId));
  await until('the room to be theirs', () => to.room?.owner === true && epochOf(to) > epoch);
}

describe('an offer', () => {
  test('that was declined does not come back: not at the next start, and not after another one was declined', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { stolen, peer } = await stage.byHand(owner, roomId);
    const offerOf = (): Bytes =>
      signBody(stolen.identity, 'transferOffer', {
        roomId: stolen.core.roomId, head: stolen.roster.head, old: stolen.me, new: idOf(tomas), nonce: nodeRandom.bytes(16),
      }); // prettier-ignore
    const offers = [offerOf(), offerOf(), offerOf()];
    for (const offer of offers) {
      await peer.request('transferOffer', { to: idOf(tomas), offer });
      await offered(tomas);
      value(await tomas.api.endOwnershipOffer(roomId));
      await until('it to be declined', () => tomas.room?.ownershipTransfer === null);
    }
    const declined = eventsAt(tomas).filter((event) => event === 'offerWithdrawn').length;
    for (const [again, offer] of offers.entries()) {
      await peer.request('transferOffer', { to: idOf(tomas), offer });
      await tomas.leave();
      await tomas.comeBack(roomId);
      await tomas.live();
      await tomas.say(roomId, `still here ${String(again)}`);
      await tomas.has(`still here ${String(again)}`);
      expect(tomas.room?.ownershipTransfer).toBeNull();
      expect(codeOf(await tomas.api.acceptOwnership(roomId))).toBe('NO_OFFER');
    }
    expect(declined).toBe(3);
  });

  test('that was accepted cannot be declined: whoever holds the acceptance may use it, and it is shown', async () => {
    const { owner, tomas, roomId } = await stage.two();
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await offered(tomas);
    // The owner's client is kept from using it.
    stage.relay.onEvent('transferAccepted', () => []);
    value(await tomas.api.acceptOwnership(roomId));
    await until('it to be on its way', () => stage.relay.requests('transferAcceptance').length === 1);
    expect(codeOf(await tomas.api.endOwnershipOffer(roomId))).toBe('NO_OFFER');
    expect(tomas.room?.ownershipTransfer).toMatchObject({ role: 'offered', accepted: true });
    expect(eventsAt(tomas)).not.toContain('offerWithdrawn');
  });
});

describe('a relay', () => {
  test('that withholds hand-overs and passes a later offer on: it is shown once they have been read', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const me = idOf(ines);
    stage.relay.onEntries((client) => (client.memberId === me ? [] : undefined));
    await handedOver(owner, tomas, roomId);
    await handedOver(tomas, owner, roomId);
    value(await owner.api.offerOwnership(roomId, me));
    await until('it to be passed on', () => stage.relay.events('transferOffered', me).length > 0);
    // An answer that comes behind it, and a write behind that.
    await ines.api.relaySees(roomId, 1);
    expect(codeOf(await ines.api.acceptOwnership(roomId))).toBe('NO_OFFER');
    expect([ines.room?.ownershipTransfer, epochOf(ines)]).toEqual([null, 1]);
    stage.relay.honest();
    stage.relay.cut(me);
    await offered(ines);
    // An acceptance ends with its epoch.
    await until('Inès to have read the rotations', () => epochOf(ines) === epochOf(owner));
    value(await ines.api.acceptOwnership(roomId));
    await stage.byItself('the room to be hers', [ines], () => ines.room?.owner === true);
    await stage.goesOn(roomId, [owner, tomas, ines], 'handed over thrice,');
  });

  test('that serves the chain of hand-overs and not their log keeps nobody out once it is honest', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const me = idOf(ines);
    stage.relay.onEntries((client) => (client.memberId === me ? [] : undefined));
    await handedOver(owner, tomas, roomId);
    await handedOver(tomas, owner, roomId);
    stage.relay.cut(me);
    await stage.byItself(
      'Inès to read the chain',
      [ines],
      () => stage.relay.requests('chain', me).length > 0,
    );
    await until('Inès to be live', () => ines.room?.connection === 'connected' && !ines.room.catchingUp);
    expect(epochOf(ines)).toBe(1);
    stage.relay.honest();
    stage.relay.cut(me);
    await stage.goesOn(roomId, [owner, tomas, ines], 'with the log,');
    await until('Inès to have the key of today', () => epochOf(ines) === epochOf(owner));
  });

  test('that brings an acceptance in a later epoch: nothing is handed over, and who gave it may leave', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await offered(tomas);
    stage.relay.onEvent('transferAccepted', () => []);
    value(await tomas.api.acceptOwnership(roomId));
    const [{ body }] = await until('it to be given', () => {
      const [given, ...others] = stage.relay.requests('transferAcceptance');
      return given === undefined ? undefined : ([given, ...others] as const);
    });
    value(await owner.api.rotateNow(roomId));
    await until('it to end', () => tomas.room?.ownershipTransfer?.accepted === false);
    stage.relay.honest();
    stage.relay.tell(idOf(owner), 'transferAccepted', { from: idOf(tomas), acceptance: body.acceptance });
    await owner.api.relaySees(roomId, 1);
    value(await owner.api.rotateNow(roomId));
    value(await tomas.api.leaveRoom(roomId));
    await until('him to be gone', () => stageOf(tomas, roomId) === 'left');
    await until('the others to know', () => [owner, ines].every(({ room }) => room?.members.length === 2));
    expect(eventsAt(ines)).not.toContain('transferred');
    await stage.goesOn(roomId, [owner, ines], 'without him,');
  });
});

describe('a rotation', () => {
  test.each([
    ['the key of the epoch that it ends', 0],
    ['the key of the epoch before', 1],
  ] as const)('to %s: shown to everybody in its place, and the room goes on', async (_, before) => {
    const { owner, tomas, ines, roomId } = await stage.three();
    value(await owner.api.rotateNow(roomId));
    await stage.level([owner, tomas, ines]);
    const { stolen, peer } = await stage.byHand(owner, roomId);
    const { epoch } = stolen.core;
    const { command } = await stolen.rotation(await published(stage.relay), stolen.roster, {
      key: stolen.key(epoch - before).key,
    });
    await peer.request('rotate', command);
    await owner.comeBack(roomId);
    for (const who of [owner, tomas, ines]) {
      await stage.alarm(who, 'ALARM_KEY_REUSED');
      expect(who.items.find((item) => item.type === 'alarm')).toMatchObject({
        params: { epoch: epoch + 1, of: epoch - before },
      });
    }
    await stage.goesOn(roomId, [owner, tomas, ines], 'under the same key,');
    value(await owner.api.rotateNow(roomId));
    await stage.goesOn(roomId, [owner, tomas, ines], 'under a fresh one,');
    expect([owner, tomas, ines].map(({ alarms }) => alarms.length)).toEqual([1, 1, 1]);
  });
});

/** The room goes from its owner to Tomás while Inès is away; then he ends it for her. */
async function endedWhileAway(how: 'removed' | 'closed'): Promise<Company> {
  const company = await stage.three();
  const { owner, tomas, ines, roomId } = company;
  await ines.leave();
  await handedOver(owner, tomas, roomId);
  if (how === 'closed') value(await tomas.api.closeRoom(roomId));
  else value(await tomas.api.removeMember(roomId, idOf(ines)));
  await until('it to be done', () =>
    how === 'closed' ? stageOf(tomas, roomId) === 'closed' : tomas.room?.members.length === 2,
  );
  return company;
}

describe('a room that was handed over while a member was away', () => {
  test.each(['removed', 'closed'] as const)(
    'and that its new owner then ended for that member (%s): it reads so, by whom, and suspects nobody',
    async (how) => {
      const { ines, roomId } = await endedWhileAway(how);
      await ines.comeBack(roomId);
      await stage.byItself('the end to be read', [ines], () => stageOf(ines, roomId) === how);
      expect(ines.alarms).toEqual([]);
      expect(eventsAt(ines).slice(-2)).toEqual(['transferred', how]);
      const last = ines.items.at(-1);
      expect(last?.type === 'system' && last.params.actor).toBe('Tomás');
      const owners = ines.room?.members.flatMap(({ owner, name }) => (owner ? [name] : []));
      expect(owners).toEqual(['Tomás']);
    },
  );

  test('whose removed member is served the chain up to its own removal, and nothing later', async () => {
    const { ines, tomas, roomId } = await endedWhileAway('removed');
    await stage.joined(tomas, roomId, 'Noor');
    const pages: ReplyBody<'chain'>[] = [];
    stage.relay.onReply('chain', ({ memberId }, reply) => {
      if (memberId === idOf(ines)) pages.push(reply);
      return undefined;
    });
    await ines.comeBack(roomId);
    await until('the end to be read', () => stageOf(ines, roomId) === 'removed');
    // Transfer and removal: what came after is not served.
    expect(pages.map(({ entries, more }) => [entries.length, more])).toEqual([[2, false]]);
  });

  const lies: readonly (readonly [string, (chain: readonly Bytes[], thief: Stolen) => Promise<readonly Bytes[]>])[] = [
    ['no chain at all', () => Promise.resolve([])],
    ['a chain with a hole', (chain) => Promise.resolve(chain.slice(1))],
    ['an altered chain', (chain) => Promise.resolve(chain.map(flipped))],
    ['a chain that ends too early', (chain) => Promise.resolve(chain.slice(0, 1))],
    ['a hand-over that no owner signed', async (chain, thief) => {
      const fields = { roomId: thief.core.roomId, epoch: thief.core.epoch, old: thief.roster.owner, new: thief.me, nonce: nodeRandom.bytes(16) };
      const acceptance = signBody(thief.identity, 'transferAcceptance', fields);
      const transfer = thief.entry('transfer', { to: thief.me, acceptance });
      await expect(applyRoster(nodeHash, thief.roster, transfer)).rejects.toThrow();
      return [transfer, ...chain.slice(1)];
    }],
    ['its entries in another order', (chain) => Promise.resolve([...chain].reverse())],
  ]; // prettier-ignore
  test.each(lies)('and of which the relay serves %s: no departure is believed', async (_, lie) => {
    const { ines, tomas, roomId } = await endedWhileAway('removed');
    const thief = await Stolen.from(tomas, roomId);
    const chain = await lie(thief.chain.slice(-2), thief);
    stage.relay.onReply('chain', () => ({ entries: [...chain], more: false }));
    await ines.comeBack(roomId);
    await stage.alarm(ines, 'ALARM_ROOM_GONE');
    expect([stageOf(ines, roomId), ines.room?.members.length]).toEqual(['member', 3]);
    expect(eventsAt(ines)).not.toContain('transferred');
    // Served the true one, it reads the end.
    stage.relay.honest();
    stage.relay.cut(idOf(ines));
    await until('the end to be read', () => stageOf(ines, roomId) === 'removed');
  });

  test('and of which the relay says that a member has gone who has not: entries beyond are no proof', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await ines.leave();
    await handedOver(owner, tomas, roomId);
    const thief = await Stolen.from(tomas, roomId);
    // By the new owner's own hand, on a head that the chain does not have.
    const astray = signBody(thief.identity, 'remove', {
      roomId: thief.core.roomId, epoch: thief.core.epoch, head: nodeRandom.bytes(32), owner: thief.me, member: idOf(ines),
      reason: 'removed',
    }); // prettier-ignore
    stage.relay.onReply('open', ({ memberId }, reply) =>
      memberId === idOf(ines) ? { ...reply, role: 'departed' as const, entries: [], live: false } : undefined,
    );
    stage.relay.onReply('chain', () => ({ entries: [...thief.chain.slice(-1), astray], more: false }));
    await ines.comeBack(roomId);
    await stage.alarm(ines, 'ALARM_ROOM_GONE');
    expect(stageOf(ines, roomId)).toBe('member');
    stage.relay.honest();
    stage.relay.cut(idOf(ines));
    await stage.goesOn(roomId, [owner, tomas, ines], 'all here,');
  });
});
