/**
 * Keys that can be destroyed (docs/protocol.md section 9; docs/decisions/0041): a device that ends at every step there is, and
 * a thief who has all that its database ever held, every passphrase there was and the key file as it is.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { fromUtf8, toHex, utf8, type Bytes } from '@0fc/protocol';
import { vaultKeyIn } from '../../../../test/support/earlier-vault.js';
import { Dice } from '../../../../test/support/random.js';
import { ClientError } from '../contract/errors.js';
import type { StorageChange } from '../contract/ports.js';
import { Device, type End } from './device.spec-support.js';
import { decodeHeader, openHeader } from './header.js';
import { KeyTable } from './key-table.js';
import { quickPassphrases } from './quick-passphrases.spec-support.js';
import { SealedStorage } from './sealed-storage.js';
import { storageOver } from './storage-over.spec-support.js';
import { drop, put } from './storage-contract.spec-support.js';
import { Vault } from './vault.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const FIRST = 'the first passphrase, long enough';
const SECOND = 'the second passphrase, long enough';
const PASSPHRASES = [FIRST, SECOND] as const;
/** By kill -9, by a loss of power, and a full disk, which refuses one step and takes the next. */
const ENDS: readonly End[] = ['kill', 'power', 'full'];
const SEED = Number(process.env.SEED ?? '20261130');

beforeAll(() => loadThemis());

/** What a vault says, by place. */
type Contents = ReadonlyMap<string, string>;

/** One act of a user: what it does, and what the vault says after it. */
interface Act {
  readonly does: (vault: Vault) => Promise<void>;
  readonly then: Contents;
  readonly passphrase: string;
}

function acts(): readonly Act[] {
  const all: Act[] = [];
  let said: Contents = new Map();
  let passphrase: string = FIRST;
  const write = (...changes: readonly ReturnType<typeof put>[]): void => {
    const next = new Map(said);
    for (const { store, key, value } of changes) {
      if (value === null) next.delete(`${store} ${key}`);
      else next.set(`${store} ${key}`, fromUtf8(value));
    }
    said = next;
    all.push({ does: (vault) => vault.write(changes), then: next, passphrase });
  };
  const change = (next: string): void => {
    const current = passphrase;
    passphrase = next;
    all.push({
      does: async (vault) => {
        await vault.changePassphrase(current, next);
        await vault.renewed();
      },
      then: said,
      passphrase: next,
    });
  };
  write(
    put('log', '1', 'deleted later'),
    put('log', '2', 'edited later'),
    put('keys', 'a', 'of the first epoch'),
  );
  write(put('log', '2', 'edited'), put('keys', 'a', 'of the second epoch'));
  write(drop('log', '1'), put('log', '3', 'kept'), put('log', '3', 'kept, of two in one write'));
  // More than are spare at once.
  write(...Array.from({ length: 80 }, (_, at) => put('many', String(at), `line ${String(at)}`)));
  change(SECOND);
  write(...Array.from({ length: 60 }, (_, at) => drop('many', String(at))), put('log', '4', 'late'));
  for (let round = 0; round < 24; round++) write(put('place', 'x', `position ${String(round)}`));
  change(FIRST);
  write(drop('log', '2'), drop('place', 'x'), drop('never', 'there'));
  return all;
}

const platformOf = (device: Device) => ({ crypto, passphrases: quickPassphrases, storage: device.storage });

async function contentsOf(vault: Vault, device: Device): Promise<Contents> {
  const said = new Map<string, string>();
  for (const { store, key } of await device.storage.listAfter(null, 10_000)) {
    const value = store === 'vault' ? null : await vault.get(store, key);
    if (value !== null) said.set(`${store} ${key}`, fromUtf8(value));
  }
  return said;
}

