/** Groups what is due to a peer into frames (docs/protocol.md section 3: one wrap for all of a turn). */
import {
  countItems,
  encodeMessage,
  LIMITS,
  MOST_IN_FRAME,
  ProtocolError,
  type SessionMessage,
} from '@0fc/protocol';

/** The length before it, and the heads of the outer arrays and the counter. */
const OVERHEAD_BYTES = 4 + 16;
/** Both arrays and the counter. */
const OVERHEAD_ITEMS = 3;

/** Groups in order, each within the limits of a frame. Throws TOO_LARGE for a message that fits none, MALFORMED. */
export function splitForFrames(messages: readonly SessionMessage[]): readonly (readonly SessionMessage[])[] {
  const room = MOST_IN_FRAME - OVERHEAD_BYTES;
  const places = LIMITS.frameItems - OVERHEAD_ITEMS;
  const groups: SessionMessage[][] = [];
  let group: SessionMessage[] = [];
  let size = 0;
  let count = 0;
  for (const message of messages) {
    const encoded = encodeMessage(message);
    const bytes = encoded.length;
    const items = countItems(encoded, places);
    if (bytes > room) throw new ProtocolError('TOO_LARGE', 'message larger than a frame');
    if (group.length === LIMITS.frameMessages || size + bytes > room || count + items > places) {
      groups.push(group);
      group = [];
      size = 0;
      count = 0;
    }
    group.push(message);
    size += bytes;
    count += items;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
