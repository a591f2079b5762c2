/** What a page can reach of the worker: comlink follows any path of names that a message holds. */
import { afterAll, describe, expect, it } from '@jest/globals';
import { MessageChannel } from 'node:worker_threads';
import { expose, wrap, type Endpoint, type Remote } from 'comlink';
import { forwardCommands } from '@0fc/client/browser';

import { FakeClient } from '../../../test-support/fake-client';

type Anything = Remote<Record<string, Record<string, (...args: unknown[]) => unknown>>> &
  Record<string, (...args: unknown[]) => Promise<unknown>>;

const { port1, port2 } = new MessageChannel();
const fake = new FakeClient('first');
expose(
  forwardCommands((work) => work(fake)),
  port1 as unknown as Endpoint,
);
const page = wrap(port2 as unknown as Endpoint) as unknown as Anything;
afterAll(() => {
  port1.close();
});

describe('the worker, asked by messages', () => {
  it('carries a command out', async () => {
    await expect(page.createVault?.('a passphrase')).resolves.toEqual({ ok: true, value: undefined });
    expect(fake.calls).toContain('open a passphrase');
  });

  it.each(['constructor', '__proto__', 'toString', 'calls', 'pushApp', 'hasOwnProperty'])(
    'refuses %s with a code',
    async (name) => {
      await expect(page[name]?.('return 1')).rejects.toThrow('UNKNOWN_KIND');
    },
  );

  it.each([
    ['unlock', 'constructor'],
    ['unlock', 'name', 'constructor', 'constructor'],
    ['unlock', 'apply', 'constructor'],
    ['unlock', '__proto__', 'constructor'],
  ])('makes nothing of what a command inherits: %s.%s', async (...path) => {
    const target = path.reduce<unknown>((at, name) => Reflect.get(at as object, name), page) as (
      text: string,
    ) => Promise<unknown>;
    await expect(target('return 1')).rejects.toThrow(/of undefined/);
  });

  it('lets no command be exchanged', async () => {
    const answer = Promise.withResolvers<unknown>();
    port2.once('message', (message: unknown) => {
      answer.resolve(message);
    });
    port2.postMessage({ id: 'x', type: 'SET', path: ['unlock'], value: { type: 'RAW', value: 1 } });
    expect(await answer.promise).toMatchObject({ id: 'x', value: { isError: true } });
    await expect(page.unlock?.('wrong')).resolves.toMatchObject({ ok: false });
  });
});
