/** A relay key that changes (docs/protocol.md section 3.1, G13): who may lead a client to another key, and who may not. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeCbor, toBase64Url } from '@0fc/protocol';
import { generateKeyPair, signBody, type KeyPair } from '@0fc/crypto/keys';
import { signSuccession } from '@0fc/crypto/link';
import { nodeHash } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';
import { value, type Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { codeOf, idOf, Stage, troubleOf } from '../stage.js';

let stage: Stage;
/** the relay's key until now, one in between, the next one, and that of somebody else */
let old: KeyPair, mid: KeyPair, next: KeyPair, thief: KeyPair;
beforeAll(async () => {
  stage = await Stage.open();
});
beforeEach(() => {
  old = stage.relay.key;
  [mid, next, thief] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];
});
afterEach(async () => {
  stage.relay.succession = [];
  stage.relay.configKey = null;
  await stage.dismiss();
});
afterAll(() => stage.close());

const lead = (from: KeyPair, to: KeyPair, origin = stage.relay.url): string =>
  signSuccession(from, to, origin);
const print = ({ publicKey }: KeyPair): Promise<string> => fingerprintOf(nodeHash, publicKey);

/** From now on the relay, or whoever stands there, has this key. */
function answersAs(pair: KeyPair, succession: unknown): void {
  stage.relay.key = pair;
  stage.relay.succession = succession;
  stage.relay.cut();
}

const pinnedBy = (who: Member): string | null | undefined => who.app?.relay.fingerprint;

/** What nobody who is not the relay hears: a frame of a session. */
async function stopsSilently(all: readonly Member[], code: string): Promise<void> {
  const asked = stage.relay.seen.length;
  await until(`all to stop by ${code}`, () => all.every((who) => troubleOf(who) === code));
  const theirs = all.map(idOf);
  const heard = stage.relay.seen
    .slice(asked)
    .filter(({ way, memberId }) => way === 'fromClient' && theirs.includes(memberId));
  expect(heard).toEqual([]);
}

/** Everybody writes, and everybody reads it. */
async function goOn(all: readonly Member[], roomId: string): Promise<void> {
  for (const who of all) await who.live();
  for (const who of all) await who.say(roomId, `${who.name} goes on`);
  for (const who of all) await who.has(...all.map(({ name }) => `${name} goes on`));
}

