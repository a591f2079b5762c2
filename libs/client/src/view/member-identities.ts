/** Identities behind names: fingerprints, safety numbers, names that look alike. */
import { displayName, toBase64Url, type MemberId } from '@0fc/protocol';
import { safetyNumber } from '@0fc/crypto/keys';
import { fingerprintOf, type Hash } from '@0fc/crypto/verify';
import { confusableMembers } from './confusable.js';
import type { OwnerInvite } from '../vault/records.js';
import type { RoomState } from '../room/state/state.js';

/** Identity of the joiner that has claimed an invite. */
export interface JoinerIdentity {
  /** as it is drawn; the fingerprint where nothing of it is seen */
  readonly name: string;
  readonly fingerprint: string;
  /** 60 digits */
  readonly safetyNumber: string;
}

interface LookAlikes {
  /** the names, and how many keys were known, that they were found among */
  readonly names: string;
  readonly members: ReadonlySet<MemberId>;
}

/** Computed once each: a key never changes inside a room (docs/protocol.md section 10). */
export class MemberIdentities {
  readonly #hash: Hash;
  readonly #fingerprints = new Map<MemberId, string>();
  readonly #joiners = new Map<string, JoinerIdentity>();
  readonly #lookAlikes = new WeakMap<RoomState, LookAlikes>();

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  /** Computes what is not known yet of a room's members, former members and joiners. */
  async load(state: RoomState): Promise<void> {
    const { roster, invites, core } = state;
    for (const { memberId, key } of roster.members.values()) await this.#learnMember(memberId, key);
    for (const [memberId, { key }] of roster.former) await this.#learnMember(memberId, key);
    for (const invite of invites.values()) {
      const { joiner } = invite;
      const claim = claimOf(invite);
      if (joiner === null || claim === null || this.#joiners.has(claim)) continue;
      const fingerprint = await fingerprintOf(this.#hash, joiner.key);
      const number = await safetyNumber(this.#hash, core.roomId, core.identity.publicKey, joiner.key);
      const name = displayName(joiner.name) || fingerprint;
      this.#joiners.set(claim, { name, fingerprint, safetyNumber: digitsOf(number) });
    }
  }

  async #learnMember(memberId: MemberId, key: Uint8Array): Promise<void> {
    if (!this.#fingerprints.has(memberId))
      this.#fingerprints.set(memberId, await fingerprintOf(this.#hash, key));
  }

  fingerprint(memberId: MemberId): string {
    return this.#fingerprints.get(memberId) ?? '';
  }

  joiner(invite: OwnerInvite): JoinerIdentity | null {
    const claim = claimOf(invite);
    return claim === null ? null : (this.#joiners.get(claim) ?? null);
  }

  /** Everybody who ever had a name counts: an old message may stand under it. */
  confusable(state: RoomState): ReadonlySet<MemberId> {
    const names = `${namesOf(state)} ${String(this.#fingerprints.size)}`;
    const known = this.#lookAlikes.get(state);
    if (known?.names === names) return known.members;
    // Compared as drawn: a name may imitate the fingerprint that replaces a missing name.
    const ids = new Set([
      ...state.roster.members.keys(),
      ...state.core.people.map(({ memberId }) => memberId),
    ]);
    const members = confusableMembers(
      [...ids].map((memberId) => ({ memberId, name: this.nameFor(state, memberId) })),
    );
    this.#lookAlikes.set(state, { names, members });
    return members;
  }

  /** The name as it is drawn; of who has none that is seen, the fingerprint. */
  nameFor(state: RoomState, member: MemberId | null): string {
    if (member === null) return '';
    return drawnName(state, member) || this.fingerprint(member);
  }
}

/** The name as it is drawn; empty where there is none that is seen. */
export const drawnName = (state: RoomState, member: MemberId): string => displayName(state.nameOf(member));

/** Changes whenever somebody's name does. */
export const namesOf = ({ core }: RoomState): string =>
  JSON.stringify(core.people.map(({ memberId, name }) => [memberId, name]));

export const digitsOf = (number: string): string => number.replaceAll(' ', '');

/** An invite whose claim was released may be claimed by another key, or by the same under another name. */
const claimOf = ({ inviteId, joiner }: OwnerInvite): string | null =>
  joiner === null ? null : `${inviteId} ${toBase64Url(joiner.key)} ${joiner.name}`;
