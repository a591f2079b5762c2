/** What a relay says of a join: it makes nobody a member, ends no join, and brings back no revoked invite (G2, G11, G14). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { JoinState } from '@0fc/protocol';
import { FailingDisk } from '../../support/failing-storage.js';
import { value, type Member } from '../../support/member.js';
import { hurried, openHurried, openOver } from '../../support/platform.js';
import { rotated } from '../acts.js';
import { moveClock } from '../members/clocked.js';
import { joinOf } from '../members/stolen.js';
import { codeOf, failureOf, idOf, namesIn, Stage, stageOf, type Company } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Whoever has sent this relay a joinRequest last. */
const joinerId = (): string => stage.relay.requests('joinRequest').at(-1)?.memberId ?? '';

/** A member under the key that it asked with, by its own doing alone. */
async function comesIn(guest: Member, owner: Member, roomId: string): Promise<void> {
  const asked = joinerId();
  await stage.byItself('the joiner to be a member', [owner], () => stageOf(guest, roomId) === 'member');
  await guest.watch(roomId);
  await stage.goesOn(roomId, [owner, guest], 'after the join,');
  await stage.byItself('its name', [owner], () => namesIn(owner).includes(guest.name));
  expect(idOf(guest)).toBe(asked);
  // Nobody is on the roster that is no one.
  expect(owner.room?.members.every(({ name }) => name !== '')).toBe(true);
}

/** A join of Dora’s, answered and confirmed; the owner does not hear of the confirmation. */
async function confirmed(owner: Member, roomId: string): Promise<{ dora: Member; id: string; link: string }> {
  stage.relay.onEvent('join', (_, { confirm }) => (confirm === undefined ? undefined : null));
  const { link } = await owner.invite(roomId);
  const dora = await stage.member('Dora');
  const before = stage.relay.requests('joinConfirm').length;
  value(await dora.api.join(link, 'Dora'));
  const sent = (): { memberId: string } | undefined => stage.relay.requests('joinConfirm')[before];
  await stage.byItself('the confirmation', [owner], () => sent() !== undefined);
  return { dora, id: sent()?.memberId ?? '', link };
}

/** Tells a joiner something three times over, with time to take it in. */
async function told(
  id: string,
  state: JoinState,
  { owner, tomas, roomId }: Omit<Company, 'ines'>,
): Promise<void> {
  for (let time = 1; time <= 3; time++) {
    const there = [...stage.relay.clients].some(({ live, memberId }) => live && memberId === id);
    if (there) stage.relay.tell(id, 'joinState', state);
    await stage.goesOn(roomId, [owner, tomas], `told ${String(time)},`);
  }
}

