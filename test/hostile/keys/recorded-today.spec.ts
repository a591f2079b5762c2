/**
 * G17: whoever has all that the relay ever had, and afterwards every private key of the curve, opens nothing of it. The
 * story has each way on which a room key travels: an admission, rotations, a grant, a cold rotation.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBody, equalBytes, type RoomId } from '@0fc/protocol';
import { type KeyPair, parseInvite, type KemSeed } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { containerBody } from '@0fc/crypto/verify';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { Stolen } from '../members/stolen.js';
import { OwnerHand } from '../random/owner-hand.js';
import { rotationForNobody } from '../random/owner-rotations.js';
import { epochOf, idOf, Stage } from '../stage.js';
import { encryptedTo, Recorder, type Loot } from './recorder.js';

/** By epoch, what was said in it. */
const LINES: Readonly<Record<number, string>> = {
  1: 'before any rotation',
  2: 'after the first',
  3: 'after the one that left Inès out',
  4: 'after the next',
  6: 'after the cold one',
  7: 'and at the end',
};
const ALL = Object.values(LINES);
/** The wraps of the fifth carry bytes that are nobody’s key: nothing is sealed under them. */
const EPOCHS = [1, 2, 3, 4, 5, 6, 7];

let stage: Stage;
let roomId: RoomId;
const broken = new Map<string, KeyPair>();
const seeds = new Map<string, KeyPair & { readonly seed: KemSeed }>();
const links: Loot['links'][number][] = [];

/** Every pair that the member's vault has at this moment: what is deleted later was recorded against all the same. */
async function collect(...members: readonly Member[]): Promise<void> {
  for (const who of members) {
    const { identity, core, invites } = await Stolen.from(who, roomId);
    const keep = (pair: KeyPair): void => void broken.set(Buffer.from(pair.publicKey).toString('hex'), pair);
    keep(identity);
    for (const { pair } of invites) if (pair !== null) keep(pair);
    for (const pair of [
      ...core.prekeys.map((prekey) => prekey.pair),
      ...(core.needKey === null ? [] : [core.needKey.pair]),
    ]) {
      keep(pair);
      seeds.set(Buffer.from(pair.publicKey).toString('hex'), pair);
    }
  }
}

/** Every private key of the curve: of members, of invites, and of the relay. */
const curve = (): Loot => ({ curve: [...broken.values(), stage.relay.key], seeds: [], links: [] });

