/**
 * A room under a relay without a script: people who come, talk, change their words, go, are removed, hand over, restart; thieves
 * of whole devices, and joiners who are answered and stay outside.
 */
import type { RoomId } from '@0fc/protocol';
import { makeJoinRequest, parseInvite } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { memberIdOf } from '@0fc/crypto/verify';
import { value, type Member } from '../../support/member.js';
import type { Dice } from '../../support/random.js';
import { Peer } from '../../integration/relay-peer.js';
import { Device, joined, type Secrets } from '../members/device.js';
import type { Seen } from '../relay/lying-relay.js';
import { codeOf, idOf, stageOf, type Stage } from '../stage.js';
import { AnyRelay } from './any-relay.js';
import { People } from './people.js';
import { Witness } from './witness.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

export interface Theft {
  readonly name: string;
  readonly secrets: Secrets;
}

/** How many at most of what makes a run long. */
const MOST = { newcomers: 2, answered: 2, thefts: 4, gone: 2, losses: 2, forks: 1 };
const NEWCOMERS = ['Dora', 'Emre'] as const;
const SNAPSHOTS = 4;

export class RelayStory {
  readonly relay: AnyRelay;
  readonly witness = new Witness();
  readonly people: People;
  readonly roomId: RoomId;
  readonly thefts: Theft[] = [];
  readonly outside: Theft[] = [];
  /** ids of who was removed by an act of its owner's */
  readonly removed: string[] = [];
  readonly #stage: Stage;
  readonly #devices = new Map<Member, Device>();
  readonly #held = new Map<Member, Secrets>();
  readonly #joining = new Map<Member, string>();
  readonly #snapshots: string[] = [];
  #counts = { newcomers: 0, answered: 0, gone: 0, losses: 0, forks: 0 };

  private constructor(stage: Stage, people: People, roomId: string, seed: number) {
    this.#stage = stage;
    this.people = people;
    this.roomId = roomId as RoomId;
    this.relay = new AnyRelay(stage.relay, seed);
  }

  /** The first of these names makes the room, the others come in. */
  static async begin(
    stage: Stage,
    seed: number,
    { names, rotateEvery }: { readonly names: readonly string[]; readonly rotateEvery: number },
  ): Promise<RelayStory> {
    const [owner, ...others] = await Promise.all(names.map((name) => stage.member(name)));
    if (owner === undefined) throw new Error('a room of nobody');
    const roomId = await owner.createRoom('Rive droite', rotateEvery);
    const story = new RelayStory(stage, new People(stage), roomId, seed);
    const all = [owner];
    for (const guest of others) {
      value(await guest.api.join((await owner.invite(roomId)).link, guest.name));
      // Tried again by itself until it is in: the invite may be on its way when it is claimed.
      await stage.byItself(`${guest.name} to come in`, [guest], () => stageOf(guest, roomId) === 'member');
      await guest.watch(roomId);
      all.push(guest);
    }
    for (const who of all) {
      await story.watch(who);
      story.people.add(who, idOf(who));
    }
    story.people.owns(owner);
    await stage.settled(all, all.length);
    await story.look();
    return story;
  }

  /** What its relay has of it. */
  get seen(): readonly Seen[] {
    return this.#stage.relay.seen;
  }

  /** Public keys of everybody who has connected. */
  get keys(): ReadonlySet<Uint8Array> {
    return this.#stage.relay.keys;
  }

  /** Everything that lay in their vaults at some look. */
  get held(): ReadonlyMap<Member, Secrets> {
    return this.#held;
  }

  async watch(who: Member): Promise<void> {
    this.witness.watch(who);
    this.#devices.set(who, Device.of(who));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#devices.values()].map((device) => device.close()));
  }

