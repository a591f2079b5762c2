/** An invite as somebody pasted it: read, and described before anything is sent (docs/protocol.md section 5). */
import { clampTime, equalBytes, ERROR_CODES, LIMITS } from '@0fc/protocol';
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
  const link = await parseInvite(hash, whole);
  if (link.expires > now + LIMITS.inviteLifetimeMs + LIMITS.inviteClockMs)
    throw new ClientError(ERROR_CODES.INVITE_MALFORMED);
  const origin = whole
    .slice(0, Math.max(0, whole.lastIndexOf('#')))
    .match(ORIGINS)
    ?.at(-1)
    ?.toLowerCase();
  if (origin !== undefined && origin !== relayUrl.toLowerCase())
    throw new ClientError(ERROR_CODES.INVITE_OTHER_DEPLOYMENT);
  return link;
}

/** `resumes`: id of a join with this very invite that is under way; null for none. */
export async function previewOf(
  hash: Hash,
  link: ReadInvite,
  pin: Pin | null,
  resumes: string | null,
): Promise<InvitePreview> {
  const matches = pin !== null && equalBytes(pin.hash, link.relay);
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
