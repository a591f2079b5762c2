/**
 * Edits, deletes and reactions, folded into the message that they target (docs/protocol.md section 6, G3).
 *
 * Every effect is kept by its target, whether that is known yet or not, and is ordered by its own position in the
 * log. The result does not depend on the order in which effects become known.
 */
import type { Bytes, Content, MemberId } from '@0fc/protocol';
import { isLaterEdit, targetKey } from '../../vault/content.js';

/** Sender of a content and its position: a larger `order` is later. */
export interface LogPlace {
  readonly sender: MemberId;
  readonly instance: Bytes;
  readonly n: number;
  readonly order: number;
}

interface Reaction {
  readonly emoji: string;
  /** members that react with it, earliest first */
  readonly members: readonly MemberId[];
}

/** What became of a message. */
export interface MessageAnnotations {
  /** null: never edited */
  readonly text: string | null;
  readonly deleted: boolean;
  readonly reactions: readonly Reaction[];
}

interface React {
  readonly order: number;
  readonly member: MemberId;
  readonly emoji: string;
  readonly on: boolean;
}

/** Of a message of which its sender has left nothing. */
export const DELETED: MessageAnnotations = { text: null, deleted: true, reactions: [] };

class Effects {
  edit: (Pick<LogPlace, 'instance' | 'n' | 'order'> & { readonly text: string }) | null = null;
  deleted = false;
  /** by member and emoji: the latest counts */
  readonly reactions = new Map<string, React>();
}

export class Annotations {
  readonly #effects = new Map<string, Effects>();

  /** Applies one content. Returns the key of the message that it changes, null where it changes none. Idempotent. */
  apply(place: LogPlace, content: Content): string | null {
    if (content.type !== 'edit' && content.type !== 'delete' && content.type !== 'reaction') return null;
    const { sender, order } = place;
    const key = targetKey(content.to);
    if (content.type === 'reaction') {
      const { emoji, on } = content;
      const { reactions } = this.#of(key);
      const slot = `${sender} ${emoji}`;
      if ((reactions.get(slot)?.order ?? -1) < order)
        reactions.set(slot, { order, member: sender, emoji, on });
      return key;
    }
    // G3: a message is changed by its own sender and nobody else.
    if (content.to.sender !== sender) return null;
    const effects = this.#of(key);
    if (content.type === 'delete') effects.deleted = true;
    else if (effects.edit === null || isLaterEdit(place, effects.edit)) {
      const { instance, n } = place;
      effects.edit = { instance, n, order, text: content.text };
    }
    return key;
  }

  /** The folded effects on one message: those of this fold, then those of `later`. */
  forMessage(key: string, later?: Annotations): MessageAnnotations {
    const folds = later === undefined ? [this] : [this, later];
    const sets = folds.flatMap((fold) => fold.#effects.get(key) ?? []);
    if (sets.some((set) => set.deleted)) return DELETED;
    const reactions = new Map(sets.flatMap((set) => [...set.reactions]));
    const text = sets.reduce<string | null>((before, set) => set.edit?.text ?? before, null);
    return { text, deleted: false, reactions: grouped([...reactions.values()]) };
  }

  #of(key: string): Effects {
    const known = this.#effects.get(key) ?? new Effects();
    this.#effects.set(key, known);
    return known;
  }
}

/** Reactions by emoji, in the order in which they were made; withdrawn ones are left out. */
function grouped(reactions: readonly React[]): readonly Reaction[] {
  const groups = new Map<string, MemberId[]>();
  for (const { emoji, member, on } of reactions.toSorted((a, b) => a.order - b.order)) {
    if (!on) continue;
    const members = groups.get(emoji) ?? [];
    members.push(member);
    groups.set(emoji, members);
  }
  return [...groups].map(([emoji, members]) => ({ emoji, members }));
}
