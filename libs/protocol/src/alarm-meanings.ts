/** What each alarm means and what can be done about it: as meanings.ts has it of errors. */
import type { AlarmCode } from './errors.js';
import { means, type Meaning } from './meanings.js';

export const ALARM_MEANINGS: Readonly<Record<AlarmCode, Meaning>> = {
  ALARM_FORK: means(
    'A member that sealed a message or a presence had been shown another history up to the same position (G7); or two entries came under one; or the relay’s log lacks a generation that it had announced.',
    'Compare with that member by another way.',
  ),
  ALARM_GAP: means(
    'The relay served an entry without those before it (G6).',
    'Ask the others what is missing.',
  ),
  ALARM_MESSAGE_GAP: means(
    'A sender’s counter jumped: a message of it did not arrive (G6).',
    'Ask the sender. If it still comes, it is shown as late.',
  ),
  ALARM_DUPLICATE_N: means(
    'Two messages of one sender under one counter: a copied device (G5).',
    'Speak to the sender by another way.',
  ),
  ALARM_OLD_INSTANCE: means(
    'A message under an instance that its sender had replaced: an exported vault is in use twice.',
    'The sender stops using one of the two.',
  ),
  ALARM_BAD_SIGNATURE: means(
    'An entry under a name whose key did not sign it, or of nobody on the roster (G3).',
    'It is not shown. Relay or a member tries something.',
  ),
  ALARM_UNREADABLE: means(
    'A message that does not open under the key of its epoch.',
    'Ask the sender to send it again.',
  ),
  ALARM_ENTRY_FAILED: means(
    'An entry that this client can neither use nor store. Its report number is the same on every device.',
    'The rest of the room goes on. Report the number to whoever maintains this client.',
  ),
  ALARM_RECORD_DAMAGED: means(
    'A record of this device that is not what was stored: its number in the local log is named.',
    'What stood there is gone on this device, the rest goes on. The disk may be failing: export the vault.',
  ),
  ALARM_BAD_ROSTER: means(
    'A roster entry not signed by the owner of that moment, not on the head, or replayed (G5, G11).',
    'It changes nothing. The log is read again before anything is sealed. Ask the owner.',
  ),
  ALARM_FOREIGN_ROTATION: means(
    'A rotation not by the owner, not sealed under the old key, not to the next epoch, replayed, or back with other bytes (G5, G11).',
    'It changes nothing. The log is read again before anything is sealed. Ask the owner.',
  ),
  ALARM_WRONG_KEY: means(
    'A key that the owner (in a rotation) or a granter has signed does not open, or misses the commitment of its epoch.',
    'It is not used, and is asked for again by itself. If none comes, ask the owner to rotate.',
  ),
  ALARM_KEY_REUSED: means(
    'The owner’s rotation to `epoch` commits to the key of an epoch `of` before, which is held here: no new key at all (G9, G10).',
    'The room goes on under it; whoever had that key reads on, removed members too. Ask the owner to rotate, with a client that is not changed.',
  ),
  ALARM_NO_KEY: means(
    'A rotation without a wrap for this member, or with one that does not open here.',
    'The key is asked for by itself; tell the owner if none comes.',
  ),
  ALARM_SEEN_REGRESSED: means(
    'A sender knows less than before, or less than the key it used implies.',
    'Its device was restored or copied: speak to it by another way.',
  ),
  ALARM_OWNER_EQUIVOCATED: means(
    'Two entries on one head, or two rotations to one epoch, both signed by the owner: proof against it.',
    'Do not rely on the room; the members speak by another way.',
  ),
  ALARM_PREKEY_ROLLED_BACK: means(
    'A rotation used a prekey of this member older than one used before (G9).',
    'Ask the owner to rotate again.',
  ),
  ALARM_STALE_WITHOUT_ROTATION: means(
    'The relay calls this client’s epoch old, and its log has no rotation that ended it.',
    'It refuses service. Tell owner and operator.',
  ),
  ALARM_RELAY_LOST: means(
    'The relay’s store lost entries `from` to `to`; `restored` of them are back (section 6).',
    'Lines of this epoch are sent again by themselves; older ones each sender may send again by hand (G18). Tell the operator.',
  ),
  ALARM_RELAY_KEY: means(
    'The relay answers with another key than the pinned one (G13).',
    'Nothing is sent. Get the fingerprint by another way.',
  ),
  ALARM_ROOM_GONE: means(
    'The relay says that the room, or this membership, is gone, and nobody’s signature says so.',
    'Everything is kept. One member brings the room back, or the owner is asked.',
  ),
};
