/**
 * Who may be what in one room (docs/protocol.md sections 4, 5, 7), small enough to be seen through.
 * Members act at the same time, so that what an act leads to is often one of several ends: of each
 * person the model keeps those that are allowed, and at rest holds what has come about to them.
 */

/** What a person is in the end. */
export type Fate = 'out' | 'waiting' | 'failed' | 'member' | 'left' | 'removed' | 'closed';

export interface Persona {
  /** out: never in, or to be invited anew; over: was in, and is no more */
  place: 'out' | 'invited' | 'joining' | 'member' | 'over';
  may: Set<Fate>;
  online: boolean;
  /** of an invite: something may have ended it */
  doubtful: boolean;
}

export interface Offer {
  readonly to: number;
  /** it has been accepted, or may have been */
  accepted: boolean;
  /** the epoch in which the acceptance was stored, and with which it ends; null: it may not be */
  acceptedIn: number | null;
  /** something may have come between: the room changes hands or not */
  spoiled: boolean;
  /** its taker may see an earlier one still, and accept that: it counts for nothing */
  readonly renewed: boolean;
}

export class Model {
  readonly people: Persona[];
  owner = 0;
  offer: Offer | null = null;
  /** who was ever offered the room */
  readonly offered = new Set<number>();
  /** earlier offers' takers that may become the owner all the same */
  heirs = new Set<number>();
  closing = false;
  closed = false;
  /** the relay has a copy of its store to go back to */
  kept = false;
  readonly approval: boolean;

  constructor(size: number, approval: boolean) {
    this.approval = approval;
    this.people = Array.from({ length: size }, (_, at): Persona => ({
      place: at === 0 ? 'member' : 'out',
      may: new Set<Fate>([at === 0 ? 'member' : 'out']),
      online: true,
      doubtful: false,
    }));
  }

  who(wanted: (persona: Persona, at: number) => boolean): readonly number[] {
    return this.people.flatMap((persona, at) => (wanted(persona, at) ? [at] : []));
  }

  get ownerOnline(): boolean {
    return this.people[this.owner]?.online === true && !this.closing;
  }

  get members(): readonly number[] {
    return this.who(({ place }) => place === 'member');
  }

  /** Members that do not own the room. */
  get others(): readonly number[] {
    return this.members.filter((at) => at !== this.owner);
  }

  persona(at: number): Persona {
    const persona = this.people[at];
    if (persona === undefined) throw new Error('nobody');
    return persona;
  }

  allow(at: number, ...fates: readonly Fate[]): void {
    for (const fate of fates) this.persona(at).may.add(fate);
  }

  invite(at: number): void {
    const persona = this.persona(at);
    persona.place = 'invited';
    persona.doubtful = false;
  }

  /** The invite could not be made: whoever was to join by it has not begun. */
  uninvited(at: number): void {
    Object.assign(this.persona(at), { place: 'out', may: new Set<Fate>(['out']) });
  }

  /** The join could not begin; the invite is as it was. */
  unjoined(at: number): void {
    Object.assign(this.persona(at), { place: 'invited', may: new Set<Fate>(['out']) });
  }

  join(at: number): void {
    const persona = this.persona(at);
    persona.place = 'joining';
    persona.may = new Set<Fate>([this.approval ? 'waiting' : 'member']);
    if (persona.doubtful) persona.may.add('failed');
  }

  decide(at: number, admit: boolean): void {
    this.allow(at, admit ? 'member' : 'failed');
  }

  decided(at: number): void {
    this.persona(at).may.delete('waiting');
  }

  revoke(at: number): void {
    this.persona(at).doubtful = true;
    if (this.persona(at).place === 'joining') this.allow(at, 'failed');
  }

  /** The owner's word is stored: nobody comes in by it any more. */
  revoked(at: number): void {
    const persona = this.persona(at);
    if (persona.place === 'joining') persona.may = new Set<Fate>(['failed']);
  }

