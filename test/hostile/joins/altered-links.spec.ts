/**
 * Links that were altered on their way, by whoever forwarded them: what the joiner sees, what the owner sees, and which
 * invites end (G2; docs/decisions/0031).
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { toBase64Url, type Bytes, type InviteLink, type RequestBody, type RoomId } from '@0fc/protocol';
import { asInviteToken, exposeSecret, generateKeyPair } from '@0fc/crypto/keys';
import { nodeRandom } from '@0fc/crypto/node';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { honestReply } from '../members/false-reply.js';
import { altered, answeredTo, Forwarder, type Intercepted } from '../members/forwarder.js';
import { joinOf, Stolen } from '../members/stolen.js';
import type { Client } from '../relay/lying-relay.js';
import { failureOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const lines = (who: Member, event: string) =>
  who.items.filter((item) => item.type === 'system' && item.event === event);
const invitesOf = (who: Member) => (who.room?.invites ?? []).map(({ inviteId }) => inviteId);
const answers = (inviteId: string): number =>
  stage.relay.requests('joinReply').filter(({ body }) => body.inviteId === inviteId).length;

/** Lets a forwarder have what a joiner asks with, in place of the relay. */
function intercept(
  forwarder: Forwarder,
  then: (asked: Intercepted, body: RequestBody<'joinRequest'>) => Bytes | null,
): { opened: Intercepted | null; request: Bytes | null; client: Client | null } {
  const had: ReturnType<typeof intercept> = { opened: null, request: null, client: null };
  let forwarded: Bytes | null = null;
  stage.relay.onRequest('joinRequest', (client, body) => {
    had.client = client;
    had.request = body.request;
    had.opened ??= forwarder.open(client.key, body.request);
    forwarded ??= then(had.opened, body);
    return forwarded === null
      ? { answer: { stage: 'requested' as const } }
      : { instead: { ...body, request: forwarded } };
  });
  return had;
}

/** With another link, sent by another way, whoever was led astray comes in. */
async function comesInBy(link: string, dora: Member, owner: Member, roomId: string): Promise<void> {
  stage.relay.honest();
  value(await dora.api.abandonJoin(roomId));
  value(await dora.api.join(link, 'Dora'));
  await stage.byItself('the joiner to be a member', [owner], () => stageOf(dora, roomId) === 'member');
  await dora.watch(roomId);
  await stage.goesOn(roomId, [owner, dora], 'with another link,');
  await stage.byItself('its name', [owner], () => namesIn(owner).includes('Dora'));
}

describe('a forwarder who puts an invite key of his own into the link', () => {
  test('G2 opens the request and forwards it: the owner answers nothing, ends the invite, and says what to do', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { link, inviteId } = await owner.invite(roomId);
    const forwarder = await Forwarder.of(link);
    const had = intercept(forwarder, (asked) => forwarder.forward(asked));
    const dora = await stage.member('Dora');
    value(await dora.api.join(await altered(link, { inviteKey: forwarder.pair.publicKey }), 'Dora'));
    await stage.byItself('the joiner to be told', [owner], () => failureOf(dora) === 'INVITE_ALTERED');
    // He has what the reply would have been sealed under.
    const record = await joinOf(dora, roomId);
    expect(exposeSecret(had.opened!.joinKey)).toEqual(exposeSecret(record!.joinKey));
    expect(answers(inviteId)).toBe(0);
    await stage.byItself('the owner to see it', [owner], () => lines(owner, 'inviteAltered').length > 0);
    expect(lines(owner, 'inviteAltered')).toHaveLength(1);
    expect(lines(owner, 'inviteRefused')).toEqual([]);
    expect(invitesOf(owner)).toEqual([]);
    const drops = stage.relay.requests('joinDrop').filter(({ body }) => body.inviteId === inviteId);
    expect(drops.at(-1)?.body).toMatchObject({ release: false, reason: 'altered' });
    // The relay's word ends no join: token, key and record stay.
    expect(record?.token).toHaveLength(32);
    expect(record?.confirm).toBeNull();
    // Who has the token and hears of it comes in by the true link no more.
    const mallory = await stage.member('Mallory');
    value(await mallory.api.join(link, 'Mallory'));
    await stage.byItself('him to be told', [owner], () => failureOf(mallory) === 'INVITE_USED');
    await stage.goesOn(roomId, [owner, tomas], 'after it,');
    await comesInBy((await owner.invite(roomId)).link, dora, owner, roomId);
    expect(answers(inviteId)).toBe(0);
  });
});

