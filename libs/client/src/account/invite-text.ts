/** An invite as somebody pasted it: read, and described before anything is sent (docs/protocol.md section 5). */
import { clampTime, ERROR_CODES, LIMITS } from '@0fc/protocol';
import { parseInvite } from '@0fc/crypto/keys';
import { fingerprintOf, type Hash } from '@0fc/crypto/verify';
import type { InvitePreview } from '../contract/api.js';
import { ClientError } from '../contract/errors.js';
import { hashFingerprint, type Pin } from './relay-pin.js';

export type ReadInvite = Awaited<ReturnType<typeof parseInvite>>;

/** What mail programs make of the `#` of a link, once or twice over. */
const ENCODED_HASH = /%(?:25)*23/g;

/** Characters that are not seen, or that turn the text around them: what is read is not what is shown. */
const UNSEEN = /(?!\s)[\p{Cc}\p{Cf}]/u;
/** Of a long text so many words behind so many signs are looked at. */
const MOST_PLACES = 32;
/** Of each URL in a text, its scheme with its host. */
const ORIGINS = /[a-z][a-z\d+.-]*:\/*[^/\s#?]+/giu;

/**
 * A link of another origin cannot be joined from here: its relay is another one. A link whose `#` was encoded on
 * its way is read as what it was. `now`: this device's clock, Unix ms; no owner's client makes a link that lasts
 * longer than LIMITS.inviteLifetimeMs from then. Rejects with INVITE_MALFORMED, INVITE_OTHER_DEPLOYMENT.
 */
export async function readInvite(
  hash: Hash,
  text: string,
  relayUrl: string,
  now: number,
): Promise<ReadInvite> {
  if (UNSEEN.test(text)) throw new ClientError(ERROR_CODES.INVITE_MALFORMED);
  const whole = text.replace(ENCODED_HASH, '#');
  const { link, before } = await inviteIn(hash, whole);
  if (link.expires > now + LIMITS.inviteLifetimeMs + LIMITS.inviteClockMs)
    throw new ClientError(ERROR_CODES.INVITE_MALFORMED);
  const origin = before.match(ORIGINS)?.at(-1)?.toLowerCase();
  if (origin !== undefined && origin !== relayUrl.toLowerCase())
    throw new ClientError(ERROR_CODES.INVITE_OTHER_DEPLOYMENT);
  return link;
}

/** The invite in a text, and what stands before it. Rejects as parseInvite does. */
async function inviteIn(
  hash: Hash,
  text: string,
): Promise<{ readonly link: ReadInvite; readonly before: string }> {
  for (const { letters, before } of places(text)) {
    try {
      return { link: await parseInvite(hash, letters), before };
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.INVITE_MALFORMED) throw error;
    }
  }
  throw new ClientError(ERROR_CODES.INVITE_MALFORMED);
}

/**
 * Where the letters of an invite may lie, likeliest first: behind a `#`, and before the first character that is none of
 * theirs (a bracket, a full stop, a quotation mark); in one piece, or broken by a mail program, or with other words behind
 * them. Its check bytes tell which it is.
 */
function* places(text: string): Generator<{ readonly letters: string; readonly before: string }> {
  const parts = text.split('#').slice(-MOST_PLACES);
  for (let last = parts.length - 1; last >= 0; last--) {
    const from = text.length - parts.slice(last).join('#').length;
    const [letters = ''] = /^[\w\s-]*/.exec(parts[last] ?? '') ?? [];
    const words = letters.trim().split(/\s+/, MOST_PLACES);
    for (let count = words.length; count > 0; count--)
      yield { letters: words.slice(0, count).join(''), before: text.slice(0, Math.max(0, from - 1)) };
  }
}

/** `matches`: the invite names the pinned key, or one that led to it. `resumes`: id of a join with this very invite that is under way; null for none. */
export async function previewOf(
  hash: Hash,
  link: ReadInvite,
  { pin, matches }: { readonly pin: Pin | null; readonly matches: boolean },
  resumes: string | null,
): Promise<InvitePreview> {
  return {
    roomId: resumes ?? link.roomId,
    ownerFingerprint: await fingerprintOf(hash, link.ownerKey),
    relayFingerprint: hashFingerprint(link.relay),
    relayPin: pin === null ? 'new' : matches ? 'matches' : 'differs',
    pinnedFingerprint: pin?.fingerprint ?? null,
    expires: clampTime(link.expires),
    resumes: resumes !== null,
  };
}
