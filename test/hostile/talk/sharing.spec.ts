/** What the others are told beside lines is a choice of the vault: whoever serves or reads a room sees nothing else of it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exported } from '../../support/exported.js';
import { Member, value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { said } from '../acts.js';
import { idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const FILE = 'a long enough passphrase of the file';

test('G14 whoever shares no presence, typing or reading sends none: after a restart neither, and not from an imported vault', async () => {
  const { owner, tomas, roomId } = await stage.two();
  const both = [owner, tomas];
  const { relay } = stage;
  value(await tomas.api.share({ presence: false, typing: false, receipts: false }));
  await stage.level(both);
  const id = idOf(tomas);
  const before = relay.requests('signal', id).length;
  const quiet = async (who: Member, word: string): Promise<void> => {
    value(await who.api.typing(roomId));
    await said(roomId, [owner], [[owner, word]]);
    await stage.arrives([who], word);
    value(await who.api.markRead(roomId, true));
    // Whatever there were of either would have gone before this line.
    await said(roomId, [owner], [[who, `answer to ${word}`]]);
    expect(relay.requests('signal', id)).toHaveLength(before);
    expect(owner.messages.find(({ text }) => text === word)?.readBy).toBe(0);
  };
  await quiet(tomas, 'at once');
  await tomas.leave();
  await tomas.comeBack(roomId);
  await quiet(tomas, 'after a restart');
  const file = await exported(tomas.api, FILE);
  await tomas.leave();
  const device = stage.keep(
    Member.over(await mkdtemp(join(tmpdir(), '0fc-member-')), {
      name: 'Tomás', relayUrl: stage.relay.url, passphrase: 'a long enough passphrase of the device',
    }),
  ); // prettier-ignore
  device.open = openHurried;
  await device.start();
  value(await device.api.importVault(file, FILE, device.passphrase));
  await device.watch(roomId);
  await quiet(device, 'after an import');
  value(await device.api.share({ typing: true, receipts: true }));
  value(await device.api.typing(roomId));
  await stage.byItself('the typing', [owner], () => owner.room?.typing.includes('Tomás') === true);
});
