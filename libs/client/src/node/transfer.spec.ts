/** kill -9 in the middle of what must not stop halfway: a new passphrase, an import. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { STORES } from '../vault/records.js';
import { exportFile } from '../account/vault-transfer.spec-support.js';
import { Vault } from '../vault/vault.js';
import { Child, killAll } from './children.spec-support.js';
import { FileStorage } from './storage.js';
import { quickPassphrases as passphrases } from '../vault/quick-passphrases.spec-support.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const FIRST = 'the first passphrase, long enough';
const SECOND = 'the second passphrase, long enough';
const base = mkdtempSync(join(tmpdir(), '0fc-transfer-'));
let made = 0;
const newFolder = (): string => join(base, String(++made));

beforeAll(() => loadThemis());
afterEach(killAll);
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Which of the passphrases open the vault of a folder, and what it then holds. */
async function opening(folder: string): Promise<{ readonly by: readonly string[]; readonly text: string }> {
  const storage = FileStorage.open(folder);
  const by: string[] = [];
  let text = '';
  for (const passphrase of [FIRST, SECOND]) {
    try {
      const vault = await Vault.unlock({ crypto, passphrases, storage }, passphrase);
      text = new TextDecoder().decode((await vault.get(STORES.app, 'note')) ?? new Uint8Array());
      by.push(passphrase);
      await vault.close();
    } catch (error) {
      if ((error as { code?: string }).code !== 'WRONG_PASSPHRASE') throw error;
    }
  }
  await storage.close();
  return { by, text };
}

describe('kill -9', () => {
  it('in the middle of a change of the passphrase leaves exactly one that opens', async () => {
    const folder = newFolder();
    const storage = FileStorage.open(folder);
    const vault = await Vault.create({ crypto, passphrases, storage }, FIRST);
    await vault.write([{ store: STORES.app, key: 'note', value: new TextEncoder().encode('kept') }]);
    await storage.close();
    for (const rounds of [1, 2, 1, 3]) {
      const [opens = ''] = (await opening(folder)).by;
      const changer = new Child('./changer.spec-support.ts', folder, opens, opens === FIRST ? SECOND : FIRST);
      for (let round = 0; round < rounds; round++) expect(await changer.line()).not.toBeNull();
      await changer.kill();
      const { by, text } = await opening(folder);
      expect(by).toHaveLength(1);
      expect(text).toBe('kept');
    }
  });

  it('in the middle of an import leaves no vault, or all of it', async () => {
    const source = FileStorage.open(newFolder());
    const vault = await Vault.create({ crypto, passphrases, storage: source }, FIRST);
    const value = new Uint8Array(1_000).fill(7);
    const RECORDS = 4_000;
    await vault.write(
      Array.from({ length: RECORDS }, (_, at) => ({ store: STORES.chain, key: `room/${String(at)}`, value })),
    );
    await vault.write([{ store: STORES.app, key: 'note', value: new TextEncoder().encode('kept') }]);
    const file = join(base, 'export');
    writeFileSync(file, await exportFile(vault, { crypto, passphrases, storage: source }, SECOND));
    await source.close();
    for (const lines of [1, 1, 2]) {
      const folder = newFolder();
      const importer = new Child('./importer.spec-support.ts', folder, file, SECOND, FIRST);
      for (let line = 0; line < lines; line++) expect(await importer.line()).not.toBeNull();
      await importer.kill();
      const storage = FileStorage.open(folder);
      const state = await Vault.state(storage);
      if (lines === 2) expect(state).toBe('locked');
      if (state === 'absent') {
        for (const store of Object.values(STORES)) expect(await storage.list(store)).toEqual([]);
      } else {
        const opened = await Vault.unlock({ crypto, passphrases, storage }, FIRST);
        expect(await opened.list(STORES.chain)).toHaveLength(RECORDS);
        expect(await opened.get(STORES.app, 'note')).toEqual(new TextEncoder().encode('kept'));
      }
      await storage.close();
    }
  });
});
