/** What every storage must do for the vault: one suite, run over each implementation. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { utf8, type Bytes } from '@0fc/protocol';
import type { StorageChange, StoragePort } from '../contract/ports.js';

export interface StorageUnderTest {
  readonly name: string;
  /** A storage over nothing. */
  fresh(): Promise<StoragePort>;
  /** Another handle on what the last fresh one has stored. */
  again(): Promise<StoragePort>;
  clean(): Promise<void>;
}

export const put = (store: string, key: string, value: string): StorageChange => ({
  store,
  key,
  value: utf8(value),
});
export const drop = (store: string, key: string): StorageChange => ({ store, key, value: null });

/** A change that no storage can take, which it finds out in the middle of a batch. */
export const broken: StorageChange = {
  store: 'a',
  key: 'broken',
  value: {
    get length(): number {
      throw new TypeError('not bytes');
    },
  } as unknown as Bytes,
};

export function describeStorage(subject: StorageUnderTest): void {
  describe(`${subject.name}: storage`, () => {
    let storage: StoragePort;
    beforeEach(async () => {
      storage = await subject.fresh();
    });
    afterEach(async () => {
      await storage.close();
      await subject.clean();
    });

    it('reads what was written, and null for what was not', async () => {
      await storage.write([put('a', '1', 'one'), { store: 'a', key: 'empty', value: new Uint8Array() }]);
      expect(await storage.read('a', '1')).toEqual(utf8('one'));
      expect(await storage.read('a', 'empty')).toEqual(new Uint8Array());
      expect(await storage.read('b', '1')).toBeNull();
      expect(await storage.list('b')).toEqual([]);
      expect([await storage.count('a'), await storage.count('b')]).toEqual([2, 0]);
    });

    it('keeps all 256 byte values, and no more of a buffer than the view shows', async () => {
      const whole = Uint8Array.from({ length: 300 }, (_, at) => at & 0xff);
      await storage.write([{ store: 'a', key: '1', value: whole.subarray(10, 270) }]);
      const read = await storage.read('a', '1');
      expect(read).toEqual(whole.slice(10, 270));
      expect(read?.buffer.byteLength).toBe(260);
    });

    it('lists a store alone, ascending in plain string order', async () => {
      const keys = ['b', 'a', 'a/2', 'a/10', '', '\u{1F600}', '\uFF5E', 'Z'];
      await storage.write(keys.map((key) => put('a', key, key)));
      await storage.write([put('ab', 'x', 'x'), put('', 'y', 'y')]);
      const listed = await storage.list('a');
      expect(listed.map(({ key }) => key)).toEqual([...keys].sort());
      expect(listed.map(({ value }) => value)).toEqual([...keys].sort().map(utf8));
    });

    it('lists by prefix, whatever letters it has', async () => {
      const keys = ['room', 'room/1', 'room/2', 'roon', 'r%', 'r_', 'r*', 'R'];
      await storage.write([...keys.map((key) => put('a', key, key)), put('b', 'room/3', '')]);
      const from = async (prefix: string): Promise<readonly string[]> =>
        (await storage.listFrom('a', prefix)).map(({ key }) => key);
      expect(await from('room/')).toEqual(['room/1', 'room/2']);
      expect(await from('r%')).toEqual(['r%']);
      expect(await from('r_')).toEqual(['r_']);
      expect(await from('r*')).toEqual(['r*']);
      expect(await from('x')).toEqual([]);
      expect(await from('')).toEqual([...keys].sort());
    });

    it('lists from a key on and up to another, in order, and no more than asked for', async () => {
      const keys = ['a/1', 'a/2', 'a/3', 'b/1', 'ä'];
      await storage.write([...keys.toReversed().map((key) => put('a', key, key)), put('b', 'a/2', '')]);
      const between = async (from: string, to: string, most?: number): Promise<readonly string[]> =>
        (await storage.listBetween('a', from, to, most)).map(({ key }) => key);
      expect(await between('a/2', 'b/1')).toEqual(['a/2', 'a/3']);
      expect(await between('a/0', 'b/2', 2)).toEqual(['a/1', 'a/2']);
      expect(await between('', 'c', 0)).toEqual([]);
      expect(await between('a/2', 'a/2')).toEqual([]);
      expect(await between('b', 'a')).toEqual([]);
    });

    it('replaces and deletes; the last change to a key counts', async () => {
      await storage.write([put('a', '1', 'one'), put('a', '2', 'two')]);
      await storage.write([put('a', '1', 'uno'), drop('a', '2'), drop('a', 'absent')]);
      await storage.write([put('a', '3', 'x'), drop('a', '3'), drop('a', '4'), put('a', '4', 'four')]);
      expect(await storage.list('a')).toEqual([
        { key: '1', value: utf8('uno') },
        { key: '4', value: utf8('four') },
      ]);
    });

    it('writes calls in their order', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, at) => storage.write([put('a', '1', String(at))])));
      expect(await storage.read('a', '1')).toEqual(utf8('19'));
    });

    it('a batch that fails leaves nothing behind, in any store', async () => {
      await storage.write([put('a', '1', 'one'), put('b', '1', 'one')]);
      const batch = [
        put('a', '1', 'other'),
        drop('b', '1'),
        put('c', '1', 'new'),
        broken,
        put('c', '2', 'new'),
      ];
      await expect(storage.write(batch)).rejects.toMatchObject({ name: 'ClientError' });
      expect(await storage.read('a', '1')).toEqual(utf8('one'));
      expect(await storage.read('b', '1')).toEqual(utf8('one'));
      expect(await storage.list('c')).toEqual([]);
      await storage.write([put('a', '1', 'after')]);
      expect(await storage.read('a', '1')).toEqual(utf8('after'));
    });

    it('is there again for the next handle', async () => {
      await storage.write([put('a', '1', 'one')]);
      const next = await subject.again();
      expect(await next.read('a', '1')).toEqual(utf8('one'));
      if (next !== storage) await next.close();
    });

    it('erases everything', async () => {
      await storage.write([put('a', '1', 'one'), put('b', '1', 'one')]);
      await storage.erase();
      expect(await storage.list('a')).toEqual([]);
      expect(await storage.list('b')).toEqual([]);
    });

    it('is unavailable once closed', async () => {
      await storage.close();
      await storage.close();
      await expect(storage.read('a', '1')).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
      await expect(storage.write([put('a', '1', 'one')])).rejects.toMatchObject({
        code: 'VAULT_UNAVAILABLE',
      });
    });
  });
}
