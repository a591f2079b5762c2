/**
 * A thief of a device, who comes late: with every file of it, with all that its database ever held, with and without the
 * passphrases there were (docs/threat-model.md, docs/decisions/0041; G14). Nothing that is gone opens to it, and only the
 * destroyed keys are in its way: under the key file as it was before, everything is there.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { exposeSecret } from '@0fc/crypto/keys';
import { quickPassphrases } from '../../../libs/client/src/vault/quick-passphrases.spec-support.js';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { Thief, type SealedRecord, type Taken } from '../../support/thief.js';
import { until } from '../../support/wait.js';
import { rotated, said } from '../acts.js';
import { Stolen } from '../members/stolen.js';
import { epochOf, Stage } from '../stage.js';

const NEXT = 'another passphrase, the second one';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

function filesOf(folder: string): readonly Buffer[] {
  return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
}

/** The device as it is now, without a word to its client. */
function takenFrom(folder: string): Taken {
  const db = new DatabaseSync(join(folder, 'vault.db'), { readOnly: true });
  try {
    const records = db.prepare('SELECT store, key, value FROM records').all() as unknown as SealedRecord[];
    return { records, keyFile: new Uint8Array(readFileSync(join(folder, 'vault.keys'))) };
  } finally {
    db.close();
  }
}

const thiefOf = (who: Member): Thief =>
  new Thief(() => Promise.resolve(takenFrom(who.folder)), quickPassphrases);

/** Entries of the key file that are not what they were: in no file of the device does one of the old ones stand. */
function expectNoOldKey(who: Member, { keyFile: before }: Taken): void {
  const { keyFile: after } = takenFrom(who.folder);
  const files = filesOf(who.folder);
  let gone = 0;
  for (let at = 32; at + 32 <= before.length; at += 32) {
    const entry = Buffer.from(before.subarray(at, at + 32));
    if (entry.equals(after.subarray(at, at + 32)) || entry.every((byte) => byte === 0)) continue;
    gone += 1;
    expect(files.some((file) => file.includes(entry))).toBe(false);
  }
  expect(gone).toBeGreaterThan(0);
}