/** What every copy of every record says to somebody who has all of it, and is not in the vault any more. */
async function carvedFrom(device: Device, passphrase: string): Promise<readonly string[]> {
  const live = new Map(
    (await device.storage.listAfter(null, 10_000)).map(({ store, key, value }) => [
      `${store} ${key}`,
      toHex(value),
    ]),
  );
  const header = live.get('vault header');
  const found: string[] = [];
  const file = device.keys();
  const keyFile = {
    ...device.storage.keyFile,
    open: async () => file,
    write: async () => undefined,
    flush: async () => undefined,
  };
  const { device: named } = await decodeHeader(
    nodeHash,
    (await device.storage.read('vault', 'header')) ?? new Uint8Array(),
  );
  const table = await KeyTable.open({ crypto, keyFile }, named!.table, null);
  const key = await vaultKeyIn(platformOf(device), passphrase);
  const sealed = new SealedStorage(device.storage, table, key);
  for (const { store, key: place, value } of device.carved) {
    const bytes = value!;
    if (live.get(`${store} ${place}`) === toHex(bytes)) continue;
    if (store === 'vault' && place === 'header') {
      if (toHex(bytes) !== header) found.push(...(await opensHeader(bytes, table)));
    } else if (store !== 'vault' || place === 'renewal') {
      if (sealed.openOrNull(store, { key: place, value: bytes }) !== null) found.push(`${store} ${place}`);
    }
  }
  return found;
}

async function opensHeader(bytes: Bytes, table: KeyTable): Promise<readonly string[]> {
  const header = await decodeHeader(nodeHash, bytes);
  const beside = table.key(header.device!.number) ?? undefined;
  const opened: string[] = [];
  for (const passphrase of PASSPHRASES) {
    try {
      await openHeader(quickPassphrases, header, passphrase, beside);
      opened.push(`a header, by ${passphrase}`);
    } catch (error) {
      expect((error as { code: string }).code).toBe('WRONG_PASSPHRASE');
    }
  }
  return opened;
}

/** The whole story, which ends at a step; then the device is started again. False: there are not so many steps. */
async function endedAt(step: number, end: End, seed: number): Promise<boolean> {
  const device = new Device(new Dice(seed));
  const story = acts();
  const began = await Vault.create(platformOf(device), FIRST);
  let vault = began;
  device.endAt(step, end);
  let before: Pick<Act, 'then' | 'passphrase'> = { then: new Map(), passphrase: FIRST };
  const may: (typeof before)[] = [];
  for (const act of story) {
    may.splice(0, may.length, before, act);
    try {
      await act.does(vault);
    } catch (error) {
      if (end !== 'full') break;
      // Asked again, as the client does once there is room.
      expect((error as { code: string }).code).toBe('VAULT_FULL');
      await act.does(vault);
    }
    may.splice(0, may.length, act);
    before = act;
  }
  if (!device.ended) {
    await vault.renewed();
    await vault.close().catch(() => undefined);
  }
  const { reached } = device;
  device.restart();
  const opened = await openedBy(
    device,
    may.map(({ passphrase }) => passphrase),
  );
  vault = opened.vault;
  await vault.renewed();
  const now = await contentsOf(vault, device);
  const one = may.find(({ then, passphrase }) => passphrase === opened.passphrase && same(then, now));
  expect(one === undefined ? [...now] : 'one of the two').toBe('one of the two');
  await vault.close();
  expect(await carvedFrom(device, opened.passphrase)).toEqual([]);
  return reached;
}

const same = (a: Contents, b: Contents): boolean =>
  a.size === b.size && [...a].every(([place, text]) => b.get(place) === text);

/** Exactly one of the passphrases opens it. */
async function openedBy(device: Device, passphrases: readonly string[]) {
  const opened: { readonly vault: Vault; readonly passphrase: string }[] = [];
  for (const passphrase of new Set(passphrases)) {
    try {
      opened.push({ vault: await Vault.unlock(platformOf(device), passphrase), passphrase });
    } catch (error) {
      expect((error as { code: string }).code).toBe('WRONG_PASSPHRASE');
    }
  }
  expect(opened).toHaveLength(1);
  return opened[0]!;
}

