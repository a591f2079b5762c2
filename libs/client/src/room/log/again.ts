/**
 * Messages of the epoch before that are sent again (docs/protocol.md section 6.9, G18): sealed inside under the key of
 * their own epoch, so that whoever was there opens them, and nobody who came since.
 */
import {
  ALARM_CODES, anyContent, comparePositions, encodeAs, equalBytes, ERROR_CODES, type AnyContent, type Body, type Bytes,
} from '@0fc/protocol'; // prettier-ignore
import { openAgain, sealAgain, type OpenedMessage } from '@0fc/crypto/keys';
import { transcriptHash } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import { contentWith, knownContent } from '../../vault/content.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import type { LogRecord, OutboxItem, StoredItem } from '../../vault/records.js';
import { inLineage } from './generations.js';
import { alarm, system } from './items.js';
import { lineAt } from './lost.js';

/**
 * What a message of the outbox is sealed as. Throws MALFORMED, TOO_LARGE; INTERNAL without the key of an epoch that it
 * is bound to: those wait (lost.ts).
 */
export function contentToSeal(snapshot: RoomSnapshot, item: OutboxItem): AnyContent {
  const { again: epoch, instance, n, mid, made: sentAt, content } = item;
  if (epoch === undefined) return content;
  const key = snapshot.key(epoch);
  const roomKey = key?.key ?? null;
  if (key === null || roomKey === null) throw new ClientError(ERROR_CODES.INTERNAL);
  const { roomId, me: sender, identity } = snapshot.core;
  // The least that its sender had read then: a later place would accuse it where a relay is back in that epoch.
  const seen = { position: key.floor, t: key.t === null ? null : transcriptHash(key.t) };
  const body = { roomId, epoch, sender, instance, n, mid, seen, sentAt, content };
  return { ...sealAgain({ identity, roomKey, body }) };
}

/** A message as it is shown. `again`: the epoch before, of which it is; `closed`: this client has no key of that one. */
export interface Inside {
  readonly content: AnyContent;
  readonly again?: number;
  readonly closed?: true;
}

/** What an opened message holds. Throws a CryptoError as openAgain does. */
export function insideOf(draft: RoomDraft, { body, unknown }: OpenedMessage, senderKey: Bytes): Inside {
  const content = contentWith(body.content, unknown);
  const known = knownContent(content);
  if (known?.type !== 'again') return { content };
  const { epoch, payload } = known;
  const roomKey = draft.key(epoch)?.key ?? null;
  const { roomId, sender } = body;
  const opened = openAgain({ roomKey, roomId, epoch, sender, senderKey, payload }, body);
  // A void keeps its counter and nonce: it is no line here, and nobody misses it.
  if (opened === null) return { content: { type: 'void' }, again: epoch, closed: true };
  return { content: contentWith(opened.body.content, opened.unknown), again: epoch };
}

/** That a line was sent again for others; this client has no key of its epoch. */
export const closedItem = ({ sender, epoch }: Body<'message'>): StoredItem =>
  system('closedAgain', { actor: sender, numbers: { epoch: epoch - 1 } });

/**
 * A message that is here already comes again: what is here stays, and what says something else under its counter is an
 * alarm. A void says nothing: it may have been deleted, lost, or settled by hand. The mark `edited`, of either, explains
 * other words where an edit of the line is here, or may follow. Null: it is the same. Throws NotLoaded.
 */
export function otherUnderCounter(snapshot: RoomSnapshot, body: Body<'message'>): StoredItem | null {
  const [line] = lineAt(snapshot, body);
  if (line === undefined) return null;
  // What an earlier version of this client could not know is kept in another form.
  const says = (content: AnyContent): Bytes | null =>
    content.type === 'void' || content.type === 'newer' ? null : encodeAs(anyContent, content);
  const contents = [{ ...line.item.content }, body.content];
  const [before = null, now = null] = contents.map(says);
  if (before === null || now === null || equalBytes(before, now)) return null;
  const marked = contents.some(({ edited }) => edited === true);
  if (marked && (mayBeResent(snapshot, line.record) || isEdited(snapshot, body))) return null;
  return alarm(ALARM_CODES.ALARM_DUPLICATE_N, body.sender, { n: body.n });
}

/**
 * Whether the relay's log may lack a line that is here: it was lost, and its sender sends it again in its last words, before
 * the edit that explains them. What still stands there no honest sender sends again.
 */
const mayBeResent = (snapshot: RoomSnapshot, { at }: LogRecord): boolean =>
  at === null ||
  comparePositions(at.position, snapshot.core.position) > 0 ||
  !inLineage(snapshot, at.position);

const isEdited = (snapshot: RoomSnapshot, { sender, instance, n }: Body<'message'>): boolean =>
  snapshot
    .effectsOn({ sender, instance, n })
    .some(({ item }) => item.sender === sender && item.content.type === 'edit');
