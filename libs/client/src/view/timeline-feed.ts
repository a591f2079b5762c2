/**
 * The watched room's timeline as events: a window on the newest records, what changes in it,
 * and older ones when they are asked for.
 */
import type { ClientEvent, TimelineItem } from '../contract/api.js';
import { membershipOf, type LogRecord } from '../vault/records.js';
import { namesOf } from './member-identities.js';
import { heldLines, isShown, itemsOf, pendingItems, type Source } from './timeline.js';

/** Records, of those that show something, that the window begins with and grows by. */
export const WINDOW = 200;

export type TimelineEvent = Extract<ClientEvent, { readonly type: 'timeline' }>;

export interface Step {
  /** there is more in the vault than the window holds */
  readonly earlier: boolean;
  /** null: nothing has changed */
  readonly event: TimelineEvent | null;
}

export class TimelineFeed {
  /** index of the oldest record in the window; null: no event was made yet */
  #from: number | null = null;
  #wanted = WINDOW;
  /** items of the outbox as they were last sent to the page, serialized, by id */
  #pending: ReadonlyMap<string, string> = new Map();
  #marks = '';

  /** One more window's worth of older records with the next step. */
  loadEarlier(): void {
    this.#wanted += WINDOW;
  }

  /** Brings into memory what the next step shows. Rejects as the vault does. */
  async prepare({ state, conversation }: Pick<Source, 'state' | 'conversation'>): Promise<void> {
    await conversation.prepare();
    while (this.#missing({ state, conversation }) && (await state.loadEarlier()))
      await conversation.prepare();
  }

  /** Whether the window is to begin before what is in memory. */
  #missing({ state: { log }, conversation }: Pick<Source, 'state' | 'conversation'>): boolean {
    let wanted = this.#wanted;
    for (let at = Math.min(this.#from ?? log.end, log.end); at > log.loaded && wanted > 0; at--) {
      const record = log.at(at - 1);
      if (record !== undefined && isShown(conversation, record)) wanted -= 1;
    }
    return wanted > 0 && log.loaded > log.first;
  }

  /** What has changed since the last step; the first one is a reset. */
  step(source: Source): Step {
    const { state, conversation } = source;
    conversation.sync();
    const dirty = conversation.drainDirty();
    const before = this.#from;
    const from = this.#extend(source);
    state.hold(from);
    // A name or a mark that changed shows in every line of its member; an answer, in a line that the log has.
    const marks = JSON.stringify([namesOf(state), state.core.verified, heldLines(source), source.ended]);
    const reset = before === null || marks !== this.#marks;
    this.#marks = marks;
    const { first } = state.log;
    const changed = [...dirty].filter((index) => before !== null && index >= before).sort((a, b) => a - b);
    const due = reset
      ? [...state.log.oldestFirst(from)]
      : [...indexes(from, before), ...changed].flatMap((index) => state.log.at(index) ?? []);
    const event = this.#makeEvent(source, due, reset);
    return { earlier: from > first, event };
  }

  /** Moves the window's beginning back until it holds what is wanted, or what is in memory. */
  #extend({ state: { log }, conversation }: Source): number {
    const begin = log.loaded;
    let from = Math.max(begin, this.#from ?? log.end);
    if (this.#from === from && this.#wanted === 0) return from;
    const shows = (index: number): boolean => {
      const record = log.at(index);
      return record !== undefined && isShown(conversation, record);
    };
    for (; from > begin && this.#wanted > 0; from--) if (shows(from - 1)) this.#wanted -= 1;
    // What memory does not reach is wanted yet.
    if (begin === log.first) this.#wanted = 0;
    // What shows nothing is not worth asking for.
    let rest = from;
    while (rest > begin && !shows(rest - 1)) rest -= 1;
    this.#from = rest === log.first ? log.first : from;
    return this.#from;
  }

  #makeEvent(source: Source, due: readonly LogRecord[], reset: boolean): TimelineEvent | null {
    const waiting = new Map(pendingItems(source).map((item) => [item.id, item]));
    const serialized = new Map([...waiting].map(([id, item]) => [id, JSON.stringify(item)]));
    // Only changed items of a long outbox are sent again.
    const changed = [...waiting.values()].filter(
      ({ id }) => reset || serialized.get(id) !== this.#pending.get(id),
    );
    const items: TimelineItem[] = [...due.flatMap((record) => itemsOf(source, record)), ...changed];
    const present = new Set(items.map(({ id }) => id));
    const removedIds = [...this.#pending.keys()].filter((id) => !waiting.has(id) && !present.has(id));
    const dropped = source.conversation.drainRemoved().filter((id) => !present.has(id));
    const removed = reset ? [] : [...removedIds, ...dropped];
    this.#pending = serialized;
    if (!reset && items.length === 0 && removed.length === 0) return null;
    const roomId = membershipOf(source.state.core);
    return { type: 'timeline', roomId, reset, items, removed };
  }
}

/** From one up to, and without, another. */
const indexes = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
