/** Wraps of rotations that the relay keeps from single members, who ask for the key then (docs/protocol.md section 7). */
import { decodeBody, type Entry, type MemberId } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import type { LyingRelay } from '../hostile/relay/lying-relay.js';

export class KeptWraps {
  readonly #due = new Set<MemberId>();
  readonly #kept = new Map<MemberId, readonly number[]>();

  /** From here on this relay's entries go through here. */
  over(relay: LyingRelay): void {
    relay.onEntries(({ memberId }, entries) => entries.map((entry) => this.#shown(memberId, entry)));
  }

  /** False: the next one is kept from this member already. */
  keepNext(member: MemberId): boolean {
    if (this.#due.has(member)) return false;
    this.#due.add(member);
    return true;
  }

  /** Epochs of which this member was given no wrap. */
  from(member: MemberId): readonly number[] {
    return this.#kept.get(member) ?? [];
  }

  /** What is kept once is kept whenever the same rotation is served: no connection that breaks lets it out, nor a loss. */
  #shown(member: MemberId, entry: Entry): Entry {
    // Who makes a rotation has its key without a wrap.
    if (entry.kind !== 'rotation' || entry.wrap === undefined || entry.sender === member) return entry;
    const kept = this.from(member);
    const { newEpoch } = decodeBody(containerBody(entry.clear), 'rotation').body;
    const known = kept.includes(newEpoch);
    if (!known && !this.#due.delete(member)) return entry;
    if (!known) this.#kept.set(member, [...kept, newEpoch]);
    const { wrap: _kept, ...bare } = entry;
    return bare;
  }
}
