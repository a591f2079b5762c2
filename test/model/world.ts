/** The real thing beside the model: a relay, one room, its people, and what has been asked of them. */
import type { CreatedInvite, Outcome } from '@0fc/client/api';
import type { Sent } from '../support/checker.js';
import { isSent } from '../support/sent.js';
import { until } from '../support/wait.js';
import { Losses } from './losses.js';
import type { Model } from './model.js';
import { Person } from './person.js';
import { ModelRelay } from './relay.js';

const NAMES = ['Amina', 'Tomás', 'Inès', 'Noé', 'Jonas'] as const;

/** The same may be asked again: the relay, or one's own device, was not there. */
const PASSING = ['OFFLINE', 'TRY_AGAIN', 'TIMED_OUT', 'VAULT_LOCKED'] as const;

/** Longest that an act waits for the traffic before it, in milliseconds: a pace, and no condition. */
const PACE_MS = 60;

export class Room {
  readonly relay: ModelRelay;
  readonly roomId: string;
  readonly people: (Person | null)[];
  readonly links = new Map<number, Promise<CreatedInvite | null>>();
  /** ids of invites whose end was stored before anybody could have come in by them */
  readonly dead = new Set<string>();
  readonly sent = new Map<string, Sent>();
  readonly losses = new Losses();
  /** what has been asked for and not been answered */
  readonly asked = new Map<Promise<void>, string>();
  readonly #faults: string[] = [];
  /** how often each sort of command was carried out */
  readonly counts: Map<string, number>;
  readonly #trace: string[] = [];
  readonly #begun = performance.now();
  #said = 0;

  private constructor(
    relay: ModelRelay,
    roomId: string,
    people: (Person | null)[],
    counts: Map<string, number>,
  ) {
    this.relay = relay;
    this.roomId = roomId;
    this.people = people;
    this.counts = counts;
  }

  static async open(
    options: { readonly size: number; readonly rotateEvery: number; readonly approval: boolean },
    counts: Map<string, number>,
  ): Promise<Room> {
    const relay = await ModelRelay.start();
    const owner = await Person.create(NAMES[0], relay.url);
    const roomId = await owner.member.createRoom('Rive droite', options.rotateEvery, options.approval);
    const people = Array.from({ length: options.size }, (_, at) => (at === 0 ? owner : null));
    const room = new Room(relay, roomId, people, counts);
    await room.glance();
    return room;
  }

  static get size(): number {
    return NAMES.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.here.map((person) => person.remove()));
    await this.relay.stop();
  }

  /** People with a client, wherever they stand. */
  get here(): readonly Person[] {
    return this.people.flatMap((person) => (person === null ? [] : [person]));
  }

  nameOf(at: number): string {
    return NAMES[at] ?? '';
  }

  person(at: number): Person {
    const person = this.people[at];
    if (person === null || person === undefined) throw new Error(`${this.nameOf(at)} has no client`);
    return person;
  }

  async arrive(at: number): Promise<Person> {
    const known = this.people[at];
    if (known !== null && known !== undefined) return known;
    const person = await Person.create(this.nameOf(at), this.relay.url);
    this.people[at] = person;
    return person;
  }

  /** Whoever owns the room by its own client's view, if that one is online; else by the model. */
  ownerNow(model: Model): number {
    const at = this.people.findIndex(
      (person) => person?.online === true && person.member.room?.owner === true,
    );
    return at < 0 ? model.owner : at;
  }

  /** Somebody says something that nobody else says. */
  words(at: number): string {
    this.#said += 1;
    return `${String(this.#said)} by ${this.nameOf(at)}`;
  }

  /**
   * Asks, and waits for no answer: true, it has been asked. A refusal that is not among `codes` is a fault; `then` hears
   * 'done', or the refusal.
   */
  ask<T>(
    what: string,
    codes: readonly string[],
    run: () => Promise<Outcome<T>>,
    then: (result: string, value: T | null) => void = () => undefined,
  ): true {
    const asked = run().then(
      (outcome) => {
        const result = outcome.ok ? 'done' : outcome.error.code;
        this.#tell(`  ${what}: ${result}`);
        const known = outcome.ok || [...PASSING, ...codes].includes(result);
        if (!known) this.#faults.push(`${what}: ${result}`);
        then(result, outcome.ok ? outcome.value : null);
      },
      (error: unknown) => {
        this.#faults.push(`${what}: ${String(error)}`);
      },
    );
    const over = asked.finally(() => this.asked.delete(over));
    this.asked.set(over, what);
    return true;
  }

  /** Lets `count` messages go by, or what there is of them. */
  async pace(count: number): Promise<void> {
    const target = this.relay.passed + count;
    const end = Date.now() + PACE_MS;
    await until('traffic', () => this.relay.passed >= target || Date.now() > end);
  }

  /** What has been done and answered so far, with the milliseconds since the beginning. */
  get trace(): string {
    return this.#trace.join('\n');
  }

  #tell(line: string): void {
    this.#trace.push(`${String(Math.round(performance.now() - this.#begun)).padStart(7)}  ${line}`);
  }

  note(sort: string, detail: string): void {
    this.#tell(`${sort} ${detail}`);
  }

  count(sort: string): void {
    this.counts.set(sort, (this.counts.get(sort) ?? 0) + 1);
  }

  /** After every command: what never goes back has not, and nothing was refused that may not be. */
  async glance(): Promise<void> {
    for (const person of this.here) {
      this.#faults.push(...(await person.look(this.roomId)));
      for (const message of person.member.messages) {
        const said = this.sent.get(message.id);
        if (said !== undefined && message.mine && isSent(message))
          this.sent.set(message.id, { ...said, acknowledged: true });
      }
    }
    if (this.#faults.length > 0) throw new Error(this.#faults.join('\n'));
  }
}
