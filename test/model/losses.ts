/**
 * What a store that went back leaves to be demanded (docs/protocol.md sections 6.9 to 6.11). Nothing goes back but the
 * log: who showed a line before shows it still, wherever it stands now; whoever comes later has it if it was sent again.
 */
import { demand, type Line, type Told } from './told.js';
import type { Person } from './person.js';

/** The room as it was found at the last rest. */
interface AtRest {
  readonly roomId: string;
  readonly here: readonly Person[];
  /** by ids, those that are lines of the conversation */
  readonly sent: ReadonlyMap<string, unknown>;
  /** by names: ids of lines whose key has not come */
  readonly missed: ReadonlyMap<string, ReadonlySet<string>>;
  readonly told: Told;
  readonly lines: readonly Line[];
  /** number of messages that members had asked the relay to append */
  readonly judged: number;
}

export class Losses {
  /** ids of lines that the log has lost: sent again they stand elsewhere, and some are not */
  readonly displaced = new Set<string>();
  /** ids that each one showed when they were lost */
  readonly #shown = new Map<string, Set<string>>();
  /** ids that each one had missed when they were lost: sent again, they come back for who had their key (section 6.9) */
  readonly #missed = new Map<string, Set<string>>();
  /** names of those who had read what was lost */
  readonly #witnesses = new Set<string>();
  /** names of those who had gone by then, and whether they never read what came before the end of their part */
  readonly #gone = new Map<string, boolean>();
  /** messages that were sealed before the last loss, and judged by the log that was there then */
  judged = 0;

  /** The room at rest has lost all that comes after `end`. */
  note(end: number, { roomId, here, sent, missed, told, lines, judged }: AtRest): void {
    this.judged = judged;
    // Names and voids are lines of the log too, and no lines of a conversation.
    for (const { id, position } of lines) if (position.s > end && sent.has(id)) this.displaced.add(id);
    for (const person of here) {
      const { name, core, member } = person;
      if (core === null) continue;
      const shown = this.#shown.get(name) ?? new Set<string>();
      for (const { id } of member.messages) if (this.displaced.has(id)) shown.add(id);
      this.#shown.set(name, shown);
      const lost = [...(missed.get(name) ?? [])].filter((id) => this.displaced.has(id));
      this.#missed.set(name, new Set([...(this.#missed.get(name) ?? []), ...lost]));
      if (person.fate(roomId) === 'member' && core.position.s > end) this.#witnesses.add(name);
      const unread = unreadOf(told, person);
      if (unread !== null && !this.#gone.has(name)) this.#gone.set(name, unread);
    }
  }

  /** The log of today tells it of who has gone since; of the others the one of then. */
  unread(told: Told, person: Person): boolean {
    return this.#gone.get(person.name) ?? unreadOf(told, person) ?? false;
  }

  witnessed(name: string): boolean {
    return this.#witnesses.has(name);
  }

  /** What came back for nobody, of which somebody is excused who never had it. Throws where one that had it has not. */
  excused(person: Person, lines: readonly Line[]): readonly string[] {
    const had = this.#shown.get(person.name) ?? new Set();
    const has = new Set(person.member.messages.map(({ id }) => id));
    for (const id of had) demand(has.has(id), `${person.name} has lost ${id}, as the relay has`);
    const back = new Set(lines.map(({ id }) => id));
    const missed = this.#missed.get(person.name) ?? new Set();
    return [...this.displaced].filter((id) => missed.has(id) || (!back.has(id) && !had.has(id)));
  }
}

/** Who was away at the end, its own or the room's, is served the entry that says so and nothing before it. Null: has no end. */
function unreadOf(told: Told, { core }: Person): boolean | null {
  const end = core === null ? null : (told.ends.get(core.me) ?? told.closed);
  return core === null || end === null ? null : core.position.s < end;
}