describe('a vault of which nothing comes back', () => {
  it.each(ENDS)(
    'whatever step is the last one before a %s: nothing is lost, and nothing that is gone opens',
    async (end) => {
      // All of them together take every step; `npm run long` takes each for each.
      const stride = process.env.EVERY_STEP === undefined ? ENDS.length : 1;
      let step = 1 + (ENDS.indexOf(end) % stride);
      try {
        while (await endedAt(step, end, SEED + step)) step += stride;
      } catch (error) {
        throw new Error(`SEED=${String(SEED)}, step ${String(step)}`, { cause: error });
      }
      expect(step).toBeGreaterThan(100);
    },
  );

  it('that is erased is gone, and one that was cut short opens whole or not at all', async () => {
    for (let step = 1; ; step++) {
      const device = new Device(new Dice(step));
      const vault = await Vault.create(platformOf(device), FIRST);
      await vault.write([put('log', '1', 'a line')]);
      const headers = device.carved.filter(({ key }) => key === 'header');
      await vault.close();
      device.endAt(step, 'power');
      const over = await Vault.erase(device.storage).then(
        () => true,
        () => false,
      );
      const { ended } = device;
      device.restart();
      // Either nothing has happened yet, or nothing of it opens any more.
      const opened = await Vault.unlock(platformOf(device), FIRST).then(
        () => 'opens',
        (error: unknown) => (error as { code: string }).code,
      );
      if (over) {
        expect(opened).toBe('VAULT_ABSENT');
        expect(headers).toHaveLength(1);
        expect(
          device
            .keys()
            .slice(32)
            .every((byte) => byte === 0),
        ).toBe(true);
      } else expect(['opens', 'VAULT_ABSENT', 'VAULT_KEYS_LOST']).toContain(opened);
      if (!ended) return;
    }
  });
});

describe('the key file', () => {
  const made = async (): Promise<Device> => {
    const device = new Device(new Dice(1));
    const vault = await Vault.create(platformOf(device), FIRST);
    await vault.write([put('log', '1', 'a line'), put('log', '2', 'another')]);
    await vault.close();
    return device;
  };
  const unlocked = (device: Device): Promise<string> =>
    Vault.unlock(platformOf(device), FIRST).then(
      () => 'opens',
      (error: unknown) => (error as { code: string }).code,
    );
  const over = (device: Device, file: Uint8Array): Device =>
    Object.assign(Object.create(device) as Device, {
      storage: {
        ...device.storage,
        keyFile: { ...device.storage.keyFile, open: async () => file },
      },
    });

  it('that is not there, is cut short, or is another vault’s is said to be lost, and nothing is changed', async () => {
    const device = await made();
    const whole = device.keys();
    const before = await device.storage.listAfter(null, 100);
    const other = (await made()).keys();
    for (const file of [
      new Uint8Array(),
      whole.slice(0, 31),
      whole.slice(0, 32),
      other,
      new Uint8Array(whole.length),
    ])
      expect(await unlocked(over(device, file))).toBe('VAULT_KEYS_LOST');
    expect(await device.storage.listAfter(null, 100)).toEqual(before);
    expect(await unlocked(device)).toBe('opens');
  });

  it('of a later client is left alone', async () => {
    const device = await made();
    const file = device.keys();
    file[8] = 2;
    expect(await unlocked(over(device, file))).toBe('UNSUPPORTED_VERSION');
  });

  it('with a torn entry damages the record that it belongs to, and no other', async () => {
    const device = await made();
    const file = device.keys();
    const number = new DataView((await device.storage.read('log', '1'))!.buffer).getUint32(1, true);
    file[32 * number] = (file[32 * number] ?? 0) ^ 1;
    const vault = await Vault.unlock(platformOf(over(device, file)), FIRST);
    await expect(vault.get('log', '1')).rejects.toMatchObject({
      code: 'VAULT_DAMAGED',
      params: { store: 'log' },
    });
    expect(await vault.get('log', '2')).toEqual(utf8('another'));
  });

  it('does without a ledger that is damaged', async () => {
    const device = await made();
    for (const value of [new Uint8Array(), utf8('x'), null]) {
      await device.storage.write([{ store: 'vault', key: 'ledger', value }]);
      expect(await unlocked(device)).toBe('opens');
    }
    const ledger = (await (await made()).storage.read('vault', 'ledger'))!;
    ledger[5] = (ledger[5] ?? 0) ^ 1;
    await device.storage.write([{ store: 'vault', key: 'ledger', value: ledger }]);
    expect(await unlocked(device)).toBe('opens');
  });

  it('that a full disk cannot take is no reason not to open: what is there is read, and written once there is room', async () => {
    const device = await made();
    const { storage } = device;
    let full = true;
    const keyFile = {
      ...storage.keyFile,
      write: (at: number, bytes: Bytes) =>
        full ? Promise.reject(new ClientError('VAULT_FULL')) : storage.keyFile.write(at, bytes),
    };
    const vault = await Vault.unlock(
      { ...platformOf(device), storage: storageOver(storage, { keyFile }) },
      FIRST,
    );
    expect(await vault.get('log', '1')).toEqual(utf8('a line'));
    await expect(vault.write([put('log', '1', 'not stored')])).rejects.toMatchObject({ code: 'VAULT_FULL' });
    expect(await vault.get('log', '1')).toEqual(utf8('a line'));
    full = false;
    await vault.write([put('log', '1', 'stored')]);
    await vault.close();
    const again = await Vault.unlock(platformOf(device), FIRST);
    expect(await again.get('log', '1')).toEqual(utf8('stored'));
    expect(await again.get('log', '2')).toEqual(utf8('another'));
    await again.close();
    expect(await carvedFrom(device, FIRST)).toEqual([]);
  });

  it('does not grow with what is written over and over', async () => {
    const device = await made();
    const vault = await Vault.unlock(platformOf(device), FIRST);
    for (let round = 0; round < 500; round++) await vault.write([put('place', 'x', String(round))]);
    expect(device.keys().length).toBeLessThan(32 * 512);
    await vault.close();
  });
});

