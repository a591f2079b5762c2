/**
 * Passphrases, and what they are asked of (docs/protocol.md section 9; G14): headers and exports as somebody changes them
 * who can write to the disk, under checks that fit. Nothing but what was sealed opens, and a failure writes nothing.
 */
import { concat, encodeCbor, toHex, utf8, type Bytes } from '@0fc/protocol';
import {
  asVaultKey, KDF_COST, newVaultKey, type PassphraseSeal, sealExport, sealVaultKey, SLOTS, type SealedVaultKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { deviceKeyIn, earlierExportKey, headerIn } from '../../support/earlier-vault.js';
import { memoryStorage } from '../../../libs/client/src/room/log/log.spec-support.js';
import { RECORDS_VERSION } from '../../../libs/client/src/vault/migrations/run.js';
import { encodeHeader } from '../../../libs/client/src/vault/header.js';
import { importVault } from '../../../libs/client/src/account/vault-import.js';
import { Vault } from '../../../libs/client/src/vault/vault.js';
import type { Dice } from '../../support/random.js';
import { mutate, randomBytes } from '../mutate.js';
import { expectThat, judgedLater, type Outcome, type Target } from '../target.js';
import { randomText, varied } from '../values.js';
import {
  clearRecords, device, encodedSeal, exportFile, IMPORT_CODES, mutateText, oldExportFile, PASSPHRASE, passphrases, VAULT_CODES,
  variedRecord,
} from './vault.js'; // prettier-ignore

/** Parameters of a derivation: out of bounds, or as cheap as ours. */
const COSTS = [0, 1, 2, 3, 17, 19_455, 19_456, 32_768, 262_145, 2 ** 31, 2 ** 53 - 1] as const;

/** Where a sealed key says how many rounds its passphrase takes. */
const ROUNDS_AT = 48;

export const passphrasesTarget = (): Target => ({
  name: 'passphrases',
  share: 2_000,
  limitMs: 20_000,
  settleEvery: 500,
  prepare: async () => {
    const storage = memoryStorage();
    await (await Vault.create(device(storage), PASSPHRASE)).close();
    const header = await headerIn(storage);
    const sealed = header.sealed as SealedVaultKey;
    const slotsSeen = new Set(sealed.slots.map(toHex));
    const records = await clearRecords();
    const fileKey = newVaultKey(nodeRandom);
    const sealedFileKey = await sealExport(passphrases, PASSPHRASE, fileKey);
    const earlierFileKey = earlierExportKey(PASSPHRASE, fileKey);

    /** Changed, but not to more rounds: each million takes most of a second. */
    function changedKey(dice: Dice, key: Bytes): Bytes {
      const changed = mutate(dice, key);
      const length = Math.min(ROUNDS_AT + 4, changed.length);
      return dice.once(4)
        ? changed
        : concat(
            changed.subarray(0, Math.min(ROUNDS_AT, length)),
            key.subarray(Math.min(ROUNDS_AT, length), length),
            changed.subarray(length),
          );
    }

    /** Changed, but not to a cost that is within its bounds and far above ours: the dearest takes seconds. */
    function changedSeal(dice: Dice, seal: PassphraseSeal): PassphraseSeal {
      switch (dice.below(4)) {
        case 0:
          return { ...seal, salt: mutate(dice, seal.salt) };
        case 1:
          return { ...seal, cost: { ...KDF_COST, [dice.of(['m', 't', 'p'] as const)]: dice.of(COSTS) } };
        default:
          return { ...seal, sealed: changedKey(dice, seal.sealed) };
      }
    }

    /** Slots in another order open as before; every other change of what is used does not. */
    function changedHeader(dice: Dice): SealedVaultKey {
      if (dice.once(2)) return { ...sealed, lock: changedSeal(dice, sealed.lock) };
      const slots = sealed.slots.map((slot) => (dice.once(4) ? mutate(dice, slot, sealed.slots) : slot));
      return { ...sealed, slots: dice.once(6) ? slots.slice(dice.below(slots.length)) : slots };
    }

    async function unlock(dice: Dice): Promise<Outcome> {
      const wrong = dice.once(2) ? mutateText(dice, PASSPHRASE) : randomText(dice);
      const key = dice.once(3) ? sealed : changedHeader(dice);
      const planted = await encodeHeader(nodeHash, {
        version: RECORDS_VERSION,
        sealed: key,
        device: header.device,
      });
      await storage.write([{ store: 'vault', key: 'header', value: planted }]);
      const before = toHex(planted);
      const passphrase = dice.once(3) ? PASSPHRASE : wrong;
      const outcome = await judgedLater(() => Vault.unlock(device(storage), passphrase));
      const lockIsOwn = toHex(encodedSeal(key.lock)) === toHex(encodedSeal(sealed.lock));
      const whole = lockIsOwn && key.slots.every((slot) => slotsSeen.has(toHex(slot)));
      const right = whole && key.slots.length === SLOTS && passphrase.normalize('NFC') === PASSPHRASE;
      // The one slot that the passphrase needs may be among those that were changed, or not.
      const opens = outcome === 'ok';
      const mayOpen = lockIsOwn && passphrase.normalize('NFC') === PASSPHRASE;
      const allThere = new Set(key.slots.map(toHex)).size === slotsSeen.size;
      expectThat(VAULT_CODES.test(outcome), `unlocking ended in ${outcome}`);
      expectThat(opens ? mayOpen : !(right && allThere), `unlocking ended in ${outcome}`);
      expectThat(
        toHex((await storage.read('vault', 'header')) ?? utf8('')) === before,
        'unlocking has written',
      );
      expectThat((await Vault.state(storage)) === 'locked', 'unlocking has made a new profile');
      return `unlock ${outcome}`;
    }

    async function bring(dice: Dice): Promise<Outcome> {
      const platform = device();
      const list = dice.once(3)
        ? records
        : records.map((record) => (dice.once(4) ? variedRecord(dice, record) : record));
      const block = encodeCbor(
        varied(
          dice,
          list.map(({ store, key, value }) => ({ store, key, value })),
        ),
      );
      const blocks = dice.once(6) ? [block, randomBytes(dice, 40)] : [block];
      const changes = dice.once(4);
      const file = dice.once(3)
        ? await oldExportFile(fileKey, blocks, changes ? changedKey(dice, earlierFileKey) : earlierFileKey)
        : await exportFile(fileKey, blocks, changes ? changedSeal(dice, sealedFileKey) : sealedFileKey);
      const passphrase = dice.once(8) ? randomText(dice) : PASSPHRASE;
      const outcome = await judgedLater(() => importVault(platform, file, passphrase, PASSPHRASE));
      expectThat(IMPORT_CODES.test(outcome), `an import ended in ${outcome}`);
      const state = await Vault.state(platform.storage);
      expectThat((state === 'locked') === (outcome === 'ok'), 'an import has left half of a vault');
      return `import ${outcome}`;
    }

    /** A header of another vault in front of these records is damage, and no way in. */
    async function foreign(dice: Dice): Promise<Outcome> {
      const planted = await encodeHeader(nodeHash, {
        version: RECORDS_VERSION,
        sealed: await sealVaultKey(
          nodeRandom,
          passphrases,
          PASSPHRASE,
          asVaultKey(randomBytes(dice, 32)),
          await deviceKeyIn(storage),
        ),
        device: header.device,
      });
      await storage.write([{ store: 'vault', key: 'header', value: planted }]);
      const outcome = await judgedLater(() => Vault.unlock(device(storage), PASSPHRASE));
      expectThat(outcome.startsWith('VAULT_DAMAGED'), `a foreign header ended in ${outcome}`);
      return `foreign ${outcome}`;
    }

    return {
      run: (dice) => (dice.once(20) ? foreign(dice) : dice.once(2) ? bring(dice) : unlock(dice)),
      end: async () => {
        await storage.write([{ store: 'vault', key: 'header', value: await encodeHeader(nodeHash, header) }]);
        expectThat(
          (await judgedLater(() => Vault.unlock(device(storage), PASSPHRASE))) === 'ok',
          'the vault is lost',
        );
      },
    };
  },
});
