/**
 * Deleted means deleted (docs/protocol.md section 9): whoever takes the device, its passphrase and all that its vault holds
 * finds no word that was deleted or edited away, at its author, at the others and in their exports (G14).
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Platform } from '@0fc/client';
import { storageOver } from '../../../libs/client/src/vault/storage-over.spec-support.js';
import { exported } from '../../support/exported.js';
import { Member, value } from '../../support/member.js';
import { openHurried, openOver, openQuick } from '../../support/platform.js';
import { inVaultOf } from '../../support/vault-of.js';
import { restarted, rotated, said } from '../acts.js';
import { putBack, showLoss } from '../members/losses.js';
import { keptIn, keptInExport, recordsOf } from '../members/kept-words.js';
import { ownLine } from '../members/own-line.js';
import { keysOf, openedBy, roomOf } from '../members/record-reader.js';
import { Stolen } from '../members/stolen.js';
import { Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Nobody listens there. */
const NOWHERE = 'http://localhost:9';

const line = (who: Member, text: string) => {
  const found = who.messages.find((message) => message.text === text);
  if (found === undefined) throw new Error(`${who.name} has no “${text}”`);
  return found;
};

async function expectKept(
  all: readonly Member[],
  roomId: string,
  { gone, kept }: { readonly gone: readonly string[]; readonly kept: readonly string[] },
): Promise<void> {
  for (const who of all) {
    expect([who.name, await keptIn(who, roomId, [...gone, ...kept])]).toEqual([who.name, kept]);
    expect([who.name, await keptInExport(who, [...gone, ...kept])]).toEqual([who.name, kept]);
  }
}

