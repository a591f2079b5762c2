/** Who was on the roster once: what was signed then still proves itself (docs/protocol.md section 4). */
import type { Bytes, MemberId } from '@0fc/protocol';
import type { Roster } from '@0fc/crypto/verify';

/** The key of a member of now or of before; null: it never was one. */
export const keyOfAnyMember = ({ members, former }: Roster, memberId: MemberId): Bytes | null =>
  (members.get(memberId) ?? former.get(memberId))?.key ?? null;
