/** A copy of a list that is keyed by one field, with an item replaced or added. */
export function upserted<T>(list: readonly T[], same: (item: T) => boolean, item: T): readonly T[] {
  const at = list.findIndex(same);
  return at < 0 ? [...list, item] : list.with(at, item);
}
