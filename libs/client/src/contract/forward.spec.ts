import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ClientApi } from './api.js';
import { COMMANDS, forwardCommands } from './forward.js';

/** A client that answers every command with its own name and what it was given. */
class Echo {
  readonly name = 'echo';
}
for (const command of Object.keys(COMMANDS)) {
  Object.defineProperty(Echo.prototype, command, {
    value(this: Echo, ...args: readonly unknown[]) {
      return Promise.resolve([this.name, command, ...args]);
    },
  });
}
const client = new Echo() as unknown as ClientApi;
const door = forwardCommands((work) => work(client)) as unknown as Record<string, unknown>;
type Call = (...args: readonly unknown[]) => Promise<unknown>;

describe('commands that are handed on', () => {
  it('each reach the client as its own method, with all that they were given', async () => {
    expect(Object.keys(door)).toEqual(Object.keys(COMMANDS));
    for (const command of Object.keys(COMMANDS)) {
      await expect((door[command] as Call)('a', null, 3)).resolves.toEqual(['echo', command, 'a', null, 3]);
      await expect((door[command] as Call).apply(null, [1])).resolves.toEqual(['echo', command, 1]);
    }
  });

  it('wait for a client that has not started, and fail as it does', async () => {
    const starting = Promise.withResolvers<ClientApi>();
    const waiting = forwardCommands(async (work) => work(await starting.promise));
    const typing = waiting.typing('room');
    starting.resolve(client);
    await expect(typing).resolves.toEqual(['echo', 'typing', 'room']);
    const failed = forwardCommands(async (work) => work(await Promise.reject<ClientApi>(new Error('no'))));
    await expect(failed.lock()).rejects.toThrow('no');
  });

  it('are all there is: any other name is refused with a code', () => {
    const inherited = [
      'constructor',
      '__proto__',
      'toString',
      'valueOf',
      'hasOwnProperty',
      '__defineGetter__',
    ];
    for (const name of [...inherited, 'name', 'close', '', 'sendText ']) {
      expect(() => door[name]).toThrow(expect.objectContaining({ code: 'UNKNOWN_KIND' }));
      expect(name in door).toBe(false);
    }
    fc.assert(
      fc.property(fc.string(), (name) => {
        fc.pre(!Object.hasOwn(COMMANDS, name) && name !== 'then');
        expect(() => door[name]).toThrow(expect.objectContaining({ code: 'UNKNOWN_KIND' }));
      }),
    );
    expect(Object.getPrototypeOf(door)).toBeNull();
  });

  it('can be awaited and printed as a whole', async () => {
    expect(door.then).toBeUndefined();
    await expect(Promise.resolve(door)).resolves.toBe(door);
    expect(Reflect.get(door, Symbol.toPrimitive)).toBeUndefined();
  });

  it('cannot be exchanged', () => {
    const other = (): null => null;
    expect(Reflect.set(door, 'unlock', other)).toBe(false);
    expect(Reflect.set(door, 'other', other)).toBe(false);
    expect(Reflect.defineProperty(door, 'unlock', { value: other })).toBe(false);
    expect(Reflect.deleteProperty(door, 'unlock')).toBe(false);
    expect(Reflect.setPrototypeOf(door, Echo.prototype)).toBe(false);
  });
});