const none = (secrets: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(Object.keys(secrets).map((name) => [name, 0]));

interface Act {
  readonly who: Member;
  readonly thief: Thief;
  readonly secrets: Readonly<Record<string, Uint8Array | string>>;
}

/** What an act makes of secrets: there before it, and gone behind it to who has every passphrase there was. */
async function expectGone(
  { who, thief, secrets }: Act,
  act: () => Promise<unknown>,
  ...passphrases: readonly string[]
) {
  const known = [who.passphrase, ...passphrases];
  const before = await thief.watch();
  const found = await thief.finds(secrets, known);
  for (const count of Object.values(found)) expect(count).toBeGreaterThan(0);
  expect(await thief.finds(secrets, ['a guess that is none'])).toEqual(none(secrets));
  await act();
  expect(await thief.finds(secrets, known)).toEqual(none(secrets));
  // Everything is there but for its keys.
  const then = await thief.finds(secrets, known, before);
  for (const [name, count] of Object.entries(then)) expect([name, count > 0]).toEqual([name, true]);
  expectNoOldKey(who, before);
}

const lineId = (who: Member, text: string): string =>
  who.messages.find((message) => message.text === text)?.id ?? '';

describe('a thief of a device, with all that it ever held', () => {
  test('G14 finds no line that was deleted, and no words that were edited away, at its author and at others', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await said(
      roomId,
      [owner, tomas],
      [
        [tomas, 'words to be deleted'],
        [tomas, 'the first words'],
      ],
    );
    const secrets = { deleted: 'words to be deleted', edited: 'the first words' };
    const [own, other] = [owner, tomas].map((who) => ({ who, thief: thiefOf(who), secrets }));
    await expectGone(own!, () =>
      expectGone(other!, async () => {
        value(await tomas.api.deleteMessage(roomId, lineId(tomas, secrets.deleted)));
        value(await tomas.api.editMessage(roomId, lineId(tomas, secrets.edited), 'the last words'));
        await stage.arrives([owner, tomas], 'the last words');
        await until('the deletion', () =>
          [owner, tomas].every((who) => who.messages.some(({ deleted }) => deleted)),
        );
        await stage.level([owner, tomas]);
      }),
    );
  });

  test('G8 G14 finds no key of an epoch that is over, and no token of a used or revoked invite', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const all = [owner, tomas];
    const used = await owner.invite(roomId);
    const revoked = await owner.invite(roomId);
    const stolen = await Stolen.from(owner, roomId);
    const tokenOf = (inviteId: string): Uint8Array =>
      exposeSecret(stolen.invites.find((invite) => invite.inviteId === inviteId)!.token!);
    const secrets = {
      key: exposeSecret(stolen.current.key),
      used: tokenOf(used.inviteId),
      revoked: tokenOf(revoked.inviteId),
    };
    await expectGone({ who: owner, thief: thiefOf(owner), secrets }, async () => {
      value(await owner.api.revokeInvite(roomId, revoked.inviteId));
      const ines = await stage.member('Inès');
      value(await ines.api.join(used.link, ines.name));
      await ines.admitted(roomId);
      all.push(ines);
      await stage.settled(all, 3);
      // The epoch before is kept for what is on its way.
      await rotated(owner, roomId, all);
      await rotated(owner, roomId, all);
      await until('the invites to be burnt', async () => {
        const { invites, core } = await Stolen.from(owner, roomId);
        return (
          core.keys.every(({ epoch }) => epoch > stolen.core.epoch) &&
          invites.every(({ token }) => token === null)
        );
      });
      await stage.level(all);
    });
    expect(epochOf(owner)).toBeGreaterThan(stolen.core.epoch + 1);
  });

  test('G14 finds nothing of a room that was left and forgotten', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await said(roomId, [owner, tomas], [[tomas, 'said in a room that is forgotten']]);
    const stolen = await Stolen.from(tomas, roomId);
    const secrets = {
      text: 'said in a room that is forgotten',
      name: 'Rive droite',
      identity: exposeSecret(stolen.identity.privateKey),
      key: exposeSecret(stolen.current.key),
    };
    await expectGone({ who: tomas, thief: thiefOf(tomas), secrets }, async () => {
      value(await tomas.api.leaveRoom(roomId));
      await until('to be out', () => tomas.app?.rooms[0]?.stage === 'left');
      value(await tomas.api.forgetRoom(roomId, false));
      await until('the room to be forgotten', () => tomas.app?.rooms.length === 0);
    });
  });

  test('G14 opens nothing with a passphrase that was changed, and with the new one nothing that had gone before', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await said(
      roomId,
      [owner, tomas],
      [
        [owner, 'words to be deleted'],
        [owner, 'words that stay'],
      ],
    );
    const thief = thiefOf(owner);
    await thief.watch();
    value(await owner.api.deleteMessage(roomId, lineId(owner, 'words to be deleted')));
    await until('the deletion', () => owner.messages.some(({ deleted }) => deleted));
    const before = await thief.watch();
    const was = owner.passphrase;
    value(await owner.api.changePassphrase(was, NEXT));
    // Whatever is sealed again by then.
    expect(await thief.opens([was])).toEqual([]);
    const gone = { deleted: 'words to be deleted' };
    expect(await thief.finds(gone, [was, NEXT])).toEqual(none(gone));
    expect((await thief.finds({ stays: 'words that stay' }, [NEXT])).stays).toBeGreaterThan(0);
    await until('every record to be under the new key', () =>
      takenFrom(owner.folder).records.every(({ key }) => key !== 'renewal'),
    );
    expect(await thief.opens([was])).toEqual([]);
    expect(await thief.finds(gone, [was, NEXT])).toEqual(none(gone));
    // Who had copied the device before, key file and all, has what it had then.
    expect((await thief.finds({ stays: 'words that stay' }, [was], before)).stays).toBeGreaterThan(0);
    expectNoOldKey(owner, before);
  });

  test('G14 opens nothing at all once the device was erased, not even a guess at the passphrase', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await said(roomId, [owner, tomas], [[owner, 'the last that was said']]);
    const thief = thiefOf(owner);
    const before = await thief.watch();
    value(await owner.api.eraseVault());
    expect(await thief.opens([owner.passphrase])).toEqual([]);
    expect(
      (await thief.finds({ said: 'the last that was said' }, [owner.passphrase], before)).said,
    ).toBeGreaterThan(0);
    expectNoOldKey(owner, before);
  });
});