describe('a signed successor', () => {
  test('G13 is followed by who is there and by who was away over two of them, and shown once', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await ines.leave();
    const shown = { from: await print(old), to: await print(mid) };
    answersAs(mid, [lead(old, mid)]);
    await until('those who are there to follow', async () =>
      [owner, tomas].every((who) => pinnedBy(who) === shown.to),
    );
    expect(owner.app?.relay).toMatchObject({ pinnedBy: 'succession', followed: shown });
    await goOn([owner, tomas], roomId);
    value(await owner.api.dismissRelayChange());
    await until('it to be seen', () => owner.app?.relay.followed === null);
    await owner.leave();
    await owner.comeBack(roomId);
    expect(owner.app?.relay).toMatchObject({ fingerprint: shown.to, followed: null });
    await tomas.leave();
    await tomas.comeBack(roomId);
    expect(tomas.app?.relay.followed).toEqual(shown);
    answersAs(next, [lead(mid, next), lead(old, mid)]);
    await ines.comeBack(roomId);
    await goOn([owner, tomas, ines], roomId);
    const [from, to] = [await print(old), await print(next)];
    expect(ines.app?.relay.followed).toEqual({ from, to });
    // What was not seen yet began at the first key.
    expect(tomas.app?.relay.followed).toEqual({ from, to });
    expect([owner, tomas, ines].map((who) => who.room?.alarms)).toEqual([0, 0, 0]);
  });

  test('G13 of the key that an invite names lets a newcomer in, and who never knew the old one', async () => {
    const { owner, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    const other = (await owner.invite(roomId)).link;
    answersAs(next, [lead(old, mid), lead(mid, next)]);
    await goOn([owner], roomId);
    const ines = await stage.member('Inès');
    value(await ines.api.join(link, 'Inès'));
    await ines.admitted(roomId);
    const dora = await stage.member('Dora');
    await dora.createRoom('Elsewhere', 100);
    const preview = value(await dora.api.previewInvite(other));
    expect(preview.relayPin).toBe('matches');
    value(await dora.api.join(other, 'Dora'));
    await dora.admitted(roomId);
    // And no other invite than those of keys that led here.
    stage.relay.succession = [lead(thief, mid), lead(mid, next)];
    const guest = await stage.member('Guest');
    const joined = await guest.api.join(link, 'Guest');
    expect(codeOf(joined)).toBe('RELAY_KEY_MISMATCH');
  });

  test('G13 moves nothing until the relay proves it: one that is announced costs nobody the key of now', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.succession = [lead(old, next)];
    await goOn([owner, tomas], roomId);
    expect(pinnedBy(owner)).toBe(await print(old));
    // Somebody else answers, under the name of either: nobody is led anywhere, and the relay of now is found again.
    for (const named of [next, old]) {
      stage.relay.configKey = named.publicKey;
      answersAs(thief, [lead(old, next)]);
      await stopsSilently([owner, tomas], 'RELAY_KEY_CHANGING');
      expect(pinnedBy(owner)).toBe(await print(old));
      stage.relay.key = old;
      await goOn([owner, tomas], roomId);
    }
  });

  test('G13 that is announced does not cover for a key that it does not lead to', async () => {
    const { owner, tomas, roomId } = await stage.two();
    answersAs(thief, [lead(old, next)]);
    await stopsSilently([owner, tomas], 'RELAY_KEY_MISMATCH');
    const params = { pinned: await print(old), other: await print(thief) };
    expect(owner.room?.stopped?.params).toEqual(params);
    answersAs(next, [lead(old, next)]);
    for (const who of [owner, tomas]) value(await who.api.resumeRoom(roomId));
    await goOn([owner, tomas], roomId);
    // Nor one that was followed.
    answersAs(thief, [lead(old, next)]);
    await stopsSilently([owner, tomas], 'RELAY_KEY_MISMATCH');
    expect(owner.room?.stopped?.params).toEqual({ ...params, pinned: await print(next) });
  });

  test('G13 of a replica that has not changed yet is waited for', async () => {
    const { owner, tomas, roomId } = await stage.two();
    answersAs(next, [lead(old, next)]);
    await goOn([owner, tomas], roomId);
    answersAs(old, [lead(old, next)]);
    await stopsSilently([owner, tomas], 'RELAY_KEY_CHANGING');
    answersAs(next, [lead(old, next)]);
    await goOn([owner, tomas], roomId);
    expect(pinnedBy(owner)).toBe(await print(next));
  });
});

