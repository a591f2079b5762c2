/** What a mutant is: the product with one defence taken out, and the tests that must tell. */

/** Every guarantee of docs/protocol.md section 1: each has to be hurt by one mutant at least. */
export const GUARANTEES = [
  'G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8', 'G9', 'G10', 'G11', 'G12', 'G13', 'G14', 'G15', 'G16', 'G17', 'G18',
] as const; // prettier-ignore

type Guarantee = (typeof GUARANTEES)[number];
/** docs/protocol.md section 14: what the first implementation of the seed text got wrong. */
type Weakness = `W${number}`;

/** Of a source: `find` stands in it exactly once, whatever else is edited around it. */
export interface Change {
  /** from the root of the repository */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

export interface NamedTest {
  /** a spec file, from the root of the repository */
  readonly path: string;
  /** its title, without those of its groups */
  readonly name: string;
}

export interface Mutant {
  /** unique; says what the product does no longer */
  readonly name: string;
  readonly breaks: readonly [Guarantee, ...(Guarantee | Weakness)[]];
  readonly changes: readonly [Change, ...Change[]];
  /** each of them must fail, by what it expects or by its deadline */
  readonly tests: readonly [NamedTest, ...NamedTest[]];
  /** the tests start a relay of their own, from dist: built anew with the fault in it */
  readonly built?: true;
}

/** How often `find` stands in a text. */
export const occurrences = (text: string, find: string): number => text.split(find).length - 1;

/** The text with its one `find` replaced. Throws where there is none, or more than one. */
export function changed(text: string, { file, find, put }: Change): string {
  const times = occurrences(text, find);
  if (times !== 1) {
    throw new Error(
      `${file} has ${String(times)} times, and not once: ${find}\nTake a snippet that stands there once.`,
    );
  }
  // By a function: a string would have $& and its like replaced.
  return text.replace(find, () => put);
}