beforeAll(async () => {
  stage = await Stage.open(openHurried);
  const owner = await stage.member('Amina');
  roomId = (await owner.createRoom('Rive droite', 100)) as RoomId;
  const joined = async (name: string): Promise<Member> => {
    const { link } = await owner.invite(roomId);
    links.push(await parseInvite(nodeHash, link));
    await collect(owner);
    const guest = await stage.member(name);
    value(await guest.api.join(link, name));
    await guest.admitted(roomId);
    await collect(owner, guest);
    return guest;
  };
  const tomas = await joined('Tomás');
  const ines = await joined('Inès');
  const all = [owner, tomas, ines];
  await stage.settled(all, 3);
  const says = async (who: Member, epoch: number): Promise<void> => {
    const text = LINES[epoch] ?? '';
    await who.say(roomId, text);
    await stage.arrives(
      all.filter((one) => one.room?.stopped === null),
      text,
    );
  };
  /** Everybody has replaced the prekey that the last rotation used: `times` so far. */
  const replaced = async (members: readonly Member[], times: number): Promise<void> => {
    await stage.byItself('new prekeys', members, () =>
      members.every((who) => stage.relay.requests('prekey', idOf(who)).length >= times),
    );
    await collect(...members);
  };
  const rotated = async (epoch: number): Promise<void> => {
    value(await owner.api.rotateNow(roomId));
    await stage.byItself('the next key', all, () => all.every((who) => epochOf(who) === epoch));
  };
  await says(owner, 1);
  await rotated(2);
  await replaced(all, 1);
  await says(tomas, 2);

  // No wrap for Inès: a grant.
  stage.relay.onEntries(({ memberId }, entries) =>
    memberId === idOf(ines) ? entries.map(({ wrap: _, ...entry }) => entry) : undefined,
  );
  stage.relay.onEvent('keyNeeded', () => null);
  value(await owner.api.rotateNow(roomId));
  const { body } = await until('her request', () => stage.relay.requests('needKey', idOf(ines))[0]);
  await collect(...all);
  stage.relay.honest();
  stage.relay.tell(idOf(owner), 'keyNeeded', { from: idOf(ines), request: body.request });
  await stage.byItself('the grant', all, () =>
    all.every((who) => epochOf(who) === 3 && who.room?.paused === null),
  );
  await replaced([owner, tomas], 2);
  await says(ines, 3);
  await rotated(4);
  await replaced([owner, tomas], 3);
  await collect(ines);
  await says(owner, 4);

  // A key that nobody has, and a hand-over: a cold rotation.
  const hand = await OwnerHand.of(owner, roomId, stage.relay);
  const to = idOf(tomas);
  const { roomId: room, head } = hand.roster;
  const offer = { roomId: room, head, old: hand.me, new: to, nonce: nodeRandom.bytes(16) };
  await hand.peer.request('transferOffer', { to, offer: hand.sign('transferOffer', offer) });
  const left = [tomas, ines];
  await stage.byItself('the offer', left, () => tomas.room?.ownershipTransfer?.role === 'offered');
  await hand.peer.request('rotate', await rotationForNobody(hand));
  // Each asks for it: what would be granted is encrypted to pairs that go with the next rotation.
  const asked = (who: Member): boolean =>
    stage.relay
      .requests('needKey', idOf(who))
      .some((one) => decodeBody(containerBody(one.body.request), 'needKey').body.epoch === 5);
  await stage.byItself('nobody to have the key', left, () =>
    left.every((who) => who.room?.paused === 'key' && asked(who)),
  );
  await collect(...left);
  await hand.follow();
  value(await tomas.api.acceptOwnership(roomId));
  const { acceptance } = await until('the acceptance', () => hand.peer.told('transferAccepted').at(-1));
  await hand.peer.request('roster', { entry: hand.sign('transfer', { ...hand.onHead, to, acceptance }) });
  await stage.byItself('the hand-over', left, () => tomas.room?.owner === true);
  // Nobody can grant it: by itself it begins anew within a minute, and at once where it is asked to.
  value(await tomas.api.rotateNow(roomId));
  await stage.byItself('the cold rotation', left, () =>
    left.every((who) => epochOf(who) === 6 && who.room?.paused === null),
  );
  hand.peer.leave();
  await collect(...left);
  const here = async (who: Member, epoch: number): Promise<void> => {
    await who.say(roomId, LINES[epoch] ?? '');
    await stage.arrives(left, LINES[epoch] ?? '');
  };
  await here(ines, 6);
  value(await tomas.api.rotateNow(roomId));
  await stage.byItself('the last key', left, () => left.every((who) => epochOf(who) === 7));
  await here(tomas, 7);
  await collect(...left);
}, 300_000);
afterAll(() => stage.close());

describe('G17: recorded today', () => {
  test('G17 every private key of the curve opens nothing: no room key, no line', async () => {
    expect(await Recorder.opens(stage.relay, roomId, curve())).toEqual({ epochs: [], texts: [] });
  });

  test('has every way on which a key travels, and every key of the curve that one travelled to', async () => {
    const kinds = { grants: stage.relay.requests('keyGrant'), joins: stage.relay.requests('joinReply') };
    expect(Object.values(kinds).map((all) => all.length > 0)).toEqual([true, true]);
    const held = [...broken.values()];
    for (const key of [...(await encryptedTo(stage.relay)), ...links.map(({ inviteKey }) => inviteKey)])
      expect(held.some(({ publicKey }) => equalBytes(publicKey, key))).toBe(true);
  });

  test('would open with the KEM’s seeds, from the grant and the cold rotation on: so it can fail', async () => {
    const loot = { ...curve(), seeds: [...seeds.values()] };
    const opened = await Recorder.opens(stage.relay, roomId, loot);
    const later = EPOCHS.filter((epoch) => epoch >= 3);
    expect(opened.epochs).toEqual(later);
    expect(opened.texts).toEqual(later.flatMap((epoch) => LINES[epoch] ?? []));
  });

  test('opens to who was in the channel of an invite, and from there on with the seeds alone', async () => {
    const withLinks = await Recorder.opens(stage.relay, roomId, { ...curve(), links });
    // Both were admitted in the first epoch: its key, and nothing after it.
    expect(withLinks).toEqual({ epochs: [1], texts: [LINES[1]] });
    const all = await Recorder.opens(stage.relay, roomId, { ...curve(), links, seeds: [...seeds.values()] });
    expect(all).toEqual({ epochs: EPOCHS, texts: ALL });
  });
});