describe('words that were deleted or edited away', () => {
  test('G14 are in no vault and no export: not of their author, of the others, of who came since', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const all = [owner, tomas, ines];
    await said(roomId, all, [
      [tomas, 'the first words'],
      [tomas, 'words to be deleted'],
      [owner, 'a question to all'],
    ]);
    value(await ines.api.reply(roomId, line(ines, 'words to be deleted').id, 'an answer, meant badly'));
    value(await owner.api.react(roomId, line(owner, 'words to be deleted').id, 'hardly an emoji', true));
    await stage.arrives(all, 'an answer, meant badly');
    await stage.byItself('the reaction', all, () =>
      all.every((who) => line(who, 'words to be deleted').reactions.length === 1),
    );
    const kept = ['a question to all'];
    await expectKept(all, roomId, {
      gone: [],
      kept: ['the first words', 'words to be deleted', 'an answer, meant badly', 'hardly an emoji', ...kept],
    });
    value(await tomas.api.editMessage(roomId, line(tomas, 'the first words').id, 'the second words'));
    await stage.arrives(all, 'the second words');
    value(await tomas.api.editMessage(roomId, line(tomas, 'the second words').id, 'the last words'));
    value(await tomas.api.deleteMessage(roomId, line(tomas, 'words to be deleted').id));
    value(await ines.api.deleteMessage(roomId, line(ines, 'an answer, meant badly').id));
    await stage.arrives(all, 'the last words');
    await stage.byItself('the deletions', all, () =>
      all.every((who) => who.messages.filter(({ deleted }) => deleted).length === 2),
    );
    const gone = [
      'the first words', 'the second words', 'words to be deleted', 'an answer, meant badly', 'hardly an emoji',
    ]; // prettier-ignore
    const zoe = await stage.joined(owner, roomId, 'Zoé');
    await stage.level([...all, zoe]);
    await expectKept([...all, zoe], roomId, { gone, kept: ['the last words', ...kept] });
    const shown = all.map(({ messages }) =>
      messages.map(({ text, deleted, edited }) => [text, deleted, edited]),
    );
    await restarted(roomId, ...all);
    await stage.level(all);
    expect(
      all.map(({ messages }) => messages.map(({ text, deleted, edited }) => [text, deleted, edited])),
    ).toEqual(shown);
    expect(all.flatMap(({ alarms }) => alarms)).toEqual([]);
    await expectKept(all, roomId, { gone, kept: ['the last words', ...kept] });
  });

  test('G14 are gone at their author before anybody has heard, and reach nobody who has not read them yet', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await said(roomId, [owner, tomas], [[tomas, 'read by all']]);
    await owner.leave();
    stage.relay.onRequest('append', () => 'drop');
    await tomas.say(roomId, 'sealed and on its way');
    const waits = () => tomas.messages.some(({ state }) => state === 'sending');
    await stage.byItself('it to wait', [tomas], waits);
    value(await tomas.api.deleteMessage(roomId, line(tomas, 'sealed and on its way').id));
    value(await tomas.api.deleteMessage(roomId, line(tomas, 'read by all').id));
    const words = ['read by all', 'sealed and on its way'];
    await expectKept([tomas], roomId, { gone: words, kept: [] });
    await tomas.leave();
    const from = stage.relay.seen.length;
    stage.relay.honest();
    await owner.comeBack(roomId);
    await tomas.comeBack(roomId);
    await stage.goesOn(roomId, [owner, tomas], 'after it,');
    await stage.byItself('the deletion', [owner], () => owner.messages.some(({ deleted }) => deleted));
    await expectKept([owner, tomas], roomId, { gone: words, kept: [] });
    const stolen = await Stolen.from(owner, roomId);
    const sent = openedBy({ keys: keysOf(stolen) }, stage.relay.seen.slice(from), roomOf(stolen));
    expect(sent).toContain('after it, Tomás');
    expect(words.filter((one) => sent.has(one))).toEqual([]);
    expect(owner.alarms).toEqual([]);
  });

  test('G14 whose end comes before them are never stored', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const { nextN, me: sender, instance } = stolen.core;
    const [late, edited] = [nextN + 3, nextN + 4].map((n) => ({ sender, instance, n }));
    const send = (n: number, content: Parameters<Stolen['message']>[0]) => {
      const { clear, payload } = stolen.message(content, { n });
      return peer.request('append', { messages: [{ clear, payload }] });
    };
    await send(nextN, { type: 'delete', to: late });
    await send(nextN + 1, { type: 'edit', to: edited, text: 'the last words' });
    await send(nextN + 2, { type: 'reaction', to: late, emoji: 'hardly an emoji', on: true });
    await send(nextN + 3, { type: 'text', text: 'deleted before it came' });
    await send(nextN + 4, { type: 'text', text: 'edited before it came' });
    await stage.arrives([owner], 'the last words');
    expect(owner.messages.slice(-2)).toMatchObject([
      { deleted: true, text: '', reactions: [] },
      { edited: true, text: 'the last words' },
    ]);
    const gone = ['deleted before it came', 'edited before it came', 'hardly an emoji'];
    await expectKept([owner], roomId, { gone, kept: ['the last words'] });
    expect(owner.alarms).toEqual([]);
    peer.leave();
  });

  test('G3 whose sender has not edited them come under their number in other words: an alarm, though they are marked as edited', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const mid = new Uint8Array(16).fill(7);
    const said = (words: string, fields = {}) => {
      const { clear, payload } = stolen.message({ type: 'text', text: words, ...fields }, { mid });
      return peer.request('append', { messages: [{ clear, payload }] });
    };
    await said('as it was said');
    await said('as it suits now', { edited: true });
    await stage.byItself('the alarm', [owner], () => owner.alarms.includes('ALARM_DUPLICATE_N'));
    expect(owner.texts).toContain('as it was said');
    expect(owner.texts).not.toContain('as it suits now');
    peer.leave();
  });

  test('G14 G16 G18 are sent to nobody again after a loss: a line comes back in its last words', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const both = [owner, tomas];
    await stage.level([...both, ines]);
    const before = stage.relay.world.snapshot();
    await ines.leave();
    await said(roomId, both, [
      [tomas, 'before the edit'],
      [tomas, 'of the epoch before'],
    ]);
    value(
      await tomas.api.editMessage(roomId, line(tomas, 'of the epoch before').id, 'of that epoch, edited'),
    );
    await stage.arrives(both, 'of that epoch, edited');
    value(await tomas.api.editMessage(roomId, line(tomas, 'before the edit').id, 'after the edit'));
    await stage.arrives(both, 'after the edit');
    const gone = ['before the edit', 'of the epoch before'];
    const words = ['after the edit', 'of that epoch, edited'];
    const there = [...keysOf(await Stolen.from(tomas, roomId))];
    await rotated(owner, roomId, both);
    const from = stage.relay.seen.length;
    putBack(stage, [...both, ines], before);
    await showLoss(stage, both);
    await stage.goesOn(roomId, both, 'after the loss,');
    await ines.comeBack(roomId);
    await stage.goesOn(roomId, [ines, ...both], 'with Inès,');
    const stolen = await Stolen.from(tomas, roomId);
    const sent = openedBy(
      { keys: [...there, ...keysOf(stolen)] },
      stage.relay.seen.slice(from),
      roomOf(stolen),
    );
    expect([...gone, ...words].filter((one) => sent.has(one))).toEqual(words);
    expect(words.map((text) => line(ines, text))).toMatchObject([{ edited: true }, { edited: true }]);
    for (const who of [...both, ines])
      expect(who.messages.filter(({ text }) => words.includes(text))).toHaveLength(2);
    expect([...both, ines].flatMap(({ alarms }) => alarms)).not.toContain('ALARM_DUPLICATE_N');
    await expectKept([...both, ines], roomId, { gone, kept: words });
  });
});

/** A copy of the folder of a vault at each of its writes: what a kill -9 leaves there. */
class Copies {
  readonly folders: string[] = [];
  #home = '';

  async of(member: Member): Promise<typeof openQuick> {
    this.#home = await mkdtemp(join(tmpdir(), '0fc-copies-'));
    return openOver((platform: Platform) => ({
      ...platform,
      storage: this.#around(platform.storage, member.folder),
    }));
  }

