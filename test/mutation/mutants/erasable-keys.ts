/** Keys that can be destroyed (docs/protocol.md section 9, docs/decisions/0041). */
import type { Mutant } from '../mutant.js';

const TABLE = 'libs/client/src/vault/key-table.ts';
const SEALED = 'libs/client/src/vault/sealed-storage.ts';
const KEYS = 'libs/client/src/vault/vault-keys.ts';
const RENEWAL = 'libs/client/src/vault/renewal.ts';
const VAULT = 'libs/client/src/vault/vault.ts';
const KDF = 'libs/crypto/src/keys/passphrase-kdf.ts';
const PAGED = 'libs/client/src/browser/key-file.ts';
const SPEC = 'libs/client/src/vault/key-table.spec.ts';
const THIEF = 'test/hostile/keys/thief.spec.ts';

const ended = (how: 'kill' | 'power' | 'full') => ({
  path: SPEC,
  name: `whatever step is the last one before a ${how}: nothing is lost, and nothing that is gone opens`,
});
const thief = (name: string) => ({ path: THIEF, name });

export const ERASABLE_KEY_MUTANTS: readonly Mutant[] = [
  {
    name: 'the key of what is replaced stays in the table',
    breaks: ['G14'],
    changes: [
      {
        file: TABLE,
        find: '    await this.#destroy(gone);\n    // One by one',
        put: '    // One by one',
      },
    ],
    tests: [
      ended('kill'),
      thief(
        'G14 finds no line that was deleted, and no words that were edited away, at its author and at others',
      ),
    ],
  },
  {
    name: 'where the keys lie in the database, a destroyed one stays there until much else is',
    breaks: ['G14'],
    changes: [
      {
        file: PAGED,
        find: 'gone in the database.\n    await this.flush();',
        put: 'gone in the database.',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/browser/storage.spec.ts',
        name: 'has what was written when the worker ends without another word',
      },
    ],
  },
  {
    name: 'only what is deleted is let go of, and not what is written over',
    breaks: ['G14'],
    changes: [
      {
        file: SEALED,
        find: 'if (value === null || number === null || this.openOrNull',
        put: 'if (changes[at]?.value !== null || value === null || number === null || this.openOrNull',
      },
    ],
    tests: [
      ended('kill'),
      thief('G8 G14 finds no key of an epoch that is over, and no token of a used or revoked invite'),
    ],
  },
  {
    name: 'the key is destroyed before the database has let go of the record',
    breaks: ['G14'],
    changes: [
      {
        file: SEALED,
        find: '      await this.#storage.write([...this.#seal(last, taken), ...records, ledger]);',
        put: '      await this.#table.commit(turnover);\n      await this.#storage.write([...this.#seal(last, taken), ...records, ledger]);',
      },
    ],
    tests: [ended('kill')],
  },
  {
    name: 'a crash leaves the keys that were about to be destroyed',
    breaks: ['G14'],
    changes: [
      {
        file: TABLE,
        find: '    await this.#destroy(gone);\n    this.#spare = [];',
        put: '    this.#spare = [];',
      },
    ],
    tests: [ended('kill'), ended('power')],
  },
  {
    name: 'spare keys outlive a crash, with what was sealed under them and never stored',
    breaks: ['G14'],
    changes: [
      {
        file: TABLE,
        find: '    await this.#fill(spare);\n    this.#findFree();',
        put: '    for (const number of spare) this.#spare.push(number);\n    this.#findFree();',
      },
    ],
    tests: [ended('kill')],
  },
  {
    name: 'keys are used that are not on the disk yet',
    breaks: ['G14'],
    changes: [
      {
        file: TABLE,
        find: '    await this.flush();\n    for (const number of numbers)',
        put: '    for (const number of numbers)',
      },
    ],
    tests: [ended('power')],
  },
  {
    name: 'a failed write leaves it open which keys are in use',
    breaks: ['G14'],
    changes: [{ file: SEALED, find: 'this.#state.unsettled = true;', put: 'this.#state.unsettled = false;' }],
    tests: [ended('full')],
  },
  {
    name: 'a read opens what it found only after its key is gone',
    breaks: ['G14'],
    changes: [
      {
        file: SEALED,
        find: '      // Whoever has read what is gone by now has opened it.\n      await Promise.all(this.#state.reading);',
        put: '',
      },
    ],
    tests: [{ path: SPEC, name: 'that a write overtakes still opens what it found' }],
  },
  {
    name: 'the device’s key is not asked for beside the passphrase',
    breaks: ['G14'],
    changes: [
      { file: KDF, find: 'beside === undefined ? tag : concat(tag, exposeSecret(beside))', put: 'tag' },
    ],
    tests: [
      {
        path: 'libs/crypto/src/keys/vault.spec.ts',
        name: 'open to the passphrase and the key beside it together, and to neither alone',
      },
    ],
  },
  {
    name: 'another passphrase keeps the vault key',
    breaks: ['G14'],
    changes: [
      {
        file: KEYS,
        find: 'this.#sealed.under(newVaultKey(this.#platform.crypto.random))',
        put: 'this.#sealed.under(this.#sealed.current.slice() as never)',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/node/storage.spec.ts',
        name: 'changes its passphrase and its vault key, and loses no record',
      },
    ],
  },
  {
    name: 'the device’s key of before a change of the passphrase stays',
    breaks: ['G14'],
    changes: [
      { file: SEALED, find: 'if (own !== undefined && own.before !== null) gone.push(own.before);', put: '' },
    ],
    tests: [
      ended('kill'),
      thief(
        'G14 opens nothing with a passphrase that was changed, and with the new one nothing that had gone before',
      ),
    ],
  },
  {
    name: 'records stay under the vault key of before',
    breaks: ['G14'],
    changes: [
      {
        file: RENEWAL,
        find: 'if (APART.has(store) || sealed.isCurrent(store, { key, value })) return [];',
        put: 'return [];',
      },
    ],
    tests: [ended('kill')],
  },
  {
    name: 'erasing leaves the keys, and empties the database alone',
    breaks: ['G14'],
    changes: [{ file: VAULT, find: 'await KeyTable.destroy(storage.keyFile);', put: '' }],
    tests: [thief('G14 opens nothing at all once the device was erased, not even a guess at the passphrase')],
  },
];
