/**
 * What each code means and what can be done about it: the tables of docs/protocol.md
 * section 11 are made from this. The page has sentences of its own, in every language.
 */
import type { ErrorCode } from './errors.js';

export interface Meaning {
  readonly cause: string;
  readonly remedy: string;
}

export const means = (cause: string, remedy: string): Meaning => ({ cause, remedy });

const RELOAD = 'Bring client and relay to the same version: reload the page, or update the relay.';
const ITSELF = 'None: the client connects again and goes on by itself.';
const NEW_INVITE = 'Ask the owner for a new invite.';

export const ERROR_MEANINGS: Readonly<Record<ErrorCode, Meaning>> = {
  MALFORMED: means('A frame, message, body or record is not what its schema says.', RELOAD),
  UNSUPPORTED_VERSION: means('A frame, body, room, vault or export of another version.', RELOAD),
  UNKNOWN_KIND: means('A kind of request or body that this version does not know.', RELOAD),
  TOO_LARGE: means(
    'A message, reply or record is beyond its limit (libs/protocol, limits).',
    'Send less at once.',
  ),
  OUT_OF_SEQUENCE: means('A frame of the link was repeated, dropped or moved (section 3).', ITSELF),
  HANDSHAKE_FAILED: means(
    'The other side did not prove the key it is known by.',
    'Twice in a row it reads RELAY_KEY_MISMATCH: see there.',
  ),
  HANDSHAKE_TIMEOUT: means('No handshake within ten seconds.', ITSELF),
  SESSION_BROKEN: means('A frame did not open: changed on the way, or of another session.', ITSELF),
  BAD_KEY: means(
    'A public key is no canonical compressed P-256 key or no point of the curve; an encapsulation key is none, or not the one signed for.',
    'The member concerned joins again with a new key.',
  ),
  BAD_SIGNATURE: means(
    'A container is not signed by whom it must be signed.',
    'None for the sender: it was not made by the real one. Compare with the members.',
  ),
  FORBIDDEN: means(
    'The proved key of this link may not ask this (section 3).',
    'Only the role that the table of section 11 names may.',
  ),
  NOT_BOUND: means('The connection has not named a room yet.', 'Send open, create, claim or restore first.'),
  ALREADY_BOUND: means('The connection serves another room.', 'Use a connection of its own for each room.'),
  ROOM_UNKNOWN: means(
    'The relay has no such room: never made, erased by its operator, or idle for too long.',
    'One member brings it back from its device (section 6); the others follow by themselves.',
  ),
  ROOM_EXISTS: means('Another room has this id.', 'Make the room anew: its nonce makes another id.'),
  ROOM_OUTDATED: means(
    'The room was made for an earlier version of the protocol. It can be read on this device, and connects nowhere.',
    'Make a new room, and invite the same people.',
  ),
  ROOM_CLOSED: means(
    'The owner closed it with a signed last entry, or the operator erased it for good.',
    'Make another room. What was read stays on each device.',
  ),
  ROOM_FULL: means(
    'The room has as many members as its settings allow.',
    'The owner raises that number or removes somebody; the same invite is good then.',
  ),
  ROOM_CREATION_REFUSED: means(
    'This relay takes new rooms only with its token.',
    'Ask its operator for the token.',
  ),
  STALE_EPOCH: means(
    'Sealed or made for an epoch that a rotation has ended.',
    'None: the client reads the log through the rotation, and goes on from there.',
  ),
  EPOCH_AHEAD: means(
    'Made for an epoch that the relay’s log has not reached: it has lost a rotation.',
    'Restore what it lost (section 6).',
  ),
  STALE_HEAD: means(
    'A roster entry or rotation does not stand on the head of this moment.',
    'Read the log; make it anew only if the head has really moved.',
  ),
  BAD_ENTRY: means(
    'Valid in form, and not allowed to say what it says.',
    'None: the same bytes will not be taken.',
  ),
  BAD_WRAPS: means(
    'The wraps of a rotation are not those of exactly the members of its head.',
    'Read the log; the owner’s client makes them from its roster.',
  ),
  INVITE_UNKNOWN: means(
    'No such invite: never registered, ended long ago, lost with the relay’s store, or of a room that is closed.',
    NEW_INVITE,
  ),
  INVITE_TAKEN: means(
    'Another key has claimed it.',
    'If that was nobody you know, tell the owner. Ask for a new one.',
  ),
  INVITE_USED: means(
    'It has admitted a key already.',
    'If that was nobody you know, tell the owner. Ask for a new one.',
  ),
  INVITE_EXPIRED: means('Its time is over.', NEW_INVITE),
  INVITE_REVOKED: means('The owner took it back, or the room changed hands.', NEW_INVITE),
  INVITE_LIMIT: means('The room has as many open invites as the relay allows.', 'Revoke one.'),
  SETTINGS_LIMIT: means(
    'The room’s settings have been changed as often as the relay allows.',
    'They stay as they are; make another room for others.',
  ),
  ALREADY_MEMBER: means('This key is on the roster.', 'Open the room.'),
  WAS_MEMBER: means(
    'This key was on the roster once; none is admitted twice.',
    'Join with a new invite: it makes a new key.',
  ),
  RATE_LIMITED: means(
    'More than the relay takes in that time from this member, room or address.',
    'None: the client waits `retryMs` and asks again by itself.',
  ),
  STORE_FULL: means(
    'The relay’s store takes no more.',
    'The operator makes room (docs/operations.md). The client keeps what waits, and sends it by itself then.',
  ),
  SLOW_CONSUMER: means('This client read too slowly for what it was owed.', ITSELF),
  REPLACED: means(
    'A newer connection of the same key took over: another tab, or a device that imported the vault.',
    'Use it there; or take it back here.',
  ),
  TRY_AGAIN: means('The relay cannot serve this at the moment.', 'None: the client asks again by itself.'),
  INTERNAL: means(
    'A defect, on whichever side reports it. The log of that side has the cause.',
    'The client repeats what it can; report it if it stays.',
  ),
  OFFLINE: means(
    'There is no link to the relay, or it fell before the reply: the request may have been carried out.',
    'Repeat once connected: requests are made to be repeated.',
  ),
  RELAY_KEY_MISMATCH: means(
    'The relay has neither the pinned key nor a signed successor of it (G13).',
    'Get its fingerprint from the operator by another way. Only the user sets a new pin.',
  ),
  RELAY_KEY_CHANGING: means(
    'The relay is changing its key by a signed statement, and whoever answers does not prove the key it leads to yet.',
    'None: the client tries again by itself. If it lasts longer than the operator announced, ask the operator.',
  ),
  RELAY_KEY_LEFT: means(
    'The relay’s statement leads to a key that this device has left: nobody is led back.',
    'As RELAY_KEY_MISMATCH. Only the user, by typing its fingerprint, pins such a key again.',
  ),
  RELAY_SUCCESSION_FORKED: means(
    'Two statements name two different successors of one key of the relay: somebody else holds that key.',
    'As RELAY_KEY_MISMATCH: ask the operator which of the two is right.',
  ),
  RELAY_SUCCESSION_INVALID: means(
    'A statement of the relay’s succession does not hold; `reason` says why: its form or version, a signature, a key, its address (ORIGIN), or how many there are.',
    'As RELAY_KEY_MISMATCH; the operator checks what the relay publishes.',
  ),
  FINGERPRINT_MALFORMED: means(
    'A fingerprint of a relay’s key has 16 digits and letters A to F.',
    'Type it again, all of it.',
  ),
  RELAY_UNREACHABLE: means(
    'No relay answers at this address, or what is read of it takes longer than it may.',
    'Check address and network; the client tries again by itself.',
  ),
  RELAY_LIED: means(
    'What the relay said contradicts what the room’s members have signed, or is what no honest relay says.',
    'Nothing has moved, and the client asks again by itself. If it stays, compare with the owner by another way.',
  ),
  INVITE_MALFORMED: means(
    'The link is torn (its check bytes do not fit), or ends later than any invite may, by this device’s clock.',
    'Copy all of it again; check the date and time of this device.',
  ),
  INVITE_OUTDATED: means(
    'The link invites into a room of an earlier version of the protocol.',
    'Ask the owner for an invite into a new room.',
  ),
  INVITE_OTHER_DEPLOYMENT: means('The link names another relay’s address.', 'Open the link itself.'),
  INVITE_BAD_PROOF: means('A join request does not prove the token of its invite.', NEW_INVITE),
  INVITE_ALTERED: means(
    'A join request was made with another link than its owner had sent: somebody altered it on its way. A joiner has this from the relay.',
    'Nothing was given out and the invite has ended. Ask the owner for another one, sent by another way; the same link, opened again, goes on with the same keys.',
  ),
  INVITE_REPLY_INVALID: means(
    'The reply does not open, or is not by the owner that the link names.',
    'Tell the owner: somebody stands between.',
  ),
  JOIN_REPLY_MISPLACED: means(
    'The owner’s reply and the relay’s log or chain do not fit together: it has this member begin elsewhere, or under another head or transcript.',
    'Nothing was entered, and it is tried again. Either the relay or the owner’s client, or a copy of its keys, says what is not so: if it stays, ask the owner and the operator.',
  ),
  JOIN_DROPPED: means(
    'The relay says that the owner ended the join: too late, not proved, no place left once it was answered, or the room changed hands.',
    'Open the same link again, which goes on with the same keys; or ask for a new one.',
  ),
  JOIN_DECLINED: means(
    'The relay says that the owner was asked and declined.',
    'Ask the owner; the same link, opened again, goes on with the same keys.',
  ),
  JOIN_IN_PROGRESS: means(
    'Another join of this room is under way on this device.',
    'Let it end, or give it up first.',
  ),
  NOT_OWNER: means('Only the owner of the room may do this.', 'Ask the owner.'),
  NOT_MEMBER: means(
    'This device is not, or not any more, a member of the room.',
    'None; what was read stays.',
  ),
  OWNER_MUST_HAND_OVER: means('The owner wants to leave.', 'Hand the room over first, or close it.'),
  CANNOT_REMOVE_SELF: means(
    'The owner wants to remove itself.',
    'Hand the room over and leave, or close it.',
  ),
  MEMBER_UNKNOWN: means(
    'Nobody on the roster has this id; or it is oneself where another is meant.',
    'Look at the list again.',
  ),
  NO_OFFER: means(
    'No hand-over stands: taken back, declined, carried out, or already accepted.',
    'Look at the list again.',
  ),
  STILL_MEMBER: means('A room can only be forgotten once this device is no member of it.', 'Leave it first.'),
  MESSAGE_UNKNOWN: means('No such message on this device.', 'Load earlier ones, or let it go.'),
  NOT_YOURS: means('Only its sender edits or deletes a message (G3).', 'Ask the sender.'),
  EXPORT_CANCELLED: means('The export was cancelled before its file was whole.', 'Export again.'),
  EXPORT_DAMAGED: means('The file is no export, or not whole.', 'Fetch it again. Nothing was changed.'),
  CLOCK_WRONG: means(
    'This device’s clock and the relay’s are a day apart: Themis refuses such a handshake.',
    'Set date and time; the client goes on by itself then.',
  ),
  NO_ROOM_KEY: means(
    'The key of this epoch is not on this device.',
    'It is asked for by itself (needKey, section 7).',
  ),
  OUT_OF_RANGE: means('A number is not between `min` and `max`.', 'Choose another.'),
  TEXT_EMPTY: means('There is nothing to send.', 'Write something.'),
  TEXT_TOO_LONG: means('The text has more than `max` bytes.', 'Split it.'),
  NAME_EMPTY: means('A name is needed.', 'Write one.'),
  NAME_TOO_LONG: means('The name has more than `max` characters.', 'Shorten it.'),
  NAME_INVISIBLE: means(
    'The name has characters that are not seen or that turn the text around them (section 6).',
    'Type it anew, by hand.',
  ),
  VAULT_LOCKED: means('The vault is not open.', 'Unlock it.'),
  VAULT_EXISTS: means(
    'There is a vault on this device already.',
    'Unlock it; or erase it, which cannot be undone.',
  ),
  VAULT_ABSENT: means('There is no vault on this device.', 'Make one, or import an export.'),
  VAULT_DAMAGED: means(
    'A sealed record does not open with the vault’s own key: changed, or torn.',
    'Import an export on a fresh profile. Nothing is deleted by itself (G14).',
  ),
  VAULT_KEYS_LOST: means(
    'The file of keys that belongs to the vault is gone, or is another vault’s: without it no passphrase opens anything.',
    'Put it back if there is a copy of the whole profile or folder; or erase the vault and import an export.',
  ),
  VAULT_ELSEWHERE: means('Another tab or process has the vault open.', 'Close it there.'),
  VAULT_FULL: means(
    'The disk, or the browser’s quota, is full.',
    'Make room: nothing stored is lost, and rooms go on by themselves.',
  ),
  VAULT_UNAVAILABLE: means(
    'The platform refuses storage, as private windows may.',
    'Use an ordinary window, or another folder.',
  ),
  WRONG_PASSPHRASE: means(
    'The passphrase does not open the vault or the export.',
    'Try again: nothing is changed or erased.',
  ),
  PASSPHRASE_WEAK: means(
    'It would be guessed too easily (section 9).',
    'Add words, or take the generated one.',
  ),
};
