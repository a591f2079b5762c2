/**
 * Names that look the same (docs/protocol.md section 6): they are shown with the key's
 * fingerprint. The table of look-alikes is Unicode's own (UTS 39), as `unhomoglyph` packs it.
 */
import { displayName, type MemberId } from '@0fc/protocol';
import unhomoglyph from 'unhomoglyph';

const INVISIBLE = /[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Control}\p{Separator}]/gu;

/** Compared is what is drawn. */
const plain = (text: string): string => displayName(text).normalize('NFKD').replace(INVISIBLE, '');

/** The table takes I, l and 1 as one, but not i; side by side in small type they are. */
const fold = (text: string): string =>
  unhomoglyph(unhomoglyph(plain(text)).toLowerCase())
    .toLowerCase()
    .replaceAll('i', 'l')
    .replaceAll('vv', 'w');

/**
 * What remains of a name once look-alikes are one: of the name as written, and of its lower
 * case, since some letters have a look-alike in one case only. Empty for a name of nothing visible.
 */
export function skeletonsOf(name: string): ReadonlySet<string> {
  return new Set([fold(name), fold(plain(name).toLowerCase())]);
}

/** Members whose name another one's looks like. A member without a name is not among them. */
export function confusableMembers(
  people: readonly { readonly memberId: MemberId; readonly name: string }[],
): ReadonlySet<MemberId> {
  const bySkeleton = new Map<string, MemberId[]>();
  for (const { memberId, name } of people) {
    if (name === '') continue;
    for (const skeleton of skeletonsOf(name)) {
      bySkeleton.set(skeleton, [...(bySkeleton.get(skeleton) ?? []), memberId]);
    }
  }
  return new Set([...bySkeleton.values()].filter((members) => members.length > 1).flat());
}