  remove(at: number): void {
    this.allow(at, 'removed');
    if (this.offer?.to === at) this.offer.spoiled = true;
  }

  /** Stored by who owned the room then; who owns it next has not been asked. */
  removed(at: number): void {
    if (!this.handingOver) this.persona(at).may.delete('member');
  }

  leave(at: number): void {
    this.allow(at, 'left');
    if (this.offer?.to === at) this.offer.spoiled = true;
  }

  left(at: number): void {
    if (this.offer?.to !== at && !this.heirs.has(at)) this.persona(at).may.delete('member');
  }

  offerTo(at: number): Offer {
    // Whoever has accepted an earlier one may have been faster.
    if (this.offer?.accepted === true) this.heirs.add(this.offer.to);
    const renewed = this.offered.has(at);
    this.offered.add(at);
    this.offer = { to: at, accepted: false, acceptedIn: null, spoiled: false, renewed };
    return this.offer;
  }

  accept(offer: Offer): void {
    offer.accepted = true;
    // The relay drops pending joins with the transfer, and every open invite.
    endInvites(this.people);
  }

  /** Goes on as another device: an owner's knows no open invite, and drops who was coming by one. */
  imported(at: number): void {
    if (this.owners().has(at)) endInvites(this.people);
  }

  /** The relay's store is that of an earlier moment: what waited there may have gone, and no member has. */
  wentBack(): void {
    this.kept = false;
    endInvites(this.people);
    if (this.offer !== null) this.offer.spoiled = true;
  }

  /** Whether the owner may be another one by now. */
  get handingOver(): boolean {
    return this.offer?.accepted === true || this.heirs.size > 0;
  }

  /** The owner took it back before any acceptance had come. */
  withdrawn(offer: Offer): void {
    if (this.offer === offer) this.offer = null;
  }

  close(): void {
    this.closing = true;
    if (this.offer !== null) this.offer.spoiled = true;
    for (const [at, { place, may }] of this.people.entries()) {
      if (place === 'member') this.allow(at, 'closed');
      if (place === 'joining') this.allow(at, 'closed', 'failed', ...may);
    }
  }

  /** Who may own the room now, in this epoch (not known: whichever it is), and whether nobody else may. */
  owners(epoch = Infinity): ReadonlySet<number> {
    const owners = new Set(this.heirs);
    const { offer } = this;
    if (offer?.accepted === true) owners.add(offer.to);
    // A rotation that was faster than the acceptance ended it; the offer stands.
    const certain = offer !== null && offer.acceptedIn !== null && offer.acceptedIn >= epoch;
    if (!certain || offer.renewed || offer.spoiled || owners.size !== 1) owners.add(this.owner);
    return owners;
  }

  /** What has come about, at rest: from here on this is so. */
  rest(owner: number, fates: readonly Fate[], offeredTo: number | null): void {
    if (owner !== this.owner) {
      for (const persona of this.people) if (persona.place === 'invited') persona.place = 'out';
    }
    this.owner = owner;
    this.offer =
      offeredTo === null
        ? null
        : { to: offeredTo, accepted: false, acceptedIn: null, spoiled: false, renewed: false };
    this.heirs = new Set();
    for (const [at, fate] of fates.entries()) {
      const persona = this.persona(at);
      if (fate === 'closed') this.closed = true;
      if (persona.place === 'invited' && !persona.doubtful) continue;
      persona.may = new Set<Fate>([fate === 'failed' ? 'out' : fate]);
      if (fate === 'member') persona.place = 'member';
      else if (fate === 'waiting') persona.place = 'joining';
      else if (fate === 'out' || fate === 'failed') persona.place = 'out';
      else persona.place = 'over';
    }
    if (!this.closed) this.closing = false;
  }
}

/** Whoever has an invite, or comes by one, may find it ended. */
function endInvites(people: readonly Persona[]): void {
  for (const persona of people) {
    if (persona.place === 'invited') persona.doubtful = true;
    if (persona.place === 'joining') persona.may.add('failed');
  }
}
