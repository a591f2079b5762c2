/**
 * The estimate behind the passphrase rule, by zxcvbn-ts: 1.5 MB of words, loaded only where somebody chooses a
 * passphrase (passphrase.ts). English and French are the page's languages, and
 * the French list of common words is half as long as the English one, so that it has one more.
 */
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import wordsEn from '@zxcvbn-ts/language-en/dist/commonWords.json.mjs';
import namesEn from '@zxcvbn-ts/language-en/dist/firstnames.json.mjs';
import sequencesEn from '@zxcvbn-ts/language-en/dist/wordSequences.json.mjs';
import wordsFr from '@zxcvbn-ts/language-fr/dist/commonWords.json.mjs';
import namesFr from '@zxcvbn-ts/language-fr/dist/firstnames.json.mjs';
import rareFr from '@zxcvbn-ts/language-fr/dist/wikipedia.json.mjs';
import sequencesFr from '@zxcvbn-ts/language-fr/dist/wordSequences.json.mjs';

const words = { ...dictionary, wordsEn, namesEn, wordsFr, namesFr, rareFr, ...sequencesEn, ...sequencesFr };
/**
 * So many characters of a passphrase are rated, from its beginning, in so many spellings of letters by digits and signs:
 * whatever is typed or sent takes about a tenth of a second, and not minutes. More of either changes no verdict that the
 * tests know.
 */
const BOUNDS = { maxLength: 64, l33tMaxSubstitutions: 8 } as const;

const zxcvbn = new ZxcvbnFactory({ dictionary: words, graphs: adjacencyGraphs, ...BOUNDS });

/** How many guesses an attacker needs who knows how people choose, and the kind of the longest part that was found. */
export function guessesFor(passphrase: string): { readonly guesses: number; readonly pattern: string } {
  const { guesses, sequence } = zxcvbn.check(passphrase);
  const [longest] = [...sequence].sort((a, b) => b.token.length - a.token.length);
  return { guesses, pattern: longest?.pattern ?? 'bruteforce' };
}
