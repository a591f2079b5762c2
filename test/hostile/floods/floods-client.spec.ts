/** Floods that a client would answer, store or read without end: limited per member, counted, bounded (G6, G16, W11). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { toBase64Url } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { nodeRandom } from '@0fc/crypto/node';
import { type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { vaultSize } from '../../support/vault-size.js';
import { Stolen } from '../members/stolen.js';
import { sealSignalOf } from '../members/unchecked.js';
import { idOf, Stage, troubleOf } from '../stage.js';

const FLOOD = 40;
/** Records that a flood of one kind may leave behind: a few that stand alone, and what counts the rest. */
const KEPT = 16;
/** Pages that a client may ask for, of a log that has no end, while others say ten lines. */
const ASKED = 20;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const linesOf = (who: Member, event: string): number =>
  who.items.filter((item) => item.type === 'system' && item.event === event).length;

describe('a member that floods', () => {
  test('G16 W11 with requests for a key that nothing is wrong with gets few answers, and few lines tell of it', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    for (let time = 0; time < FLOOD; time++) {
      await peer.request('needKey', { request: await stolen.asksForKey() });
    }
    await stage.goesOn(roomId, [owner, ines], 'beside it,');
    await stage.goesOn(roomId, [owner, ines], 'and after it,');
    expect(stage.relay.requests('keyGrant', idOf(owner)).length).toBeLessThanOrEqual(3);
    expect(linesOf(owner, 'keyGiven')).toBeLessThanOrEqual(3);
    peer.leave();
  });

  test('G16 W11 with presence whose counter leaps is not answered by everybody each time', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const { core, roster } = stolen;
    const seen = { position: core.position, t: core.t.slice(0, 32) };
    const answers = (who: Member): number => stage.relay.requests('signal', idOf(who)).length;
    const before = [owner, ines].map(answers);
    for (let time = 1; time <= FLOOD; time++) {
      const content = { type: 'presence', seen, head: roster.head };
      const payload = sealSignalOf(stolen, { counter: Date.now() + time * 1_000_000, content });
      await peer.request('signal', { epoch: core.epoch, payload });
      await stage.goesOn(roomId, [owner, ines], `beside the ${String(time)}th,`);
    }
    const after = [owner, ines].map(answers);
    // The first is one that nobody knew; and each tells by itself, now and then, that it is here.
    for (const [at, count] of after.entries()) expect(count - (before[at] ?? 0)).toBeLessThanOrEqual(6);
    peer.leave();
  });
});

describe('a relay that floods', () => {
  test('G6 with generations that lose nothing leaves few records behind', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    const { position } = (await Stolen.from(tomas, roomId)).core;
    const before = vaultSize(tomas);
    for (let n = 0; n < 5 * FLOOD; n++)
      stage.relay.tell(idOf(tomas), 'generation', {
        generation: 1_000 + n,
        from: { g: n === 0 ? position.g : 999 + n, s: position.s },
      });
    await stage.goesOn(roomId, [owner], 'beside it,');
    await stage.goesOn(roomId, [owner], 'and after it,');
    await tomas.leave();
    expect(vaultSize(tomas).records - before.records).toBeLessThanOrEqual(KEPT);
    await tomas.comeBack(roomId);
    expect(tomas.room?.stage).toBe('member');
  });

  test('G6 G16 with pages that bring nothing and have no end is asked no more than now and then, and is found out', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    const before = vaultSize(tomas);
    const asked = stage.relay.requests('open', idOf(tomas)).length;
    stage.relay.onReply('open', (client, reply) =>
      client.memberId === idOf(tomas) ? { ...reply, entries: [], live: false } : undefined,
    );
    stage.relay.cut(idOf(tomas));
    for (let line = 1; line <= 10; line++) await stage.goesOn(roomId, [owner], `line ${String(line)},`);
    expect(stage.relay.requests('open', idOf(tomas)).length - asked).toBeLessThanOrEqual(ASKED);
    await stage.byItself('the lie to be named', [tomas], () => troubleOf(tomas) === 'RELAY_LIED');
    stage.relay.honest();
    expect(vaultSize(tomas).records - before.records).toBeLessThanOrEqual(KEPT);
    await stage.goesOn(roomId, [owner, tomas], 'once it is honest,');
    expect(tomas.texts).toEqual(owner.texts);
  });

  test('G6 G16 with ranges that it says it has trimmed, one after the other, is told as one, and paging ends', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    const before = vaultSize(tomas);
    const asked = stage.relay.requests('open', idOf(tomas)).length;
    stage.relay.onReply('open', (client, reply, { after }) => {
      if (client.memberId !== idOf(tomas)) return undefined;
      const edge = { g: after?.g ?? 1, s: (after?.s ?? 0) + 1 };
      return {
        ...reply,
        generations: [],
        trimmed: edge,
        trimmedT: nodeRandom.bytes(64),
        tip: { g: edge.g, s: edge.s + 1 },
        entries: [],
        live: false,
      };
    });
    stage.relay.cut(idOf(tomas));
    for (let line = 1; line <= 10; line++) await stage.goesOn(roomId, [owner], `line ${String(line)},`);
    expect(stage.relay.requests('open', idOf(tomas)).length - asked).toBeLessThanOrEqual(ASKED);
    await tomas.leave();
    expect(vaultSize(tomas).records - before.records).toBeLessThanOrEqual(KEPT);
  });

  test('G2 G6 with claims that prove nothing, of invites made up and of one that is live, leaves few lines behind', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { inviteId } = await owner.invite(roomId);
    const before = vaultSize(owner);
    const told = (id: string): void =>
      stage.relay.tell(idOf(owner), 'join', {
        inviteId: id as never,
        joinerKey: generateKeyPair().publicKey,
        request: nodeRandom.bytes(600),
        replied: 0,
      });
    const drops = (): number => stage.relay.requests('joinDrop', idOf(owner)).length;
    for (let time = 1; time <= FLOOD; time++) {
      const known = drops();
      told(toBase64Url(nodeRandom.bytes(16)));
      told(inviteId);
      await stage.byItself(`claim ${String(time)} to be refused`, [owner], () => drops() > known);
    }
    await stage.byItself('the end of the invite', [owner], () => linesOf(owner, 'inviteBurnt') > 0);
    expect(vaultSize(owner).records - before.records).toBeLessThanOrEqual(1);
    expect(linesOf(owner, 'inviteRefused') + linesOf(owner, 'inviteBurnt')).toBe(1);
    const dora = await stage.joined(owner, roomId, 'Dora');
    await stage.goesOn(roomId, [owner, tomas, dora], 'after it all,');
  });
});
