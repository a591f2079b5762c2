/** Address of a relay, and where it publishes its key (docs/protocol.md section 3). */
import { parsePublicKey } from '@0fc/crypto/verify';
import { ERROR_CODES, fromBase64Url, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';

/** A relay's base URL without a slash at its end. Throws RELAY_UNREACHABLE for what is none. */
export function relayBase(url: string, relativeTo?: string): string {
  if (!URL.canParse(url, relativeTo)) throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE);
  const parsed = new URL(url, relativeTo);
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE);
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, '');
}

/** A relay's public key as people and files write it: base64url. Throws BAD_KEY. */
export function relayKeyFromText(text: string): Bytes {
  const bytes = fromBase64Url(text.trim());
  if (bytes === null) throw new ClientError(ERROR_CODES.BAD_KEY);
  return parsePublicKey(bytes);
}

/** Longest config.json that is read, in bytes. */
const CONFIG_BYTES = 16_384;

/** What is read of an HTTP answer's body. */
interface Body {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** The text of an answer, of which no more is read than a config.json may have. Rejects with TOO_LARGE. */
export async function shortText(body: Body | null): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (;;) {
    const value = (await reader?.read())?.value;
    if (value === undefined) return text + decoder.decode();
    length += value.length;
    if (length > CONFIG_BYTES) {
      await reader?.cancel();
      throw new ClientError(ERROR_CODES.TOO_LARGE);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/**
 * The key that a deployment publishes for its relay: `{"relayPublicKey": base64url}` at `<base>/config.json`. It
 * proves nothing; the session does. Rejects with RELAY_UNREACHABLE when there is no such file, BAD_KEY when it holds
 * no key.
 */
export async function relayKeyOfDeployment(
  base: string,
  readText: (url: string) => Promise<string>,
): Promise<Bytes> {
  let config: unknown;
  try {
    config = JSON.parse(await readText(`${base}/config.json`));
  } catch (cause) {
    throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE, {}, { cause });
  }
  const key =
    typeof config === 'object' && config !== null && 'relayPublicKey' in config
      ? config.relayPublicKey
      : null;
  // A page in place of the file (a captive portal, a host without a relay) names no key.
  if (typeof key !== 'string') throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE);
  return relayKeyFromText(key);
}

/**
 * The relay's clock, Unix ms, from the Date header of its answers: good enough to tell a clock
 * that is a day off. Rejects with RELAY_UNREACHABLE when it cannot be had.
 */
export async function relayTimeOf(
  base: string,
  readDate: (url: string) => Promise<string | null>,
): Promise<number> {
  let date: string | null;
  try {
    date = await readDate(`${base}/config.json`);
  } catch (cause) {
    throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE, {}, { cause });
  }
  const time = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(time)) throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE);
  return time;
}
