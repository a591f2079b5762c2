/**
 * Who has applied the last departure (G10). Every departure comes with a rotation, and whoever seals anything in the
 * epoch that it begins has read both.
 */
import { decodeBody, ROSTER_KINDS, type MemberId } from '@0fc/protocol';
import { containerBody, type Roster } from '@0fc/crypto/verify';
import type { DepartureReceipt } from '../contract/api.js';
import type { RoomSnapshot } from '../room/state/draft.js';

interface Departure {
  /** the epoch that its rotation begins */
  readonly epoch: number;
  /** who has signed it, or an entry after it */
  readonly signers: ReadonlySet<MemberId>;
}

/** By roster, which is never changed in place: a view is made for each line that comes. */
const departures = new WeakMap<Roster, Departure>();

/**
 * How this client knows that a member has applied the last departure. `heard`: epoch of its last signal. A member that
 * was admitted since, and one that has signed an entry since, have it in the chain itself.
 */
export function receiptOf(
  snapshot: RoomSnapshot,
  memberId: MemberId,
  heard: number | null,
): DepartureReceipt {
  const { epoch, signers } = lastDeparture(snapshot);
  const sealed = snapshot.sender(memberId).epoch ?? 0;
  const admitted = snapshot.roster.members.get(memberId)?.epoch ?? 0;
  if (Math.max(sealed, admitted) >= epoch || signers.has(memberId)) return 'log';
  return (heard ?? 0) >= epoch ? 'presence' : 'none';
}

/** A room that nobody has left has none to apply: its first epoch counts. */
function lastDeparture({ chain, roster }: RoomSnapshot): Departure {
  const known = departures.get(roster);
  if (known !== undefined) return known;
  const signers = new Set<MemberId>();
  let epoch = 0;
  for (let at = roster.former.size === 0 ? 0 : chain.size - 1; at > 0 && epoch === 0; at--) {
    const { kind, body } = decodeBody(containerBody(chain.get(at) ?? new Uint8Array()), ...ROSTER_KINDS);
    if (kind === 'genesis') break;
    signers.add(body.owner);
    if (kind === 'remove' || kind === 'leave') epoch = body.epoch + 1;
  }
  const departure = { epoch, signers };
  departures.set(roster, departure);
  return departure;
}
