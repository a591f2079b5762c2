/** How a vault is shut, and what one of an earlier version becomes (docs/protocol.md section 9; G14). */
import type { Mutant } from '../mutant.js';

const SLOTS = 'libs/crypto/src/keys/vault-slots.ts';
const SEAL = 'libs/crypto/src/keys/passphrase-seal.ts';
const HEADER = 'libs/client/src/vault/header.ts';
const OUTDATED = 'libs/client/src/vault/migrations/03-outdated-rooms.ts';
const SLOTS_SPEC = 'libs/crypto/src/keys/vault.spec.ts';
const HEADER_SPEC = 'libs/client/src/vault/header.spec.ts';
const OUTDATED_SPEC = 'libs/client/src/vault/migrations/03-outdated-rooms.spec.ts';

const COST = {
  path: SLOTS_SPEC,
  name: 'costs a guess Argon2id and the rounds of Themis behind it, under a salt of its own',
};

export const VAULT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a passphrase may have been stretched over a few KiB',
    breaks: ['G14', 'W9'],
    changes: [
      {
        file: 'libs/crypto/src/keys/passphrase-kdf.ts',
        find: 'within(m, BOUNDS.m) &&',
        put: 'm > 0 &&',
      },
    ],
    tests: [
      {
        path: SLOTS_SPEC,
        name: 'that is cut or reshaped is damage, and says so without trying the passphrase',
      },
    ],
  },
  {
    name: 'every passphrase is stretched under one salt',
    breaks: ['G14'],
    changes: [
      {
        file: SEAL,
        find: 'const salt = random.bytes(KDF_SALT_BYTES);',
        put: 'const salt = new Uint8Array(KDF_SALT_BYTES);',
      },
    ],
    tests: [
      COST,
      {
        path: 'libs/client/src/node/storage.spec.ts',
        name: 'changes its passphrase and its vault key, and loses no record',
      },
    ],
  },
  {
    name: 'a vault is shut by the rounds of Themis alone',
    breaks: ['G14', 'W9'],
    changes: [
      {
        file: SEAL,
        find: 'const stretched = await stretchPassphrase(passphrase, salt, KDF_COST, beside);',
        put: "const stretched = passphrase === '' ? await stretchPassphrase('', salt, KDF_COST, beside) : normalPassphrase(passphrase);",
      },
      {
        file: SEAL,
        find: 'return openCellWith(await stretchPassphrase(passphrase, salt, cost, beside), sealed, context);',
        put: 'return openCellWith(normalPassphrase(passphrase), sealed, context);',
      },
    ],
    tests: [COST],
  },
  {
    name: 'the passphrase has the first slot of every vault',
    breaks: ['G14'],
    changes: [{ file: SLOTS, find: '(random.bytes(1)[0] ?? 0) % SLOTS', put: '0' }],
    tests: [{ path: SLOTS_SPEC, name: 'has the passphrase’s at any place, as the generator has it' }],
  },
  {
    name: 'an unused slot shows that it is',
    breaks: ['G14'],
    changes: [
      {
        file: SLOTS,
        find: 'sealCell(asSlotSecret(random.bytes(SECRET_BYTES)), random.bytes(SECRET_BYTES), SLOT)',
        put: 'random.bytes(CELL_OVERHEAD + SECRET_BYTES)',
      },
    ],
    tests: [
      { path: SLOTS_SPEC, name: 'are four of one length and one shape, and one of them is the passphrase’s' },
    ],
  },
  {
    name: 'a migrated vault opens with its header of before',
    breaks: ['G14'],
    changes: [
      { file: HEADER, find: 'if (!equalBytes(proof, proofText(version))) throw damaged();', put: '' },
    ],
    tests: [
      {
        path: HEADER_SPEC,
        name: 'of version 3, before records of this one, is damage, and nothing is migrated again',
      },
    ],
  },
  {
    name: 'a room that is only read keeps its keys',
    breaks: ['G8', 'G14'],
    changes: [{ file: OUTDATED, find: '({ ...epochKey, key: null })', put: 'epochKey' }],
    tests: [
      {
        path: OUTDATED_SPEC,
        name: 'keeps no secret but its identity, whatever was under way, and every record has its form of today',
      },
      {
        path: 'test/integration/fixture-secrets.spec.ts',
        name: 'no vault holds a secret of its rooms and joins any more, but who its member is',
      },
    ],
  },
  {
    name: 'a room of version 2 ends with those of version 1',
    breaks: ['G14'],
    changes: [
      {
        file: OUTDATED,
        find: 'return Array.isArray(roster) && roster[0] !== FIRST_ROSTER;',
        put: 'return false;',
      },
    ],
    tests: [
      {
        path: OUTDATED_SPEC,
        name: 'a room of version 2 goes on as it was, under the new names, and asks for its key again',
      },
    ],
  },
];
