/** What stays on a device, in a log, and in the relay's (docs/protocol.md sections 6 and 9; G14, G15, G16). */
import type { Mutant } from '../mutant.js';

const RECORDS = 'libs/crypto/src/keys/vault.ts';
const PASSPHRASE_SEAL = 'libs/crypto/src/keys/passphrase-seal.ts';
const READER = 'libs/client/src/room/outgoing/log-reader.ts';
const OUTBOX = 'libs/client/src/room/member/outbox.ts';
const KEYS_SPEC = 'test/hostile/keys/guarantees-keys.spec.ts';
const GENERATIONS = 'libs/client/src/room/log/generations.ts';
const FULL_DISK_DEVICE = 'test/hostile/disk/full-disk-device.spec.ts';

export const KEEPING_MUTANTS: readonly Mutant[] = [
  {
    name: 'the vault’s records are not sealed',
    breaks: ['G14'],
    changes: [
      {
        file: RECORDS,
        find: "return sealCell(vaultKey, plain, vaultCtx('vault-record', store, key));",
        put: 'return plain;',
      },
      {
        file: RECORDS,
        find: "const plain = openCell(vaultKey, sealed, vaultCtx('vault-record', store, key), { code: 'VAULT_DAMAGED' });",
        put: 'const plain = sealed;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/node/storage.spec.ts',
        name: 'nothing at rest holds a value, the vault key or the passphrase',
      },
      {
        path: KEYS_SPEC,
        name: 'G14 a profile on disk holds no key, token, name, text or passphrase in clear',
      },
    ],
  },
  {
    name: 'a vault’s key may have been stretched by one round',
    breaks: ['G14', 'W9'],
    changes: [{ file: PASSPHRASE_SEAL, find: 'rounds >= ROUNDS.least &&', put: '' }],
    tests: [
      {
        path: 'libs/crypto/src/keys/vault.spec.ts',
        name: 'that is cut or reshaped is damage, and says so without trying the passphrase',
      },
    ],
  },
  {
    name: 'a new vault may be written over another',
    breaks: ['G14', 'W9'],
    changes: [
      {
        file: 'libs/client/src/vault/vault-keys.ts',
        find: "if ((await VaultKeys.state(storage)) !== 'absent') throw new ClientError(ERROR_CODES.VAULT_EXISTS);",
        put: '',
      },
    ],
    tests: [
      {
        path: 'test/hostile/keys/weaknesses-keys.spec.ts',
        name: 'W9 is an error, opens nothing, and overwrites nothing',
      },
    ],
  },
  {
    name: 'a room that the relay calls gone loses its keys',
    breaks: ['G14', 'W8'],
    changes: [
      {
        file: READER,
        find: 'if (code === ERROR_CODES.ROOM_UNKNOWN || code === ERROR_CODES.ROOM_CLOSED) {',
        put: 'if (code === ERROR_CODES.ROOM_UNKNOWN || code === ERROR_CODES.ROOM_CLOSED) {\n      await this.#room.write((draft) => { draft.apply(set({ keys: [] })); });',
      },
    ],
    tests: [
      {
        path: 'test/hostile/keys/weaknesses-keys.spec.ts',
        name: 'W8 said by the relay deletes no key and no message, and is shown',
      },
    ],
  },
  {
    name: 'a member is gone on the relay’s word',
    breaks: ['G14', 'G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/departed.ts',
        find: 'const how = provenDeparture(draft, entry);',
        put: "const how = provenDeparture(draft, entry) ?? 'removed';",
      },
    ],
    tests: [
      {
        path: KEYS_SPEC,
        name: 'G14 whatever the relay refuses, forgets or calls gone, nothing is deleted here',
      },
    ],
  },
  {
    name: 'the relay logs what it is sent',
    breaks: ['G15', 'W12'],
    changes: [
      {
        file: 'apps/relay/src/gateway/request-queue.ts',
        find: 'this.#replying = true;',
        put: "this.#replying = true;\n      log.debug({ body: message.body }, 'request');",
      },
    ],
    tests: [
      {
        path: 'test/hostile/transcript/transcript.spec.ts',
        name: 'G15 W12 leaves no secret in the log at its loudest, the metrics, the answers over HTTP, or the files of a relay as it is run',
      },
    ],
    built: true,
  },
  {
    name: 'an error of the configuration repeats the secret',
    breaks: ['G15'],
    changes: [
      {
        file: 'apps/relay/src/config/settings.ts',
        find: "one.secret === true ? 'not usable' : JSON.stringify(raw)",
        put: 'JSON.stringify(raw)',
      },
    ],
    tests: [{ path: 'apps/relay/src/config/environment.spec.ts', name: 'no secret is repeated in an error' }],
  },
  {
    name: 'a page is followed by what it has already',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/delivery/merge-feed.ts',
        find: 'if (comparePositions(entry.position, last) <= 0) continue;',
        put: '',
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/rooms/delivery/merge-feed.spec.ts',
        name: 'whatever the feed lost or repeated, each entry comes once and in order, or the log is asked for',
      },
    ],
  },
  {
    name: 'a generation that the feed lost is passed over',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/delivery/merge-feed.ts',
        find: 'if (comparePositions(before, position) !== 0) return',
        put: 'if (before.s !== position.s) return',
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/rooms/delivery/merge-feed.spec.ts',
        name: 'whatever the feed lost or repeated, each entry comes once and in order, or the log is asked for',
      },
    ],
  },
  {
    name: 'the relay places a repetition a second time',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/append.ts',
        find: "{ kind: 'message', sender, clear, payload, id }",
        put: "{ kind: 'message', sender, clear, payload }",
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts',
        name: 'places in one order, and a repetition where it stands',
      },
    ],
  },
  {
    name: 'a line is given up at the relay’s acknowledgement',
    breaks: ['G16', 'G6'],
    changes: [
      {
        file: OUTBOX,
        find: 'import { append, putOutbox, set,',
        put: 'import { append, dropOutbox, putOutbox, set,',
      },
      {
        file: OUTBOX,
        find: 'draft.apply(putOutbox({ ...waiting, acknowledged: true }));',
        put: 'draft.apply(dropOutbox(item.n));',
      },
    ],
    tests: [
      {
        path: KEYS_SPEC,
        name: 'G16 an acknowledgement that the relay makes up is no acknowledgement: the line is there when it is read back',
      },
    ],
  },
  {
    name: 'what a store has lost is not sent again',
    breaks: ['G16'],
    changes: [{ file: GENERATIONS, find: 'requeueLost(draft, lost);', put: '' }],
    tests: [
      {
        path: 'libs/client/src/room/log/generations.spec.ts',
        name: 'sends one’s own lost messages again, with the same n and mid, and counts them once back',
      },
    ],
  },
  {
    name: 'a loss is not shown',
    breaks: ['G6', 'G16'],
    changes: [{ file: GENERATIONS, find: 'draft.apply(replaceItems(index, [item]));', put: '' }],
    tests: [
      {
        path: 'libs/client/src/room/log/entry.spec.ts',
        name: 'of the store’s tail is shown, and nothing but the position goes back',
      },
      {
        path: 'test/hostile/losses/loss-lies.spec.ts',
        name: 'G6 are shown as a loss, give nothing up, and end in no loop',
      },
    ],
  },
  {
    name: 'a draft is shown before it is stored',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/account/drafts.ts',
        find: "const value = text === '' ? null : utf8(text);",
        put: "const value = text === '' ? null : utf8(text);\n      this.#texts.set(roomId, text);",
      },
    ],
    tests: [
      {
        path: FULL_DISK_DEVICE,
        name: 'G14 changes nothing, not even what is shown: a draft, which is done once there is room, over a restart too',
      },
    ],
  },
  {
    name: 'a join that could not be ended is ended here, until the next start',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/account/room-acts.ts',
        find: '    if (isOpen()) live.start();\n    throw error;',
        put: '    throw error;',
      },
    ],
    tests: [
      {
        path: FULL_DISK_DEVICE,
        name: 'G2 G14 keeps a join going that could not be ended: its owner may still admit it',
      },
    ],
  },
  {
    name: 'an import writes the vault first, and its records after it',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/vault/vault-keys.ts',
        find: 'await sealed.write(records, keys.#ownWrite(sealed, passphrase, null));',
        put: 'await sealed.write([], keys.#ownWrite(sealed, passphrase, null));\n        await sealed.write(records);',
      },
    ],
    tests: [
      {
        path: FULL_DISK_DEVICE,
        name: 'G14 G16 has nothing of it or all of it, and the same file is imported once there is room',
      },
    ],
  },
  {
    name: 'what an earlier version did not know stays unknown to a later one',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/state/load.ts',
        find: 'roster.newer ? readChain(hash, roster.roomId, chain) : roster;',
        put: 'roster.newer && chain.length === 0 ? readChain(hash, roster.roomId, chain) : roster;',
      },
    ],
    tests: [
      {
        path: 'test/hostile/input/later-version.spec.ts',
        name: 'what an earlier version of this client did not know is read again by one that does, and stays where it does not',
      },
    ],
  },
];
