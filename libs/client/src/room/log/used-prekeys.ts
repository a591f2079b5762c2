/** Which prekeys a rotation used (docs/protocol.md section 7, G9): no later owner wraps to an earlier one. */
import { ERROR_CODES, type Body, type Bytes } from '@0fc/protocol';
import { rotationPrekeys } from '@0fc/crypto/keys';
import type { Roster } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import { set, type RoomDraft } from '../state/draft.js';

/** How far a number may lie beyond the epoch: each rotation uses one more at most, and each import of a member. */
const BEYOND_EPOCH = 1_024;

/**
 * Keeps the numbers that a rotation names, before its key is opened. A member without a wrap keeps the number of before.
 * So does one with a number that no honest member has reached: it would be wrapped to by nobody any more. Without the key of
 * the epoch before, the list of a rotation that is not cold stays unknown.
 */
export function noteUsedPrekeys(
  draft: RoomDraft,
  roster: Roster,
  rotation: Body<'rotation'>,
  payload: Bytes,
): void {
  const { core } = draft;
  const oldKey = draft.key(rotation.newEpoch - 1)?.key ?? null;
  if (oldKey === null && !rotation.cold) return;
  try {
    const used = rotationPrekeys({ roster, rotation, payload, oldKey });
    const before = new Map(core.wrappedTo.map((wrap) => [wrap.memberId, wrap]));
    const wrappedTo = [...roster.members.keys()].flatMap((memberId) => {
      const known = before.get(memberId);
      const k = used.get(memberId);
      if (k === undefined || k > rotation.newEpoch + BEYOND_EPOCH) return known === undefined ? [] : [known];
      // One that an earlier rotation had used: its member has not been online since, and its healing waits.
      return [{ memberId, k, again: known !== undefined && known.k >= k }];
    });
    draft.apply(set({ wrappedTo }));
  } catch (error) {
    // It says something else inside than outside: shown as such where the key is opened.
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  }
}
