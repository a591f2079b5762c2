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
  cancel(): Promise<void>;
}

/** What is read of an HTTP answer. */
interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Body | null;
}

/** The text of an answer, of which no more is read than a config.json may have. Rejects with TOO_LARGE. */
export async function shortText(body: Pick<Body, 'getReader'> | null): Promise<string> {
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

type ReadText = (url: string) => Promise<string>;

/** `<base>/config.json`. Rejects with RELAY_UNREACHABLE when there is no such file. */
async function configOf(base: string, readText: ReadText): Promise<Readonly<Record<string, unknown>>> {
  let config: unknown;
  try {
    config = JSON.parse(await readText(`${base}/config.json`));
  } catch (cause) {
    throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE, {}, { cause });
  }
  return typeof config === 'object' && config !== null ? { ...config } : {};
}

/**
 * The key that a deployment publishes for its relay: `{"relayPublicKey": base64url}` at `<base>/config.json`. It
 * proves nothing; the session does. Rejects with RELAY_UNREACHABLE when there is no such file, BAD_KEY when it holds
 * no key.
 */
export async function relayKeyOfDeployment(base: string, readText: ReadText): Promise<Bytes> {
  const { relayPublicKey } = await configOf(base, readText);
  // A page in place of the file (a captive portal, a host without a relay) names no key.
  if (typeof relayPublicKey !== 'string') throw new ClientError(ERROR_CODES.RELAY_UNREACHABLE);
  return relayKeyFromText(relayPublicKey);
}

/**
 * The statements of the relay's succession, as text, that its deployment publishes beside the key: `"succession"`, a
 * list. None of them has been verified. Rejects with RELAY_UNREACHABLE, and MALFORMED for what is no list of texts.
 */
async function successionOfDeployment(base: string, readText: ReadText): Promise<readonly string[]> {
  const { succession = [] } = await configOf(base, readText);
  const texts: readonly unknown[] | null = Array.isArray(succession) ? succession : null;
  if (texts?.every((text) => typeof text === 'string') !== true) throw new ClientError(ERROR_CODES.MALFORMED);
  return texts;
}

/**
 * The relay's clock, Unix ms, from the Date header of its answers: good enough to tell a clock
 * that is a day off. Rejects with RELAY_UNREACHABLE when it cannot be had.
 */
async function relayTimeOf(base: string, readDate: (url: string) => Promise<string | null>): Promise<number> {
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

/** How long a deployment may take to answer, in milliseconds: a platform's door ends its asking by it. */
export const DEPLOYMENT_MS = 10_000;

/** Key and clock of the relay at `base`, asked for as a platform does it. */
export function deploymentAt(base: string, ask: (url: string) => Promise<Answer>) {
  const read = async (url: string): Promise<Answer> => {
    const answer = await ask(url);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer;
  };
  // Key and statements are asked for at once, and belong together: one answer serves both.
  const reading = new Map<string, Promise<string>>();
  const readText: ReadText = (url) => {
    const text = reading.get(url) ?? read(url).then(({ body }) => shortText(body));
    reading.set(url, text);
    return text.finally(() => reading.delete(url));
  };
  return {
    fetchRelayKey: () => relayKeyOfDeployment(base, readText),
    fetchSuccession: () => successionOfDeployment(base, readText),
    fetchRelayTime: () =>
      relayTimeOf(base, async (url) => {
        const { headers, body } = await read(url);
        // Of the body nothing is read: who serves it may do so without end.
        await body?.cancel();
        return headers.get('date');
      }),
  };
}
