const MARKS = /[\u2066-\u2069\u202a-\u202e]/g;

/** A name for a sentence: in its own direction, and unable to change that of the words around it. */
export function isolated(name: string): string {
  return `\u2068${name.replace(MARKS, '')}\u2069`;
}

/** The same, where the name may not have come yet. */
export function named(name: string | undefined, nameless: string): string {
  return isolated(name === undefined || name === '' ? nameless : name);
}
