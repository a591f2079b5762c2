/** The READMEs of the libraries: every example is sound and runs, and none of what a door offers is left out. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from '@0fc/client';
import * as clientNode from '@0fc/client/node';
import * as keys from '@0fc/crypto/keys';
import * as link from '@0fc/crypto/link';
import * as cryptoNode from '@0fc/crypto/node';
import * as verify from '@0fc/crypto/verify';
import * as protocol from '@0fc/protocol';
import { complaintsAbout, examplesOf, written } from '../support/examples.js';
import { RelayProcess } from '../support/relay-process.js';

type Door = Readonly<Record<string, unknown>>;

/** Functions and classes, which are what somebody calls. */
const callable = (door: Door): string[] =>
  Object.keys(door).filter((name) => typeof door[name] === 'function');

const READMES: readonly { readonly readme: string; readonly offered: readonly string[] }[] = [
  { readme: 'libs/protocol/README.md', offered: callable(protocol) },
  { readme: 'libs/crypto/README.md', offered: [keys, verify, link, cryptoNode].flatMap(callable) },
  { readme: 'libs/client/README.md', offered: [client, clientNode].flatMap(callable) },
];

let relay: RelayProcess;

beforeAll(async () => {
  relay = await RelayProcess.start();
  process.env.RELAY_URL = relay.url;
});

afterAll(async () => {
  delete process.env.RELAY_URL;
  await relay.remove();
});

describe.each(READMES)('$readme', ({ readme, offered }) => {
  const examples = examplesOf(readme);
  const code = examples.map((example) => example.code).join('\n');

  test('has an example for each function of its doors', () => {
    expect(offered.length).toBeGreaterThan(0);
    expect(
      offered.filter((name) => !new RegExp(`\\b${name}[(.]|instanceof ${name}\\b|, ${name}\\)`).test(code)),
    ).toEqual([]);
  });

  test('has examples that do what they say', async () => {
    const [story] = examples.filter(({ browser }) => !browser);
    if (story === undefined) throw new Error('no example');
    await import(written(story, 'run'));
  });
});

test('all examples are sound to the compiler', () => {
  const paths = READMES.flatMap(({ readme }) =>
    examplesOf(readme).map((example, at) => written(example, `checked-${String(at)}`)),
  );
  expect(complaintsAbout(paths)).toEqual([]);
});

test('every command of a client has its example', () => {
  const code = examplesOf('libs/client/README.md')
    .map((example) => example.code)
    .join('\n');
  const commands = Object.getOwnPropertyNames(client.Client.prototype).filter(
    (name) => name !== 'constructor',
  );
  expect(commands.filter((name) => !code.includes(`.${name}(`))).toEqual([]);
});
