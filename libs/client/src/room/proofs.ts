/** Names that somebody else hands on (docs/protocol.md sections 5.6 and 7). */
import { decodeBody, ERROR_CODES } from '@0fc/protocol';
import { openProfile } from '@0fc/crypto/keys';
import { containerBody } from '@0fc/crypto/verify';
import { ClientError } from '../errors.js';
import type { RoomState } from './state.js';
import { followContent } from './take-message.js';

/** Names handed on by the owner prove themselves by their own senders' signatures, or are left out. */
export function takeProof(state: RoomState, container: Uint8Array): void {
  try {
    const { sender } = decodeBody(containerBody(container), 'message').body;
    const member = state.roster.members.get(sender);
    if (member === undefined) return;
    followContent(state, openProfile(member.key, state.core.roomId, container), container);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  }
}