  get inside(): readonly Member[] {
    return this.people.here.filter((who) => this.#isInside(who));
  }

  #isInside = (who: Member): boolean =>
    stageOf(who, this.roomId) === 'member' && who.room?.roomId === this.roomId;

  get owner(): Member | undefined {
    return this.inside.find(({ room }) => room?.owner === true);
  }

  /** Reads every vault, and greets who has come in. */
  async look(): Promise<void> {
    for (const [who, device] of this.#devices) {
      const now = await device.copy(this.roomId);
      const before = this.#held.get(who);
      if (now !== null) this.#held.set(who, before === undefined ? now : joined(before, now));
    }
    for (const [who, inviteId] of this.#joining) {
      const claim = this.#stage.relay.requests('claim').find(({ body }) => body.inviteId === inviteId);
      if (claim === undefined) continue;
      if (!this.people.all.includes(who)) this.people.add(who, claim.memberId);
      if (stageOf(who, this.roomId) !== 'member' || !this.people.here.includes(who)) continue;
      await who.watch(this.roomId);
      this.#joining.delete(who);
    }
  }

  async writes(who: Member, text: string): Promise<string> {
    this.witness.writes(who, text);
    const outcome = await who.api.sendText(this.roomId, text);
    if (outcome.ok) this.witness.named(outcome.value.id, text);
    return `${who.name} writes ${text}: ${codeOf(outcome)}`;
  }

  /** What the protocol leaves to a user: lines that ask go to everybody, and a room that waits for its user goes on. */
  async remedies(who: Member): Promise<void> {
    for (const id of who.room?.held ?? []) {
      this.witness.confirms(who, id);
      const outcome = await who.api.confirmSend(this.roomId, id);
      if (!outcome.ok && outcome.error.code !== 'MESSAGE_UNKNOWN') value(outcome);
    }
    const stopped = who.room?.stopped ?? null;
    if (stopped !== null && !stopped.resumes) value(await who.api.resumeRoom(this.roomId));
  }

  async invites(owner: Member): Promise<{ readonly link: string; readonly inviteId: string } | null> {
    const outcome = await owner.api.createInvite(this.roomId, 3_600_000);
    return outcome.ok ? outcome.value : null;
  }

  async newcomer(owner: Member): Promise<string | null> {
    const name = NEWCOMERS[this.#counts.newcomers];
    const invite =
      name === undefined || this.#counts.newcomers >= MOST.newcomers ? null : await this.invites(owner);
    if (name === undefined || invite === null) return null;
    this.#counts.newcomers += 1;
    const who = await this.#stage.member(name);
    await this.watch(who);
    this.#joining.set(who, invite.inviteId);
    return `${name}: ${codeOf(await who.api.join(invite.link, name))}`;
  }

  /** Somebody who claims an invite, is answered if it so happens, and goes no further. */
  async joinsHalf(owner: Member): Promise<string | null> {
    const invite = this.#counts.answered >= MOST.answered ? null : await this.invites(owner);
    if (invite === null) return null;
    this.#counts.answered += 1;
    const link = await parseInvite(nodeHash, invite.link);
    const {
      identity,
      payload: request,
      joinKey,
      prekey,
    } = await makeJoinRequest(crypto, { link, name: 'Mallory' });
    const me = await memberIdOf(nodeHash, identity.publicKey);
    this.relay.accomplices.add(me);
    const peer = await Peer.connect(this.#stage.relay, identity);
    const { inviteId, ownerKey, token } = link;
    const claimed = peer.raw(
      { kind: 'claim', body: { roomId: this.roomId, inviteId } },
      { kind: 'joinRequest', body: { inviteId, request } },
    );
    const ends = (await Promise.allSettled(claimed)).map(({ status }) => status);
    peer.leave();
    const joins = [{ inviteId, joiner: me, ownerKey, token, joinKey, request }];
    const secrets = {
      roomId: this.roomId,
      me,
      epoch: 0,
      keys: [],
      prekeys: [{ k: 1, pair: prekey }],
      keyRequests: [],
      joins,
      invites: [],
    };
    this.outside.push({ name: `answered joiner ${String(this.#counts.answered)}`, secrets });
    return ends.join();
  }

  async steals(from: Member): Promise<string | null> {
    if (this.thefts.length >= MOST.thefts) return null;
    const secrets = (await this.#devices.get(from)?.copy(this.roomId)) ?? null;
    if (secrets === null) return null;
    const name = `thief of ${from.name}’s device in epoch ${String(secrets.epoch)}`;
    this.thefts.push({ name, secrets });
    return name;
  }

  mayGo(): boolean {
    this.#counts.gone += 1;
    return this.#counts.gone <= MOST.gone;
  }

  snapshot(): void {
    if (this.#snapshots.length < SNAPSHOTS) this.#snapshots.push(this.#stage.relay.world.snapshot());
  }

  /** The store is put back to some earlier moment, or goes on as any start of it does. */
  async loses(dice: Dice): Promise<string | null> {
    if (this.#counts.losses >= MOST.losses) return null;
    this.#counts.losses += 1;
    const [at] = this.#snapshots.splice(dice.below(this.#snapshots.length + 1), 1);
    await this.#stage.relay.putBack(at ?? this.#stage.relay.world.snapshot());
    return at === undefined ? 'a start' : 'put back';
  }

  /** The store is put back to where the first copy of it was taken. */
  async putsBackTheFirst(): Promise<void> {
    const first = this.#snapshots.shift();
    if (first === undefined) throw new Error('no copy was taken');
    await this.#stage.relay.putBack(first);
  }

  forks(some: readonly Member[], hidden: boolean): string | null {
    if (this.#counts.forks >= MOST.forks) return null;
    this.#counts.forks += 1;
    this.#stage.relay.place(some.map(idOf), { hidden });
    return `${some.map(({ name }) => name).join()}${hidden ? ' in secret' : ''}`;
  }

  reunites(): Promise<void> {
    return this.#stage.relay.reunite();
  }

  cuts(who: Member): void {
    this.#stage.relay.cut(idOf(who));
  }
}