describe('“admitted”', () => {
  test.each([['at any time'], ['in reply to its claim']] as const)(
    'G2 G14 said by the relay alone, %s, admits nobody and deletes nothing: the join goes on to its end',
    async (when) => {
      const company = await stage.two();
      const { owner, roomId } = company;
      const { dora, id } = await confirmed(owner, roomId);
      if (when === 'at any time') await told(id, { stage: 'admitted' }, company);
      else {
        let lies = 0;
        stage.relay.onReply('claim', (_, reply) => {
          lies += 1;
          return { ...reply, stage: 'admitted' as const };
        });
        stage.relay.cut(id);
        await stage.byItself('the lie', [owner], () => lies > 0);
        await told(id, { stage: 'admitted' }, company);
      }
      expect(stageOf(dora, roomId)).not.toBe('member');
      await dora.leave();
      const record = await joinOf(dora, roomId);
      expect(record?.token).toHaveLength(32);
      expect(record?.joinKey).toHaveLength(32);
      stage.relay.honest();
      await dora.comeBack();
      expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
      stage.relay.cut(idOf(owner));
      await comesIn(dora, owner, roomId);
      expect(await joinOf(dora, roomId)).toBeNull();
    },
  );

  test('G2 G14 said by the relay before anybody has answered ends no join', async () => {
    const { owner, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    let lies = 0;
    stage.relay.onReply('claim', (_, reply) => {
      lies += 1;
      return lies === 1 ? { ...reply, stage: 'admitted' as const } : undefined;
    });
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await stage.byItself('the joiner to be a member', [owner], () => stageOf(dora, roomId) === 'member');
    await comesIn(dora, owner, roomId);
  });
});

describe('a refusal', () => {
  // What an honest relay answers too, where the owner has admitted the joiner in the meantime.
  test.each(['INVITE_UNKNOWN', 'FORBIDDEN'] as const)(
    'G2 G14 of a confirmation that comes again, %s, is no failure of the join: it asks where it stands',
    async (code) => {
      const { owner, roomId } = await stage.two();
      const { link } = await owner.invite(roomId);
      const dora = await stage.member('Dora');
      const failures: unknown[] = [];
      dora.alsoTold = () => {
        const failure = failureOf(dora);
        if (failure !== undefined) failures.push(failure);
      };
      let confirms = 0;
      stage.relay.onEvent('joinState', (_, state) =>
        state.stage === 'replied' ? [state, state] : undefined,
      );
      stage.relay.onRequest('joinConfirm', () => {
        confirms += 1;
        return confirms === 2 ? { refuse: code } : undefined;
      });
      value(await dora.api.join(link, 'Dora'));
      await stage.byItself('the confirmation to come again', [owner], () => confirms >= 2);
      await comesIn(dora, owner, roomId);
      expect(confirms).toBeGreaterThanOrEqual(2);
      expect(failures).toEqual([]);
    },
  );

  test.each([
    ['joinConfirm', 'BAD_ENTRY'],
    ['joinConfirm', 'MALFORMED'],
    ['joinRequest', 'INVITE_EXPIRED'],
    ['chain', 'FORBIDDEN'],
  ] as const)(
    'G2 G11 in reply to %s, %s, after it was carried out, ends no join: the joiner comes in by itself, under the same key',
    async (kind, code) => {
      const { owner, roomId } = await stage.two();
      const { link } = await owner.invite(roomId);
      const dora = await stage.member('Dora');
      let lies = 0;
      stage.relay.onReply(kind, (client) => {
        // The members’ own are answered as ever.
        if (client.memberId === idOf(owner) || lies > 0) return undefined;
        lies += 1;
        return { code };
      });
      value(await dora.api.join(link, 'Dora'));
      await stage.byItself('the lie to be told', [owner], () => lies > 0);
      await comesIn(dora, owner, roomId);
    },
  );

  test.each(['INVITE_TAKEN', 'INVITE_USED', 'ROOM_UNKNOWN'] as const)(
    'G2 G14 in reply to claim, %s, of an invite that is the joiner’s own, keeps its key: the same link goes on with it',
    async (code) => {
      const { owner, roomId } = await stage.two();
      const { dora, id, link } = await confirmed(owner, roomId);
      let lies = 0;
      stage.relay.onReply('claim', () => {
        lies += 1;
        return { code };
      });
      stage.relay.cut(id);
      await stage.byItself(
        'the lie to be noticed',
        [owner],
        () => lies > 1 || (lies > 0 && failureOf(dora) === code),
      );
      stage.relay.honest();
      stage.relay.cut(idOf(owner));
      // What is left to do for a join that does not go on: the same link once more.
      expect(['done', 'ALREADY_MEMBER']).toContain(codeOf(await dora.api.join(link, 'Dora')));
      await comesIn(dora, owner, roomId);
    },
  );

  test('G2 G14 “dropped”, of a join that was not, keeps the key: the same link goes on with it', async () => {
    const company = await stage.two();
    const { owner, roomId } = company;
    const { dora, id, link } = await confirmed(owner, roomId);
    await told(id, { stage: 'dropped' }, company);
    // What is left to do for a join that does not go on: the same link once more.
    value(await dora.api.join(link, 'Dora'));
    stage.relay.honest();
    stage.relay.cut(idOf(owner));
    await comesIn(dora, owner, roomId);
  });
});

describe('a reply of an epoch that has ended since, confirmed, and a newer one beside the admission', () => {
  /** Dora’s, of which she has been told nothing yet. */
  async function admittedLater(): Promise<
    Omit<Company, 'ines'> & { readonly dora: Member; readonly id: string }
  > {
    const { owner, tomas, roomId } = await stage.two();
    const { dora, id } = await confirmed(owner, roomId);
    await rotated(owner, roomId, [owner, tomas]);
    stage.relay.honest();
    stage.relay.onEvent('joinState', () => null);
    stage.relay.cut(idOf(owner));
    await stage.byItself('her admission', [owner], () => owner.room?.members.length === 3);
    return { owner, tomas, roomId, dora, id };
  }

  test('G2 G14 ALREADY_MEMBER in reply to one claim is no more than the word of one session: the joiner comes in by itself', async () => {
    const { owner, roomId, dora, id } = await admittedLater();
    let lies = 0;
    stage.relay.onReply('claim', () => {
      lies += 1;
      return lies === 1 ? { code: 'ALREADY_MEMBER' } : undefined;
    });
    stage.relay.cut(id);
    await stage.byItself('the lie', [owner], () => lies > 0);
    await comesIn(dora, owner, roomId);
  });
});

describe('a confirmed reply', () => {
  test('G2 G14 brings its joiner in, whatever the relay makes of it afterwards', async () => {
    const { owner, roomId } = await stage.two();
    const { dora, id } = await confirmed(owner, roomId);
    stage.relay.honest();
    stage.relay.onEvent('joinState', () => null);
    stage.relay.onReply('claim', (_, state) => {
      const { reply } = state;
      if (reply === undefined) return undefined;
      return {
        ...state,
        reply: { ...reply, payload: reply.payload.map((byte, at) => (at === 50 ? byte ^ 1 : byte)) },
      };
    });
    stage.relay.cut(idOf(owner));
    await stage.byItself('her admission', [owner], () => owner.room?.members.length === 3);
    stage.relay.cut(id);
    await comesIn(dora, owner, roomId);
  });
});

describe('a join that goes on after the invite’s time', () => {
  test.each([['asked in time'], ['confirmed in time, which the relay does not tell it']] as const)(
    'G2 G14 %s: its keys stay, and it goes on by itself until its admission is in the chain',
    async (how) => {
      const owner = await stage.member('Amina');
      const roomId = await owner.createRoom('Rive droite', 100, how === 'asked in time');
      const { link, expires } = await owner.invite(roomId);
      const dora = await stage.member('Dora');
      if (how === 'asked in time') {
        value(await dora.api.join(link, 'Dora'));
        await stage.byItself('the question', [owner], () => owner.room?.approvals[0]);
      } else {
        stage.relay.onEvent('join', (_, { confirm }) => (confirm === undefined ? undefined : null));
        stage.relay.onReply('joinConfirm', () => ({ code: 'INTERNAL' }));
        stage.relay.onEvent('joinState', (_, state) => (state.stage === 'confirmed' ? null : undefined));
        value(await dora.api.join(link, 'Dora'));
        await stage.byItself(
          'the confirmation',
          [owner],
          () => stage.relay.requests('joinConfirm').length > 0,
        );
      }
      await dora.leave();
      expect((await joinOf(dora, roomId))?.token).toHaveLength(32);
      moveClock(dora, expires - Date.now() + 3_600_000);
      stage.relay.honest();
      if (how === 'asked in time')
        value(await owner.api.decideJoin(roomId, owner.room!.approvals[0]!.inviteId, true));
      await dora.comeBack();
      stage.relay.cut(idOf(owner));
      await stage.byItself('the joiner to be a member', [owner], () => stageOf(dora, roomId) === 'member');
      expect(await joinOf(dora, roomId)).toBeNull();
    },
  );
});

describe('a revoked invite', () => {
  test('G2 is not answered afterwards, however slow the owner’s disk was, and whatever the relay carried out', async () => {
    const disk = new FailingDisk();
    const { owner, tomas, roomId } = await stage.two();
    await owner.leave();
    owner.open = openOver((platform) => hurried(5)(disk.over(platform)));
    await owner.comeBack(roomId);
    await owner.live();
    const { link, inviteId } = await owner.invite(roomId);
    // The relay says that it has revoked, and has not.
    stage.relay.onRequest('revoke', () => ({ answer: {} }));
    const replies = stage.relay.requests('joinReply').length;
    const dora = await stage.member('Dora');
    try {
      disk.hold();
      value(await dora.api.join(link, 'Dora'));
      // The request is being stored; behind it wait a line of the owner's and the revocation.
      await stage.byItself('the request to be written', [owner], () => disk.waiting === 1);
      const line = owner.api.sendText(roomId, 'meanwhile');
      const revoked = owner.api.revokeInvite(roomId, inviteId);
      disk.passOne();
      await stage.byItself('the line to be written', [owner], () => disk.waiting === 1);
      disk.pass();
      expect(await line).toMatchObject({ ok: true });
      expect(await revoked).toEqual({ ok: true, value: undefined });
    } finally {
      disk.pass();
    }
    await stage.goesOn(roomId, [owner, tomas], 'after it,');
    expect(stage.relay.requests('joinReply').length).toBe(replies);
    stage.relay.cut(idOf(owner));
    await owner.live();
    await stage.goesOn(roomId, [owner, tomas], 'and later,');
    expect(stage.relay.requests('joinReply').length).toBe(replies);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
    expect(owner.room?.invites).toEqual([]);
    expect(stageOf(dora, roomId)).toBeUndefined();
  });
});