describe('a forwarder who holds the room’s key', () => {
  test.each([['under his own signature, as a member'], ['with what the owner has signed for him']] as const)(
    'G2 answers the joiner himself, %s: nothing of it is believed',
    async (how) => {
      const { owner, tomas, roomId } = await stage.two();
      const before = namesIn(owner);
      const { link, inviteId } = await owner.invite(roomId);
      const forwarder = await Forwarder.of(link);
      const stolen = await Stolen.from(tomas, roomId);
      const signed = how.startsWith('with')
        ? await answeredTo(stage.relay, (await owner.invite(roomId)).link)
        : null;
      const had = intercept(forwarder, () => null);
      const dora = await stage.member('Dora');
      value(await dora.api.join(await altered(link, { inviteKey: forwarder.pair.publicKey }), 'Dora'));
      await stage.byItself('the request', [owner], () => had.opened !== null);
      const { opened, request, client } = had;
      const { epoch } = signed ?? stolen.current;
      const payload =
        signed === null
          ? await forwarder.answer(opened!, request!, { owner: stolen.identity, reply: honestReply(stolen) })
          : await forwarder.passOn(opened!, request!, signed);
      await stage.byItself('the joiner to wait for an answer', [owner], () =>
        dora.app?.joins.at(-1)?.done.some(({ step }) => step === 'request'),
      );
      stage.relay.tell(client!.memberId, 'joinState', { stage: 'replied', reply: { epoch, payload } });
      await stage.byItself(
        'the joiner to refuse it',
        [owner],
        () => failureOf(dora) === 'INVITE_REPLY_INVALID',
      );
      expect(stage.relay.requests('joinConfirm', client!.memberId)).toEqual([]);
      expect(dora.app?.rooms).toEqual([]);
      const record = await joinOf(dora, roomId);
      expect(record?.token).toHaveLength(32);
      expect(record?.reply).toBeNull();
      // Of all that the owner has seen nothing: its invite is as it was.
      expect(answers(inviteId)).toBe(0);
      expect(invitesOf(owner)).toContain(inviteId);
      expect(namesIn(owner)).toEqual(before);
      // The relay keeps the invite for the key that claimed it: another one.
      await comesInBy((await owner.invite(roomId)).link, dora, owner, roomId);
    },
  );
});

/** What the joiner of an altered link sees, what its owner sees, and whether the invite ends. */
interface Outcome {
  readonly change: () => Partial<InviteLink>;
  readonly failure: string;
  readonly shown: 'inviteAltered' | 'inviteRefused' | null;
  readonly ends: boolean;
}

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  'another invite key': {
    change: () => ({ inviteKey: generateKeyPair().publicKey }),
    // Nobody can open the request: as any that proves nothing, it leaves the invite open until the fifth.
    failure: 'JOIN_DROPPED',
    shown: 'inviteRefused',
    ends: false,
  },
  'another owner key': {
    change: () => ({ ownerKey: generateKeyPair().publicKey }),
    failure: 'INVITE_ALTERED',
    shown: 'inviteAltered',
    ends: true,
  },
  'another room': {
    change: () => ({
      roomId: toBase64Url(nodeRandom.bytes(16)) as RoomId,
    }),
    failure: 'INVITE_UNKNOWN',
    shown: null,
    ends: false,
  },
  'another token': {
    change: () => ({ token: asInviteToken(nodeRandom.bytes(32)) }),
    failure: 'INVITE_UNKNOWN',
    shown: null,
    ends: false,
  },
};

describe('a link with one thing changed, over an honest relay', () => {
  test.each(Object.keys(OUTCOMES))('G2 %s: nobody comes in, and who can see it is told', async (name) => {
    const { change, failure, shown, ends } = OUTCOMES[name]!;
    const { owner, roomId } = await stage.two();
    const { link, inviteId } = await owner.invite(roomId);
    const changed = change();
    const dora = await stage.member('Dora');
    const joined = value(await dora.api.join(await altered(link, changed), 'Dora'));
    await stage.byItself('the joiner to be told', [owner], () => failureOf(dora) === failure);
    for (const event of ['inviteAltered', 'inviteRefused'] as const) {
      await stage.byItself(event, [owner], () => lines(owner, event).length === (event === shown ? 1 : 0));
    }
    expect(answers(inviteId)).toBe(0);
    await stage.byItself('the invite to be as it will stay', [owner], () =>
      ends ? invitesOf(owner).length === 0 : owner.room?.invites.some(({ state }) => state === 'open'),
    );
    // Keys and token stay whatever the relay says.
    const record = await joinOf(dora, joined.roomId);
    expect(record?.joinKey).toHaveLength(32);
    expect(record?.inviteId === inviteId).toBe(changed.token === undefined);
    const next = ends ? (await owner.invite(roomId)).link : link;
    if (joined.roomId !== roomId) value(await dora.api.abandonJoin(joined.roomId));
    await (joined.roomId === roomId
      ? comesInBy(next, dora, owner, roomId)
      : dora.api
          .join(next, 'Dora')
          .then(value)
          .then(() => dora.admitted(roomId)));
  });
});
