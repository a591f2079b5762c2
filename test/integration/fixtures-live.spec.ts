/**
 * What earlier code of this version of the protocol left on disks is opened by this code, shows what it showed, and goes on
 * over the relay's store of then; what it had deleted or edited away is gone from it (test/fixtures/v03). The files never
 * change; what is expected of them neither.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecord } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { toBase64Url } from '@0fc/protocol';
import { createNodePlatform } from '@0fc/client/node';
import { startRelay } from '../../apps/relay/src/start.js';
import { decodeHeader, openHeader } from '../../libs/client/src/vault/header.js';
import { HEADER, OWN_STORE } from '../../libs/client/src/vault/own-store.js';
import { STORES } from '../../libs/client/src/vault/records.js';
import { Vault } from '../../libs/client/src/vault/vault.js';
import {
  copyOf, fixtureFolder, LIVE_FIXTURES, openCopy, readExpected, readMade, type FixtureVault,
} from '../fixtures/fixture.js'; // prettier-ignore
import { shownBy } from '../fixtures/shown.js';
import { Member, value } from '../support/member.js';
import { until } from '../support/wait.js';
import { inVaultOf } from '../support/vault-of.js';

/** Nobody listens there. */
const NOWHERE = 'http://localhost:9';
const RELAY = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', ROOM_IDLE_DAYS: '0' };
/** What Lucie deleted and what Tomás said before he edited it (story-talk.ts). */
const GONE = ['Oups, mauvaise conversation 🙈', 'On part à sept heures'] as const;
const KEPT = 'On part à huit heures ⏰';

const present: Member[] = [];
function kept(member: Member): Member {
  present.push(member);
  return member;
}

afterEach(async () => {
  await Promise.all(present.splice(0).map((member) => member.remove()));
});

const found = (values: readonly Uint8Array[], texts: readonly string[]): readonly string[] =>
  texts.filter((text) => values.some((bytes) => Buffer.from(bytes).includes(text)));

/** Every record of an open vault. */
async function all(vault: Vault): Promise<readonly Uint8Array[]> {
  const lists = await Promise.all(Object.values(STORES).map((store) => vault.list(store)));
  return lists.flat().map(({ value }) => value);
}

describe.each(LIVE_FIXTURES)('%s', (name) => {
  const root = fixtureFolder(name);
  const made = readMade(root);
  const expected = readExpected(root);
  const opened = async (place: string, relayUrl: string): Promise<Member> => {
    const vault = made.vaults.find((one) => one.place === place);
    if (vault === undefined) throw new Error(`there is no vault ${place}`);
    return kept(await openCopy(vault, relayUrl, root));
  };

  beforeAll(() => {
    // The whole process lives soon after the fixture was made: no invite of its has expired.
    const begun = performance.now();
    jest.spyOn(Date, 'now').mockImplementation(() => made.clock + Math.round(performance.now() - begun));
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  test.each(made.vaults.map(({ place }) => place))(
    'the vault %s opens and shows what it showed',
    async (place) => {
      const member = await opened(place, NOWHERE);
      expect(await shownBy(member)).toEqual(expected.vaults[place]);
    },
  );

  /** What a copy of a vault of Node holds: as it was made, and once it was opened. */
  async function heldBy({ place, passphrase }: FixtureVault, texts: readonly string[]) {
    const folder = await copyOf(place, root);
    const platform = await createNodePlatform({ folder });
    const { storage, passphrases } = platform;
    const header = await decodeHeader(nodeHash, (await storage.read(OWN_STORE, HEADER))!);
    const key = await openHeader(passphrases, header, passphrase);
    const lists = await Promise.all(
      Object.values(STORES).map(async (store) =>
        (await storage.list(store)).map((record) => openRecord(key, store, record.key, record.value)),
      ),
    );
    const before = found(lists.flat(), texts);
    const vault = await Vault.unlock(platform, passphrase);
    const after = found(await all(vault), texts);
    await vault.close();
    await storage.close();
    await rm(folder, { recursive: true });
    return { before, after };
  }

  test.each(['node/owner', 'node/member', 'node/left', 'redis/owner'])(
    'G14 what was deleted and edited away is gone from %s once it was opened',
    async (place) => {
      const vault = made.vaults.find((one) => one.place === place)!;
      // Version 4 only showed lines as deleted and edited.
      const before = name === 'v03' ? [...GONE, KEPT] : [KEPT];
      expect(await heldBy(vault, [...GONE, KEPT])).toEqual({ before, after: [KEPT] });
    },
  );

  test('G14 what was deleted and edited away is in no vault that its export is imported into', async () => {
    const folder = await mkdtemp(join(tmpdir(), '0fc-fixture-'));
    const passphrase = 'a passphrase of the next device';
    const member = kept(Member.over(folder, { name: 'Amina', relayUrl: NOWHERE, passphrase }));
    await member.start();
    const file = new Uint8Array(await readFile(join(root, made.export.place)));
    value(await member.api.importVault(file, made.export.passphrase, passphrase));
    expect(await shownBy(member)).toEqual(expected.imported);
    expect(await inVaultOf(member, async (vault) => found(await all(vault), [...GONE, KEPT]))).toEqual([
      KEPT,
    ]);
  });

  test('its room goes on over the store of its relay: what waited arrives, and who lacks the key gets it', async () => {
    const folder = await copyOf('relay', root);
    const relay = await startRelay({ environment: { ...RELAY, DATA_DIR: folder } });
    try {
      expect(toBase64Url(relay.publicKey)).toBe(made.relay.publicKey);
      const roomId = expected.vaults['node/owner']!.rooms[0]!.roomId;
      const people: Member[] = [];
      for (const place of ['node/owner', 'node/member', 'node/reader']) {
        const member = await opened(place, relay.url);
        await member.watch(roomId);
        people.push(member);
        // The owner, who comes first, ends his join before anybody can send.
        await until('Yann to be in', () => people[0]?.room?.members.some(({ name }) => name === 'Yann'));
      }
      const [owner, tomas, lucie] = people as [Member, Member, Member];
      const waited = 'Écrit hors ligne, au fond de la vallée 🏔️';
      // Yann came after it was written.
      await until('the question whether it is for Yann too', () =>
        tomas.messages.some(({ text, state }) => text === waited && state === 'waiting'),
      );
      const { id } = tomas.messages.find(({ text }) => text === waited)!;
      value(await tomas.api.confirmSend(roomId, id));
      await until('what waited to arrive', () => [owner, lucie].every(({ texts }) => texts.includes(waited)));
      await lucie.say(roomId, 'J’ai de nouveau la clé 🔑');
      await until('the answer', () =>
        [owner, tomas].every(({ texts }) => texts.includes('J’ai de nouveau la clé 🔑')),
      );
      for (const { messages } of people) {
        expect(messages.filter(({ deleted }) => deleted)).toHaveLength(1);
        expect(messages.filter(({ edited }) => edited).map(({ text }) => text)).toEqual([KEPT]);
      }
    } finally {
      await Promise.all(present.splice(0).map((member) => member.remove()));
      await relay.stop();
      await rm(folder, { recursive: true });
    }
  });
});
