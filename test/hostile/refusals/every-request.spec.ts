/** Each request that a client makes, refused some times over for what passes: what was asked for is done by itself. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { REQUEST_KINDS, type RequestKind } from '@0fc/protocol';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { epochOf, failureOf, idOf, namesIn, Stage, stageOf, troubleOf } from '../stage.js';

const PASSING = ['STORE_FULL', 'RATE_LIMITED', 'TRY_AGAIN', 'INTERNAL'] as const;
/** How often each client is refused each kind of request. */
const TIMES = 3;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Refuses the first requests of each kind of each client; answers with how often it has done so, by kind. */
function refusing(how: (typeof PASSING)[number] | 'a cut connection'): ReadonlyMap<RequestKind, number> {
  const by = new Map<string, number>();
  const counts = new Map<RequestKind, number>();
  stage.relay.onFromClient((client, request) => {
    const kind = request.kind as RequestKind;
    const of = `${client.memberId} ${kind}`;
    const before = by.get(of) ?? 0;
    // Each cut costs a new session, after a delay of its own.
    if (before === (how === 'a cut connection' ? 1 : TIMES)) return undefined;
    by.set(of, before + 1);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (how !== 'a cut connection') return { refuse: how };
    client.cut();
    return 'drop';
  });
  return counts;
}

const byItself = (what: string, all: readonly Member[], probe: () => unknown): Promise<void> =>
  stage.byItself(what, all, probe);

test.each([...PASSING, 'a cut connection'] as const)(
  'G16 with %s: each is repeated by itself until it is carried out, and each act has its end',
  async (how) => {
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100);
    const refused = refusing(how);
    const tomas = await stage.member('Tomás');
    const both = [owner, tomas];
    value(await tomas.api.join((await owner.invite(roomId)).link, 'Tomás'));
    await byItself('the admission', both, () => stageOf(tomas, roomId) === 'member');
    await tomas.watch(roomId);
    await stage.settled(both, 2);
    const settings = { ...owner.room!.settings, approval: true };

    const revoked = await owner.invite(roomId);
    value(await owner.api.revokeInvite(roomId, revoked.inviteId));
    const late = await stage.member('Late');
    await byItself('the revocation', both, () => owner.room?.invites.length === 0);
    value(await late.api.join(revoked.link, 'Late'));
    // Dropped, where it came in before the relay took the revocation; unknown, where that had never heard of it.
    const ends = ['INVITE_REVOKED', 'INVITE_UNKNOWN', 'JOIN_DROPPED'];
    await byItself('its end', both, () => ends.includes(failureOf(late) ?? ''));
    const answered = stage.relay.requests('joinReply').map(({ body }) => body.inviteId);
    expect(answered).not.toContain(revoked.inviteId);

    // What is lost after this has an entry of the roster in it: a rotation alone its owner may bring back by itself.
    await stage.level(both);
    const before = stage.relay.world.snapshot();
    value(await owner.api.changeSettings(roomId, settings));
    await byItself('the approval', both, () => tomas.room?.settings.approval === true);
    const { link, inviteId } = await owner.invite(roomId);
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await byItself('her request', both, () =>
      owner.room?.approvals.some((approval) => approval.inviteId === inviteId),
    );
    value(await owner.api.decideJoin(roomId, inviteId, false));
    await byItself('the refusal', both, () => failureOf(dora) === 'JOIN_DECLINED');

    await stage.level(both);
    stage.relay.onEntries(({ memberId }, entries) =>
      memberId === idOf(tomas) ? entries.map(({ wrap: _, ...entry }) => entry) : undefined,
    );
    // The connection may fall while its owner waits: what was asked for is done all the same.
    await owner.api.rotateNow(roomId);
    await byItself('the second key', both, () => both.every((who) => epochOf(who) === 2));
    await stage.goesOn(roomId, both, 'with the second key,');

    await stage.level(both);
    stage.relay.place(both.map(idOf), { snapshot: before, hidden: false });
    await stage.goesOn(roomId, both, 'brought back,');

    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await byItself('the offer', both, () => (tomas.room?.ownershipTransfer ?? null) !== null);
    value(await tomas.api.acceptOwnership(roomId));
    await byItself('the hand-over', both, () => tomas.room?.owner === true && !owner.room?.owner);
    value(await owner.api.leaveRoom(roomId));
    await byItself('the departure', both, () => stageOf(owner, roomId) === 'left');
    await byItself(
      'its end',
      [tomas],
      () => namesIn(tomas).join() === 'Tomás' && troubleOf(tomas) === undefined,
    );

    // All that there is but the one which a person waits for: a later kind of request is to be met here too.
    expect([...refused.keys(), 'create'].sort()).toEqual([...REQUEST_KINDS].sort());
  },
);

describe('a room that the relay does not know', () => {
  test.each([...PASSING, 'a cut connection'] as const)(
    'G16 is brought back by one act, though the first attempts meet with %s',
    async (how) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      const nothing = (await Stage.open()).relay;
      stage.relay.place(both.map(idOf), { snapshot: nothing.world.snapshot(), hidden: false });
      await nothing.stop();
      await byItself('both to see it', both, () => both.every((who) => troubleOf(who) === 'ROOM_UNKNOWN'));
      let refusals = 0;
      stage.relay.onRequest('restore', (client) => {
        refusals += 1;
        if (refusals > TIMES) return undefined;
        if (how !== 'a cut connection') return { refuse: how };
        client.cut();
        return 'drop';
      });
      value(await owner.api.restoreRoom(roomId));
      await stage.goesOn(roomId, both, 'brought back,');
      expect(refusals).toBeGreaterThan(TIMES);
    },
  );
});

describe('what is refused for good', () => {
  test.each(['invite', 'revoke', 'joinReply'] as const)(
    'G10 of joins, %s, holds no removal up',
    async (kind) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      let refusals = 0;
      stage.relay.onRequest(kind, () => {
        refusals += 1;
        return { refuse: 'STORE_FULL' };
      });
      const { link, inviteId } = await owner.invite(roomId);
      if (kind === 'revoke') value(await owner.api.revokeInvite(roomId, inviteId));
      if (kind === 'joinReply') value(await (await stage.member('Dora')).api.join(link, 'Dora'));
      await byItself('the refusal', [owner], () => refusals > 0);
      value(await owner.api.removeMember(roomId, idOf(ines)));
      await byItself('the removal', [owner, ines], () => stageOf(ines, roomId) === 'removed');
      await stage.goesOn(roomId, [owner, tomas], 'after it,');
      expect(troubleOf(owner)).toBe('STORE_FULL');
    },
  );

  test('G2 the end of a join that was answered, holds up no new key', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.onRequest('joinDrop', () => ({ refuse: 'STORE_FULL' }));
    stage.relay.onRequest('joinConfirm', (_, body) => ({
      instead: { ...body, payload: body.payload.map((byte) => byte ^ 1) },
    }));
    const dora = await stage.member('Dora');
    value(await dora.api.join((await owner.invite(roomId)).link, 'Dora'));
    await byItself('a key that she was not given', [owner, tomas], () =>
      [owner, tomas].every((who) => epochOf(who) === 2),
    );
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
    await stage.goesOn(roomId, [owner, tomas], 'after it,');
    // Once: what the relay goes on refusing asks for no further key.
    expect([owner, tomas].map(epochOf)).toEqual([2, 2]);
  });
});
