/**
 * The relay's key pair (docs/protocol.md section 3). Clients pin the public half, so the
 * pair is kept: given by the operator, or made once in the data folder, readable by its
 * owner only. It is written as base64url of the private key alone.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64Url, toBase64Url } from '@0fc/protocol';
import { CryptoError, exposeSecret, generateKeyPair, type KeyPair } from '@0fc/crypto/link';
import { keyPairOf } from '@0fc/crypto/node';
import type { RelayConfig } from './environment.js';
import { ConfigError, systemErrorCode } from './errors.js';

export const KEY_FILE = 'relay.key';

export const writeKey = ({ privateKey }: KeyPair): string => toBase64Url(exposeSecret(privateKey));

/** The pair that {@link writeKey} wrote; null for what is no private key. */
export function readKey(text: string): KeyPair | null {
  // In quotes, as some readers of environment files leave it.
  const bytes = fromBase64Url(text.trim().replace(/^(["'])(.*)\1$/, '$2'));
  if (bytes === null) return null;
  try {
    return keyPairOf(bytes);
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'BAD_KEY') return null;
    throw error;
  }
}

/** Throws {@link ConfigError}, which names the setting and the remedy. */
export async function relayKeyPair(config: RelayConfig): Promise<KeyPair> {
  if (config.privateKey !== null) return given(config.privateKey, 'RELAY_PRIVATE_KEY');
  const { privateKeyFile } = config;
  if (privateKeyFile === null) return kept(join(config.dataDir, KEY_FILE));
  try {
    return given(await readFile(privateKeyFile, 'utf8'), 'RELAY_PRIVATE_KEY_FILE');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      `RELAY_PRIVATE_KEY_FILE is ${privateKeyFile}, which cannot be read (${systemErrorCode(error)}); it must be a file with a private key, see \`keygen\`.`,
    );
  }
}

function given(text: string, name: string): KeyPair {
  const pair = readKey(text);
  if (pair !== null) return pair;
  throw new ConfigError(
    `${name} holds no private key; make one with \`node apps/relay/dist/main.js keygen\`.`,
  );
}

/** A new pair, at a path where nothing can be read. */
async function made(path: string): Promise<KeyPair> {
  const pair = generateKeyPair();
  try {
    await writeFile(path, `${writeKey(pair)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = systemErrorCode(error);
    throw new ConfigError(
      code === 'EEXIST'
        ? `DATA_DIR holds the relay's key as a link that leads nowhere: ${path}. Put back what it leads to; removing the link makes a new key.`
        : `DATA_DIR cannot hold the relay's key (${code}): ${path}. Make room, and the folder one that this user may write to.`,
    );
  }
  return pair;
}

/** The data folder's own; made at the first start. */
async function kept(path: string): Promise<KeyPair> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') {
      throw new ConfigError(
        `DATA_DIR holds the relay's key, which cannot be read (${systemErrorCode(error)}): ${path}.`,
      );
    }
    return await made(path);
  }
  const pair = readKey(text);
  // A new key would stop every client that has pinned the old one: never made silently.
  if (pair !== null) return pair;
  throw new ConfigError(
    `DATA_DIR holds a damaged key: ${path}. Put a copy of it back; removing it makes a new one.`,
  );
}
