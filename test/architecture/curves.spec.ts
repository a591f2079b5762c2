/** Only libs/crypto has to do with curves (curves.ts): over the repository, and over what is planted. */
import { describe, expect, test } from '@jest/globals';
import { repositoryRoot } from './cruise.js';
import { checkCurves } from './curves.js';

const offences: Readonly<Record<string, string>> = {
  'a key pair of Node': `import { createECDH } from 'node:crypto'; createECDH('prime256v1');`,
  'a key pair of any sort': `import { createHash, generateKeyPairSync } from 'node:crypto';`,
  'a signature': `import { createSign as hash } from 'crypto';`,
  'a key object, by its type': `import type { KeyObject } from 'node:crypto';`,
  'all of it, by a name': `import * as crypto from 'node:crypto';`,
  'all of it, by default': `import crypto from 'node:crypto';`,
  'all of it, by default and by name': `import crypto, { createHash } from 'node:crypto';`,
  'all of it, old': `import crypto = require('node:crypto');`,
  'all of it, later': `const { sign } = await import('node:crypto');`,
  'all of it, required': `const { sign } = require('crypto');`,
  'all of it, by the process': `const { sign } = process.getBuiltinModule('node:crypto');`,
  'handed on': `export { createECDH } from 'node:crypto';`,
  'handed on whole': `export * from 'node:crypto';`,
  'a key pair of the browser': `await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);`,
  'the browser’s, in a variable': `const all = globalThis.crypto.subtle;`,
  'the browser’s, in a pattern': `const { subtle } = crypto;`,
  'the browser’s, in a pattern and by a name': `const { subtle: all } = crypto;`,
  'the browser’s, by its name': `crypto['subtle'].sign('ECDSA', key, data);`,
  'a container of a private key': `const tag = 'REC2';`,
  'a container of a public key': 'const tag = `UEC2`;',
};

const innocents: Readonly<Record<string, string>> = {
  'a hash and a number': `import { createHash, randomBytes, randomUUID } from 'node:crypto';`,
  'a hash of the browser': `await crypto.subtle.digest('SHA-256', new Uint8Array());`,
  'a random number of the browser': `crypto.getRandomValues(new Uint8Array(16));`,
  'the door of libs/crypto': `import { generateKeyPair } from '@0fc/crypto/link';`,
  'a word': `import { crypto } from './crypto.js'; const subtle = 'RECENT';`,
};

const pathOf = (at: number): string => `apps/relay/src/planted-curve-${String(at)}.ts`;
const all = Object.entries({ ...offences, ...innocents });
const planted = Object.fromEntries(all.map(([, text], at) => [pathOf(at), text]));
const { files, findings } = checkCurves(repositoryRoot, planted);
const findingsIn = (name: string): readonly string[] =>
  findings
    .filter(({ file }) => file === pathOf(all.findIndex(([one]) => one === name)))
    .map(({ what }) => what);

test.each(Object.keys(offences))('is reported: %s', (name) => {
  expect(findingsIn(name)).not.toEqual([]);
});

test.each(Object.keys(innocents))('is let pass: %s', (name) => {
  expect(findingsIn(name)).toEqual([]);
});

describe('the repository', () => {
  test('has key pairs, signatures and their containers in libs/crypto alone', () => {
    expect(files).toBeGreaterThan(all.length + 500);
    expect(findings.filter(({ file }) => !(file in planted))).toEqual([]);
  });
});
