/**
 * A relay without a script: whatever its schemas admit it says, at any time. Of each event, reply and request that
 * goes through it, it may withhold it, repeat it, change any field, say an earlier one of anybody's instead, make one up, or
 * refuse with any code; and it says things that nothing has brought about.
 *
 * What becomes of the n-th message of a kind from or to the n-th of its members depends on the seed alone.
 */
import {
  ERROR_CODES, EVENT_KINDS, eventRow, requestRow, type CborValue, type Entry, type EventBody, type EventKind, type MemberId,
  type Position, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import type { RequestMessage } from '../../../apps/relay/src/rooms/commands/dispatch.js';
import { admits } from '../../support/arbitrary.js';
import { Dice } from '../../support/random.js';
import type { Client, FromClient, LyingRelay } from '../relay/lying-relay.js';
import { anyOf, changed, type Pool } from './changed.js';

type Body = Record<string, unknown>;

/** Values of a live room that are kept to be said in other fields. */
const POOL = 400;
const TRIES = 4;
const CODES = Object.values(ERROR_CODES);

export class AnyRelay {
  /** one message in so many is a lie; 0: none is */
  rate = 0;
  lies = 0;
  /** connections that are in league with it */
  readonly accomplices = new Set<MemberId>();
  readonly #relay: LyingRelay;
  readonly #seed: number;
  readonly #known: MemberId[] = [];
  readonly #counts = new Map<string, number>();
  readonly #pool: CborValue[] = [];
  readonly #said: { readonly kind: string; readonly body: Body }[] = [];
  readonly #asked: { readonly kind: string; readonly body: Body }[] = [];
  readonly #entries: Entry[] = [];
  readonly #held = new Map<Client, SessionMessage[]>();
  readonly #tips = new Map<MemberId, Position>();

  constructor(relay: LyingRelay, seed: number) {
    this.#relay = relay;
    this.#seed = seed;
    relay.onToClient((client, message) => this.#toClient(client, message));
    relay.onFromClient((client, request) => this.#fromClient(client, request));
  }

  /** No lie from now on. */
  honest(): void {
    this.rate = 0;
    this.#held.clear();
  }

  #diceFor(client: Client, what: string): Dice {
    if (!this.#known.includes(client.memberId)) this.#known.push(client.memberId);
    const name = `${String(this.#known.indexOf(client.memberId))} ${what}`;
    const nth = this.#counts.get(name) ?? 0;
    this.#counts.set(name, nth + 1);
    let mixed = this.#seed;
    for (const letter of `${name} ${String(nth)}`)
      mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193);
    return new Dice(mixed);
  }

  #toClient(client: Client, message: SessionMessage): readonly SessionMessage[] | undefined {
    const kind = kindOf(client, message);
    const body = 'body' in message ? message.body : null;
    if (kind === null) return undefined;
    const dice = this.#diceFor(client, kind);
    if (body !== null) this.#note(client, kind, body);
    if (this.rate === 0 || this.accomplices.has(client.memberId)) return undefined;
    const due = this.#held.get(client) ?? [];
    this.#held.delete(client);
    const lie = dice.once(this.rate) ? this.#lie(dice, client, kind, message) : [message];
    return [...lie, ...due];
  }

  #lie(dice: Dice, client: Client, kind: string, message: SessionMessage): readonly SessionMessage[] {
    this.lies += 1;
    const schema = 'e' in message ? eventRow(kind)?.body : requestRow(kind)?.reply;
    const told = (told: unknown): readonly SessionMessage[] => {
      if (told === null) return [];
      const body = told as Body;
      return 'r' in message ? [{ r: message.r, body }] : [{ e: kind, body }];
    };
    const body = 'body' in message ? message.body : null;
    switch (dice.below(9)) {
      case 0:
        return [];
      case 1:
        return [message, message];
      case 2:
        this.#held.set(client, [message]);
        return [];
      case 3:
        return told(this.#earlier(dice, this.#said, kind) ?? body);
      case 4:
        return told(anyAdmitted(dice, schema));
      case 5:
        if ('r' in message) return [{ r: message.r, error: { code: dice.of(CODES) } }];
        return [message, ...this.#word(dice)];
      case 6:
        return told(this.#transplanted(dice, body));
      default:
        return told(
          body === null ? anyAdmitted(dice, schema) : changed(dice, schema, body, this.#values).value,
        );
    }
  }

  #fromClient(client: Client, request: RequestMessage): ReturnType<FromClient> {
    const { kind } = request;
    const body = request.body;
    const dice = this.#diceFor(client, `asks ${kind}`);
    keep(this.#asked, { kind, body });
    this.#learn(body);
    if (this.rate === 0 || this.accomplices.has(client.memberId) || !dice.once(this.rate)) return undefined;
    this.lies += 1;
    const row = requestRow(kind);
    switch (dice.below(6)) {
      case 0:
        return 'drop';
      case 1:
        return { refuse: dice.of(CODES) };
      case 2: {
        const answer = this.#earlier(dice, this.#said, kind) ?? anyAdmitted(dice, row?.reply);
        return answer === null ? 'drop' : { answer: answer as Body };
      }
      case 3: {
        const instead = this.#earlier(dice, this.#asked, kind) ?? body;
        return { instead: { ...request, body: instead } };
      }
      case 4:
        return kind === 'append' ? { answer: this.#asIfPlaced(client, body) } : 'drop';
      default: {
        const { value } = changed(dice, row?.body, body, this.#values);
        return { instead: { ...request, body: value } };
      }
    }
  }

  /** Acknowledged, and stored nowhere. */
  #asIfPlaced(client: Client, body: Body): Body {
    const { g, s } = this.#tips.get(client.memberId) ?? { g: 1, s: 0 };
    const messages = body.messages as readonly unknown[];
    const placed = messages.map((_, at) => ({ position: { g, s: s + 1 + at }, time: Date.now() }));
    return { placed };
  }

  /** Some word to somebody, that nothing has brought about: an earlier one, one made up, a loss. In words; null: nobody is there. */
  says(dice: Dice): string | null {
    const there = [...this.#relay.clients].filter(
      (client) => client.live && !this.accomplices.has(client.memberId),
    );
    if (there.length === 0) return null;
    const words = this.#word(dice);
    const all = dice.once(4);
    for (const client of all ? there : [dice.of(there)]) for (const word of words) client.raw(word);
    this.lies += 1;
    return `${words.map((word) => ('e' in word ? word.e : '')).join()} to ${all ? 'all' : 'one'}`;
  }

  #word(dice: Dice): readonly SessionMessage[] {
    const events = this.#said.filter(({ kind }) => eventRow(kind) !== null);
    const choice = dice.below(3);
    if (choice === 0 && events.length > 0) {
      const { kind, body } = dice.of(events);
      return [{ e: kind, body }];
    }
    if (choice === 1 && this.#entries.length > 0) {
      // A loss that never was, or the one that was, once more.
      const { position: from } = dice.of(this.#entries);
      const generation = dice.of([from.g + 1, Date.now(), Date.now() + 3_600_000]);
      return [{ e: 'generation', body: { generation, from } satisfies EventBody<'generation'> }];
    }
    const kind: EventKind = dice.of(EVENT_KINDS);
    const body = anyAdmitted(dice, eventRow(kind)?.body);
    return body === null ? [] : [{ e: kind, body: body as Body }];
  }

  #earlier(
    dice: Dice,
    all: readonly { readonly kind: string; readonly body: Body }[],
    kind: string,
  ): Body | null {
    const same = all.filter((one) => one.kind === kind);
    return same.length === 0 ? null : dice.of(same).body;
  }

  /** One entry of a page is another one of anybody's, in its place. */
  #transplanted(dice: Dice, body: unknown): unknown {
    const entries = (body as { readonly entries?: readonly (Entry | Uint8Array)[] } | null)?.entries ?? [];
    if (entries.length === 0 || this.#entries.length === 0) return body;
    const at = dice.below(entries.length);
    const other = dice.of(this.#entries);
    const moved = entries.map((entry, index) => {
      if (index !== at || entry instanceof Uint8Array) return entry;
      return dice.once(2) ? { ...other, position: entry.position } : other;
    });
    return { ...(body as object), entries: moved };
  }

  get #values(): Pool {
    return this.#pool;
  }

  #note(client: Client, kind: string, body: Body): void {
    keep(this.#said, { kind, body });
    this.#learn(body);
    const { entries } = body;
    for (const entry of Array.isArray(entries) ? (entries as readonly (Entry | Uint8Array)[]) : []) {
      if (entry instanceof Uint8Array) continue;
      keep(this.#entries, entry);
      this.#tips.set(client.memberId, entry.position);
    }
  }

  #learn(value: unknown): void {
    if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      for (const part of Object.values(value)) this.#learn(part);
    } else keep(this.#pool, value as CborValue);
  }
}

/** Of a reply, that of what was asked; null: of nothing. */
function kindOf(client: Client, message: SessionMessage): string | null {
  if ('e' in message) return message.e;
  return 'r' in message ? (client.asked.get(message.r)?.kind ?? null) : null;
}

function keep<T>(all: T[], one: T): void {
  all.push(one);
  if (all.length > POOL) all.shift();
}

/** Any value of a schema; null where none of some is within all its limits. */
function anyAdmitted(dice: Dice, schema: unknown): CborValue {
  for (let left = TRIES; left > 0; left--) {
    const value = anyOf(dice, schema);
    if (admits(schema, value)) return value;
  }
  return null;
}
