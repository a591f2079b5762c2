/**
 * The relay's key pair (docs/protocol.md section 3). Clients pin the public half, so the
 * pair is kept: given by the operator, or made once in the data folder, readable by its
 * owner only. It is written as base64url of the private key alone.
 *
 * Keys are Themis containers: tag, length (big endian), CRC-32C, then the number or the
 * compressed point. The relay may not import the members' door of @0fc/crypto, which makes
 * keys; so the number is drawn by Node's generator, and Themis takes the pair before it is
 * used.
 */
import { createECDH } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64Url, LIMITS, toBase64Url, type Bytes } from '@0fc/protocol';
import { CryptoError, RelayLink, type KeyPair } from '@0fc/crypto/link';
import { ConfigError, systemErrorCode, UNKNOWN_ERROR } from './errors.js';
import type { RelayConfig } from './environment.js';

const FILE = 'relay.key';
const CURVE = 'prime256v1';
const HEADER_BYTES = 12;
/** a zero byte and the 32 bytes of the number */
const NUMBER_AT = HEADER_BYTES + 1;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Bytes): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function keyContainer(tag: 'REC2' | 'UEC2', data: Bytes): Bytes {
  const bytes = new Uint8Array(HEADER_BYTES + data.length);
  bytes.set(Buffer.from(tag));
  bytes.set(data, HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, bytes.length);
  view.setUint32(8, crc32c(bytes), true);
  return bytes;
}

function pairOf(number: Bytes): KeyPair {
  const curve = createECDH(CURVE);
  curve.setPrivateKey(number);
  return {
    publicKey: keyContainer('UEC2', curve.getPublicKey(null, 'compressed')),
    privateKey: keyContainer('REC2', Uint8Array.of(0, ...number)),
  };
}

/** A fresh pair. Themis must be loaded. */
export function makeKeyPair(): KeyPair {
  const curve = createECDH(CURVE);
  curve.generateKeys();
  const number = curve.getPrivateKey();
  // Node leaves out leading zeros.
  const whole = new Uint8Array(32);
  whole.set(number, 32 - number.length);
  const pair = pairOf(whole);
  RelayLink.accept({ relay: pair }).destroy();
  return pair;
}

export const writeKey = ({ privateKey }: KeyPair): string => toBase64Url(privateKey);

/** Null for what is no private key. Themis must be loaded. */
export function readKey(text: string): KeyPair | null {
  const bytes = fromBase64Url(text.trim());
  if (bytes?.length !== LIMITS.publicKeyBytes) return null;
  try {
    const pair = pairOf(bytes.slice(NUMBER_AT));
    if (!Buffer.from(pair.privateKey).equals(bytes)) return null;
    RelayLink.accept({ relay: pair }).destroy();
    return pair;
  } catch (error) {
    // Not a number of the curve (Node), or not a key (Themis): its text goes into no message.
    if (error instanceof CryptoError || systemErrorCode(error) !== UNKNOWN_ERROR) return null;
    throw error;
  }
}

/** Throws {@link ConfigError}, which names the setting and the remedy. */
export async function relayKeyPair(config: RelayConfig): Promise<KeyPair> {
  if (config.privateKey !== null) return given(config.privateKey, 'RELAY_PRIVATE_KEY');
  const { privateKeyFile } = config;
  if (privateKeyFile === null) return kept(join(config.dataDir, FILE));
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
    const pair = makeKeyPair();
    await writeFile(path, `${writeKey(pair)}\n`, { mode: 0o600, flag: 'wx' });
    return pair;
  }
  const pair = readKey(text);
  // A new key would stop every client that has pinned the old one: never made silently.
  if (pair !== null) return pair;
  throw new ConfigError(
    `DATA_DIR holds a damaged key: ${path}. Put a copy of it back; removing it makes a new one.`,
  );
}
