/**
 * `succeed --origin URL`: makes the key that follows the relay's own, and the statement that leads clients to it, signed
 * by both (docs/protocol.md section 3.1, docs/operations.md). A key of the data folder is replaced there; one that was
 * given is left to who gave it, and the new one is printed.
 */
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, LIMITS, utf8 } from '@0fc/protocol';
import { generateKeyPair, signSuccession, type KeyPair } from '@0fc/crypto/link';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';
import { readConfig, type Environment, type RelayConfig } from '../config/environment.js';
import { ConfigError, systemErrorCode } from '../config/errors.js';
import { KEY_FILE, readKey, relayKeyPair, writeKey } from '../config/key-pair.js';
import { publishedSuccession, SUCCESSION_FILE } from '../config/succession.js';

export const SUCCEED_USAGE = 'succeed --origin URL [--origin URL …]';

export interface SucceedOptions {
  readonly environment: Environment;
  /** addresses at which clients reach the relay, or the page that is hosted apart */
  readonly origins: readonly string[];
}

/** Lines for the operator. Throws {@link ConfigError}: nothing that is served has changed then. */
export async function succeed({ environment, origins }: SucceedOptions): Promise<string> {
  const config = readConfig(environment, { webDir: '' });
  if (origins.length === 0)
    throw new ConfigError(`Name each address at which clients reach the relay: ${SUCCEED_USAGE}`);
  const addresses = [...new Set(origins.map(addressOf))];
  await loadThemis();
  const given = config.privateKey !== null || config.privateKeyFile !== null;
  return given ? printed(config, addresses) : kept(config, addresses);
}

/** As a client has it: without a slash at its end. */
function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const address = url === null ? '' : url.origin + url.pathname.replace(/\/+$/, '');
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!web || utf8(address).length > LIMITS.originBytes)
    throw new ConfigError(
      `--origin is ${JSON.stringify(text)}; it must be an address such as https://chat.example.org.`,
    );
  return address;
}

/** The statements as before, and those of this change. */
async function statementsOf(
  config: RelayConfig,
  pairs: { readonly old: KeyPair; readonly next: KeyPair },
  given: boolean,
  addresses: readonly string[],
): Promise<readonly string[]> {
  const { old, next } = pairs;
  const before = await publishedSuccession(config, old.publicKey, given);
  if (before.next !== null && !equalBytes(before.next, next.publicKey))
    throw new ConfigError(
      `The relay’s key gives way to ${await fingerprintOf(nodeHash, before.next)} already, by the statements that it has: give it that key first.`,
    );
  // Of a run that was interrupted.
  const stated = new Set(
    before.statements.filter((one) => equalBytes(one.old, old.publicKey)).map(({ origin }) => origin),
  );
  const missing = addresses.filter((address) => !stated.has(address));
  const texts = [...before.texts, ...missing.map((address) => signSuccession(old, next, address))];
  if (texts.length > LIMITS.successions)
    throw new ConfigError(
      `A relay publishes ${String(LIMITS.successions)} statements at most; leave out those of keys that no client can still have pinned.`,
    );
  return texts;
}

async function fingerprints(old: KeyPair, next: KeyPair): Promise<readonly string[]> {
  return [
    `fingerprint until now ${await fingerprintOf(nodeHash, old.publicKey)}`,
    `fingerprint from then on ${await fingerprintOf(nodeHash, next.publicKey)}`,
  ];
}

async function printed(config: RelayConfig, addresses: readonly string[]): Promise<string> {
  const old = await relayKeyPair(config);
  const next = generateKeyPair();
  const statements = await statementsOf(config, { old, next }, true, addresses);
  return [
    `RELAY_SUCCESSION=${statements.join(',')}`,
    `RELAY_PRIVATE_KEY=${writeKey(next)}`,
    ...(await fingerprints(old, next)),
    'First publish RELAY_SUCCESSION with the key of now on every replica, then give them RELAY_PRIVATE_KEY.',
  ].join('\n');
}

/**
 * Each step leaves a folder that the relay starts with, and running the command again after an interruption finishes
 * what it began: with the same key, since two successors of one are followed by nobody.
 */
async function kept(config: RelayConfig, addresses: readonly string[]): Promise<string> {
  const path = join(config.dataDir, KEY_FILE);
  try {
    const text = await readOrNull(path);
    if (text === null)
      throw new ConfigError(`DATA_DIR holds no key of the relay: ${path}. It makes one at its first start.`);
    const old = readKey(text);
    if (old === null) throw new ConfigError(`DATA_DIR holds a damaged key: ${path}.`);
    const next = await nextKey(`${path}.next`);
    const statements = await statementsOf(config, { old, next }, false, addresses);
    const file = join(config.dataDir, SUCCESSION_FILE);
    await writeFile(`${file}.part`, `${statements.join('\n')}\n`, { mode: 0o644 });
    await rename(`${file}.part`, file);
    const left = `${path}.${await fingerprintOf(nodeHash, old.publicKey)}`;
    await copyFile(path, left);
    await rename(`${path}.next`, path);
    return [
      ...(await fingerprints(old, next)),
      `The key of until now lies in ${left}; delete it once the relay runs with the new one.`,
      'Restart the relay.',
    ].join('\n');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = systemErrorCode(error);
    throw new ConfigError(`DATA_DIR is ${config.dataDir}, which cannot hold the new key (${code}).`);
  }
}

/** A pair that an interrupted run has made, or a new one. */
async function nextKey(path: string): Promise<KeyPair> {
  const text = await readOrNull(path);
  if (text !== null) {
    const pair = readKey(text);
    if (pair === null) throw new ConfigError(`DATA_DIR holds a damaged key: ${path}. Remove it.`);
    return pair;
  }
  const pair = generateKeyPair();
  await writeFile(path, `${writeKey(pair)}\n`, { mode: 0o600, flag: 'wx' });
  return pair;
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
