/** A relay that refuses what an owner has signed: the room goes on, and nothing is ever signed beside it (G11, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBody, ROSTER_KINDS, toBase64Url, type Bytes } from '@0fc/protocol';
import { bodyHash, containerBody } from '@0fc/crypto/verify';
import { nodeHash } from '@0fc/crypto/node';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { idOf, namesIn, Stage, troubleOf, type Company } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Every signed entry that this relay was handed, by the head that it stands on. */
async function signedOn(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const handed: Bytes[] = [
    ...stage.relay.requests('roster').map(({ body }) => body.entry),
    ...stage.relay.requests('restore').flatMap(({ body }) => body.entries.map(({ payload }) => payload)),
  ];
  const byHead = new Map<string, Set<string>>();
  for (const entry of handed) {
    const { body } = decodeBody(containerBody(entry), ...ROSTER_KINDS);
    if (!('head' in body)) continue;
    const head = toBase64Url(body.head);
    byHead.set(head, (byHead.get(head) ?? new Set()).add(toBase64Url(await bodyHash(nodeHash, entry))));
  }
  return byHead;
}

type Act = readonly [
  name: string,
  ask: (company: Company) => Promise<unknown>,
  done: (company: Company) => boolean,
];

const settings = { rotateEvery: 40, approval: false };
const ACTS: readonly Act[] = [
  [
    'a change of the settings',
    async ({ owner, roomId }) => value(await owner.api.changeSettings(roomId, settings)),
    ({ tomas }) => tomas.room?.settings.rotateEvery === 40,
  ],
  [
    'a removal',
    async ({ owner, ines, roomId }) => value(await owner.api.removeMember(roomId, idOf(ines))),
    ({ owner, tomas }) => namesIn(tomas).length === 2 && owner.room?.paused === null,
  ],
  [
    'an admission',
    async ({ owner, roomId }) => {
      const noe = await stage.member('Noé');
      value(await noe.api.join((await owner.invite(roomId)).link, 'Noé'));
    },
    ({ tomas }) => namesIn(tomas).includes('Noé'),
  ],
  [
    'a closing',
    async ({ owner, roomId }) => value(await owner.api.closeRoom(roomId)),
    ({ tomas }) => tomas.room?.stage === 'closed',
  ],
  [
    'a hand-over',
    async ({ owner, tomas, roomId }) => {
      value(await owner.api.offerOwnership(roomId, idOf(tomas)));
      await stage.byItself('the offer', [tomas], () => tomas.room?.ownershipTransfer?.role === 'offered');
      value(await tomas.api.acceptOwnership(roomId));
    },
    ({ tomas }) => tomas.room?.members.some(({ me, owner }) => me && owner) ?? false,
  ],
];

const REFUSALS = ['BAD_ENTRY', 'FORBIDDEN'] as const;

const stopsNobody = (all: readonly Member[]): void => {
  for (const who of all) expect([who.name, who.room?.stopped ?? null]).toEqual([who.name, null]);
};

describe.each(ACTS)('%s that the relay refuses for good', (_, ask, done) => {
  test.each(REFUSALS)(
    'G11 G16 with %s stops no room, at no start, is shown, and is done once it is taken: nothing else was signed on its head',
    async (code) => {
      const company = await stage.three();
      const { owner, tomas, ines, roomId } = company;
      let refused = 0;
      for (const kind of ['roster', 'restore'] as const)
        stage.relay.onRequest(kind, (client) => {
          if (client.memberId !== idOf(owner)) return undefined;
          refused += 1;
          return { refuse: code };
        });
      await ask(company);
      const shown = (): boolean => troubleOf(owner) === code;
      await stage.byItself(`${code} to be shown`, [owner], () => shown() && refused >= 2);
      stopsNobody([owner, tomas, ines]);
      await tomas.say(roomId, 'still talking');
      await stage.arrives([owner, ines], 'still talking');
      await owner.leave();
      refused = 0;
      await owner.comeBack(roomId);
      await stage.byItself('it to be shown again', [owner], () => shown() && refused >= 2);
      stopsNobody([owner, tomas, ines]);
      await tomas.say(roomId, 'and talking');
      await stage.arrives([owner, ines], 'and talking');
      stage.relay.honest();
      await stage.byItself('it to be done', [owner, tomas], () => done(company));
      for (const [head, entries] of await signedOn()) expect([head, entries.size]).toEqual([head, 1]);
      expect([...owner.alarms, ...tomas.alarms]).toEqual([]);
    },
  );
});