  #around(storage: Platform['storage'], folder: string): Platform['storage'] {
    return storageOver(storage, {
      write: async (changes) => {
        await storage.write(changes);
        const copy = join(this.#home, String(this.folders.length));
        await mkdir(copy);
        for (const name of await readdir(folder))
          if (name.startsWith('vault.')) await cp(join(folder, name), join(copy, name));
        this.folders.push(copy);
      },
    });
  }

  async remove(): Promise<void> {
    await rm(this.#home, { recursive: true, force: true });
  }
}

describe('a kill -9 at any write', () => {
  test.each(['author', 'other'] as const)(
    'G14 of the %s leaves the words only where they are shown too',
    async (whose) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      const victim = whose === 'author' ? tomas : owner;
      const copies = new Copies();
      await victim.leave();
      victim.open = await copies.of(victim);
      await victim.comeBack(roomId);
      await stage.goesOn(roomId, both, 'before it,');
      await said(roomId, both, [
        [tomas, 'to be deleted'],
        [tomas, 'to be edited'],
      ]);
      await stage.level(both);
      const from = copies.folders.length;
      value(await tomas.api.deleteMessage(roomId, line(tomas, 'to be deleted').id));
      value(await tomas.api.editMessage(roomId, line(tomas, 'to be edited').id, 'the better words'));
      await stage.arrives(both, 'the better words');
      await stage.byItself('the deletion', both, () =>
        both.every((who) => who.messages.some(({ deleted }) => deleted)),
      );
      await stage.goesOn(roomId, both, 'after it,');
      await victim.leave();
      const left: (readonly string[])[] = [];
      for (const folder of copies.folders.slice(from - 1)) {
        const { name, passphrase } = victim;
        const copy = Member.over(folder, { name, relayUrl: NOWHERE, passphrase });
        copy.open = openQuick;
        await copy.comeBack(roomId);
        await stage.byItself('its lines', [copy], () => copy.items.length > 0);
        const words = ['to be deleted', 'to be edited', 'the better words'];
        const shown = words.filter((one) =>
          copy.messages.some(({ text, deleted }) => text === one && !deleted),
        );
        await copy.leave();
        const held = await keptIn(copy, roomId, words);
        // An edit that waits is shown by its author already, and takes the words away once the log holds it.
        const waits = shown.includes('the better words') && held.includes('to be edited');
        expect(held).toEqual(
          waits && whose === 'author' ? words.filter((one) => one !== 'to be deleted') : shown,
        );
        left.push(held);
      }
      expect(left[0]).toEqual(['to be deleted', 'to be edited']);
      expect(left.at(-1)).toEqual(['the better words']);
      await copies.remove();
    },
  );
});

describe('a room that has ended', () => {
  test.each([
    ['left', 'left'],
    ['closed', 'closed'],
  ] as const)(
    'G14 that was %s, and then forgotten, has left no word of it: drafts and what waited among them',
    async (how, stageThen) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      const words = ['said in the room', 'a name of the room', 'begun and not sent'];
      await said(roomId, both, [[tomas, words[0]!]]);
      value(await owner.api.renameRoom(roomId, words[1]!));
      await stage.byItself('the name', both, () => both.every(({ room }) => room?.name === words[1]));
      const leaver = how === 'left' ? tomas : owner;
      value(await leaver.api.setDraft(roomId, words[2]!));
      expect(await keptIn(leaver, roomId, words)).toEqual(words);
      value(await (how === 'left' ? leaver.api.leaveRoom(roomId) : leaver.api.closeRoom(roomId)));
      await stage.byItself('the end', [leaver], () => stageOf(leaver, roomId) === stageThen);
      value(await leaver.api.forgetRoom(roomId));
      const left = await inVaultOf(leaver, recordsOf);
      expect(words.filter((one) => left.some((record) => Buffer.from(record).includes(one)))).toEqual([]);
      expect(await keptInExport(leaver, words)).toEqual([]);
    },
  );
});

test('G14 an export that is imported brings back no word that was gone from its vault', async () => {
  const { owner, tomas, roomId } = await stage.two();
  await said(roomId, [owner, tomas], [[tomas, 'to be deleted']]);
  stage.relay.onRequest('append', () => 'drop');
  value(await tomas.api.deleteMessage(roomId, line(tomas, 'to be deleted').id));
  // The deletion waits yet, and goes with the file.
  const FILE = 'a long enough passphrase of the file';
  const file = await exported(tomas.api, FILE);
  await tomas.leave();
  stage.relay.honest();
  const device = stage.keep(
    Member.over(await mkdtemp(join(tmpdir(), '0fc-member-')), {
      name: 'Tomás', relayUrl: stage.relay.url, passphrase: 'a long enough passphrase of the device',
    }),
  ); // prettier-ignore
  device.open = openHurried;
  await device.start();
  value(await device.api.importVault(file, FILE, device.passphrase));
  await device.watch(roomId);
  await stage.byItself('the deletion', [owner], () => owner.messages.some(({ deleted }) => deleted));
  await expectKept([owner, device], roomId, { gone: ['to be deleted'], kept: [] });
  expect(ownLine(device, 'to be deleted')).toBeUndefined();
});
