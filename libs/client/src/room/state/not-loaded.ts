/**
 * Access to parts of a room that are not in memory (docs/decisions/0021). Readers of a snapshot ask for them as if
 * they were. A {@link NotLoaded} ends their work; its runner loads the named part and starts the work over. So pure
 * functions stay simple, and memory holds the end of a log and not its history.
 */
import type { Bytes, MemberId, Position } from '@0fc/protocol';

export type Wanted =
  /** the log from an index on, up to what is there */
  | { readonly kind: 'tail'; readonly from: number }
  /** one record of the log */
  | { readonly kind: 'record'; readonly index: number }
  /** index of the message under a counter, if any */
  | { readonly kind: 'message'; readonly sender: MemberId; readonly instance: Bytes; readonly n: number }
  /** indexes of the records that change the message under a counter */
  | { readonly kind: 'effects'; readonly sender: MemberId; readonly instance: Bytes; readonly n: number }
  /** what was read at a position, if anything */
  | { readonly kind: 'position'; readonly position: Position }
  /** rotations from an epoch on, up to those that are there */
  | { readonly kind: 'rotations'; readonly from: number }
  /** what several pieces of one work ask for */
  | { readonly kind: 'several'; readonly wanted: readonly Wanted[] };

export class NotLoaded extends Error {
  readonly wanted: Wanted;

  constructor(wanted: Wanted) {
    super(`not in memory: ${wanted.kind}`);
    this.name = 'NotLoaded';
    this.wanted = wanted;
  }
}

/** Runs `work` until everything that it reads is loaded; `load` loads what it lacks. Rejects as either does. */
export async function withLoaded<T>(
  work: () => Promise<T> | T,
  load: (wanted: Wanted) => Promise<void>,
): Promise<T> {
  for (let before: Wanted | null = null; ;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
      const { wanted } = error;
      // A part that is missing after it was loaded would be requested without end.
      if (before !== null && JSON.stringify(wanted) === JSON.stringify(before)) {
        throw new Error(`loaded in vain: ${wanted.kind}`, { cause: error });
      }
      await load(wanted);
      before = wanted;
    }
  }
}