describe('what is no successor', () => {
  const half = (by: KeyPair): string => {
    const body = { old: old.publicKey, new: thief.publicKey, origin: stage.relay.url };
    const container = signBody(by, 'relay-succession', body);
    return toBase64Url(encodeCbor([container, container]));
  };
  const INVALID = 'RELAY_SUCCESSION_INVALID';
  const bad: readonly (readonly [string, string, () => unknown])[] = [
    ['signed by the new key only', INVALID, () => [half(thief)]],
    ['signed by the old key only', INVALID, () => [half(old)]],
    ['for another address', INVALID, () => [lead(old, thief, 'https://elsewhere.example')]],
    ['that is garbage', INVALID, () => ['garbage']],
    ['that is no list', INVALID, () => ({ old: 'x' })],
    ['among too many', INVALID, () => Array.from({ length: 17 }, () => 'AAAA')],
    ['of another key', 'RELAY_KEY_MISMATCH', () => [lead(thief, next)]],
    ['of ten million bytes', 'RELAY_KEY_MISMATCH', () => ['A'.repeat(10_000_000)]],
    ['that is one of two', 'RELAY_SUCCESSION_FORKED', () => [lead(old, next), lead(old, thief)]],
    ['that leads round', 'RELAY_KEY_LEFT', () => [lead(old, thief), lead(thief, old)]],
  ];

  test('G13 a statement by one key, elsewhere, of another, one of two, round, garbage: leads nobody anywhere, and is told by its reason', async () => {
    const { owner, tomas, roomId } = await stage.two();
    for (const [, code, succession] of bad) {
      answersAs(thief, succession());
      await stopsSilently([owner, tomas], code);
      expect(owner.room?.stopped?.params).toMatchObject({ pinned: await print(old) });
      expect(pinnedBy(owner)).toBe(await print(old));
      answersAs(old, []);
      for (const who of [owner, tomas]) value(await who.api.resumeRoom(roomId));
      await owner.live();
      await tomas.live();
    }
    await goOn([owner, tomas], roomId);
  });

  test('G13 a thief of the old key leads nobody back or elsewhere once it was left', async () => {
    const { owner, tomas, roomId } = await stage.two();
    answersAs(next, [lead(old, next)]);
    await goOn([owner, tomas], roomId);
    for (const succession of [[lead(old, thief)], [lead(old, next), lead(old, thief)], []]) {
      answersAs(thief, succession);
      await stopsSilently([owner, tomas], 'RELAY_KEY_MISMATCH');
      expect(pinnedBy(owner)).toBe(await print(next));
      answersAs(next, []);
      for (const who of [owner, tomas]) value(await who.api.resumeRoom(roomId));
      await owner.live();
      await tomas.live();
    }
    // Not even with the key of now, were it stolen too: a key that was left is not followed again.
    answersAs(old, [lead(next, old)]);
    await stopsSilently([owner, tomas], 'RELAY_KEY_LEFT');
    expect(pinnedBy(owner)).toBe(await print(next));
  });
});

describe('the user’s own pin', () => {
  test('G13 takes the key that is proved and has the typed fingerprint, and no other', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const [was, is] = [await print(old), await print(next)];
    answersAs(next, []);
    await stopsSilently([owner, tomas], 'RELAY_KEY_MISMATCH');
    expect(codeOf(await owner.api.repinRelay(is.slice(1)))).toBe('FINGERPRINT_MALFORMED');
    const wrong = await owner.api.repinRelay(await print(thief));
    expect(wrong).toMatchObject({
      error: { code: 'RELAY_KEY_MISMATCH', params: { pinned: was, other: is } },
    });
    // Who names a key and does not have it is not pinned.
    stage.relay.configKey = thief.publicKey;
    expect(codeOf(await owner.api.repinRelay(await print(thief)))).toBe('RELAY_KEY_MISMATCH');
    stage.relay.configKey = null;
    expect(pinnedBy(owner)).toBe(was);
    const typed = (is.toLowerCase().match(/.{4}/g) ?? []).join(' ');
    for (const who of [owner, tomas])
      expect(value(await who.api.repinRelay(typed))).toEqual({ from: was, to: is });
    await goOn([owner, tomas], roomId);
    expect(owner.app?.relay).toMatchObject({ fingerprint: is, pinnedBy: 'user', followed: null });
    await owner.leave();
    await owner.comeBack(roomId);
    expect(owner.app?.relay).toMatchObject({ fingerprint: is, pinnedBy: 'user' });
  });

  test('G13 is not undone by the thief that it was made for: only by the user', async () => {
    const { owner, roomId } = await stage.two();
    answersAs(next, []);
    await stopsSilently([owner], 'RELAY_KEY_MISMATCH');
    value(await owner.api.repinRelay(await print(next)));
    await owner.live();
    const { link } = await owner.invite(roomId);
    answersAs(old, [lead(next, old)]);
    await stopsSilently([owner], 'RELAY_KEY_LEFT');
    value(await owner.api.repinRelay(await print(old)));
    await owner.live();
    expect(pinnedBy(owner)).toBe(await print(old));
    // A key that the user has left vouches for no invite.
    expect(value(await owner.api.previewInvite(link)).relayPin).toBe('differs');
  });
});