describe('a table of very many', () => {
  it('takes, lets go of and settles more at once than a call has arguments', async () => {
    const device = new Device(new Dice(1));
    const tables = { crypto, keyFile: device.storage.keyFile };
    const many = 200_000;
    const table = await KeyTable.create(tables, 1);
    const written: (Bytes | null)[] = [];
    const write = ({ value }: StorageChange): Promise<void> => Promise.resolve(void written.push(value));
    await table.reserve(many, write);
    const filled = await table.turnover(many, []);
    await table.commit(filled);
    await table.reserve(many, write);
    await table.commit(await table.turnover(0, filled.taken));
    expect(filled.taken.every((number) => table.key(number) === null)).toBe(true);
    await table.settle(written.at(-1) ?? null);
    const { taken } = await table.turnover(many, []);
    expect(new Set(taken).size).toBe(many);
    expect(taken.every((number) => table.key(number) !== null)).toBe(true);
  });

  it('destroys nothing for a number that is none of a record’s: of the head, behind its end, twice', async () => {
    const device = new Device(new Dice(1));
    const table = await KeyTable.create({ crypto, keyFile: device.storage.keyFile }, 1);
    const head = device.keys().slice(0, 32);
    const { length } = device.keys();
    const turnover = await table.turnover(0, [0, 0x7fffffff, 5, 5]);
    expect(turnover.gone).toEqual([5]);
    await table.commit(turnover);
    expect(device.keys().slice(0, 32)).toEqual(head);
    expect(device.keys()).toHaveLength(length);
  });
});

describe('a record whose number was changed on the disk', () => {
  it.each(['head', 'another’s', 'far behind'])('to one %s costs itself alone', async (which) => {
    const device = new Device(new Dice(1));
    let vault = await Vault.create(platformOf(device), FIRST);
    await vault.write([put('log', '1', 'a line'), put('log', '2', 'another')]);
    await vault.close();
    const [one, two] = await Promise.all(['1', '2'].map((key) => device.storage.read('log', key)));
    const changed = Uint8Array.from(one!);
    const numbers = {
      head: 0,
      'another’s': new DataView(two!.buffer).getUint32(1, true),
      'far behind': 0x00ffffff,
    };
    new DataView(changed.buffer).setUint32(1, numbers[which as keyof typeof numbers], true);
    await device.storage.write([{ store: 'log', key: '1', value: changed }]);
    vault = await Vault.unlock(platformOf(device), FIRST);
    await vault.write([put('log', '1', 'a line again')]);
    await vault.close();
    vault = await Vault.unlock(platformOf(device), FIRST);
    expect(await vault.get('log', '1')).toEqual(utf8('a line again'));
    expect(await vault.get('log', '2')).toEqual(utf8('another'));
    expect(device.keys().length).toBeLessThan(32 * 512);
  });
});

describe('a change of the passphrase', () => {
  it('that is stored, told as failed and cannot be looked up leaves what opens, while records are sealed again', async () => {
    const device = new Device(new Dice(1));
    const { storage } = device;
    let fails = false;
    const doubtful = storageOver(storage, {
      read: (store, key) =>
        fails ? Promise.reject(new ClientError('VAULT_UNAVAILABLE')) : storage.read(store, key),
      write: async (changes) => {
        await storage.write(changes);
        if (changes.some(({ key }) => key === 'header') && armed) {
          fails = true;
          throw new ClientError('VAULT_UNAVAILABLE');
        }
      },
    });
    let armed = false;
    const platform = { ...platformOf(device), storage: doubtful };
    let vault = await Vault.create(
      platform,
      FIRST,
      Array.from({ length: 300 }, (_, at) => put('log', String(at), `line ${String(at)}`)),
    );
    await vault.changePassphrase(FIRST, SECOND);
    armed = true;
    await expect(vault.changePassphrase(SECOND, FIRST)).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    [armed, fails] = [false, false];
    await vault.write([put('log', 'after', 'written after it')]);
    await vault.renewed();
    await vault.close();
    vault = await Vault.unlock(platform, FIRST);
    await vault.renewed();
    expect(await vault.list('log')).toHaveLength(301);
    await vault.close();
    vault = await Vault.unlock(platform, FIRST);
    expect(await vault.get('log', 'after')).toEqual(utf8('written after it'));
  });

  it('outlives a database that has lost a step of sealing again', async () => {
    for (const lost of [1, 2, 3, 4]) {
      const device = new Device(new Dice(1));
      const { storage } = device;
      let undo: readonly StorageChange[] = [];
      let steps = 0;
      const forgetful = storageOver(storage, {
        write: async (changes) => {
          const before = await storage.readEach(changes);
          await storage.write(changes);
          if (!changes.some(({ key }) => key === 'renewed-to') || changes.some(({ key }) => key === 'header'))
            return;
          steps += 1;
          if (steps === lost)
            undo = changes.map(({ store, key }, at) => ({ store, key, value: before[at] ?? null }));
          if (steps >= lost) throw new ClientError('VAULT_UNAVAILABLE');
        },
      });
      const records = Array.from({ length: 150 }, (_, at) => put('log', String(at), `line ${String(at)}`));
      const vault = await Vault.create({ ...platformOf(device), storage: forgetful }, FIRST, records);
      await vault.changePassphrase(FIRST, SECOND);
      await vault.renewed();
      await storage.write(undo);
      const opened = await Vault.unlock(platformOf(device), SECOND);
      await opened.renewed();
      // Of the step that was lost its own records may be damaged, and nothing else.
      const readable = await opened.listReadable('log', '', '\uffff');
      expect(readable.filter(({ value }) => value !== null).length).toBeGreaterThanOrEqual(150 - 62);
    }
  });
});

describe('a read', () => {
  it('that a write overtakes still opens what it found', async () => {
    const device = new Device(new Dice(1));
    const { storage } = device;
    let stored: () => void = () => undefined;
    const until = new Promise<void>((resolve) => {
      stored = resolve;
    });
    let slow = false;
    const after = async <T>(found: Promise<T>): Promise<T> => {
      const value = await found;
      if (slow) await until;
      return value;
    };
    // What was read is handed over once another write is in the database.
    const overtaken = storageOver(storage, {
      read: (store, key) => after(storage.read(store, key)),
      list: (store) => after(storage.list(store)),
      write: async (changes) => {
        await storage.write(changes);
        if (slow) stored();
      },
    });
    const vault = await Vault.create({ ...platformOf(device), storage: overtaken }, FIRST);
    await vault.write([put('log', '1', 'before')]);
    slow = true;
    const reads = Promise.allSettled([vault.get('log', '1'), vault.list('log')]);
    await vault.write([put('log', '1', 'after')]);
    slow = false;
    expect(await reads).toEqual([
      { status: 'fulfilled', value: utf8('before') },
      { status: 'fulfilled', value: [{ key: '1', value: utf8('before') }] },
    ]);
    expect(fromUtf8((await vault.get('log', '1'))!)).toBe('after');
  });
});
