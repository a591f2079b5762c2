/**
 * Rules for text that people type: what can be sealed at all, and what of a name is drawn
 * (docs/protocol.md section 6). Both ends apply them; no schema depends on them.
 */

/** The text with U+FFFD for each half of a character: a lone surrogate has no UTF-8, and would not be encoded. */
export const wellFormed = (text: string): string => text.toWellFormed();

/** White space that is a control character: to be a space like any other. */
const CONTROL_SPACES = /[\t-\r\u0085]/g;

/** Where a joiner or selector shapes what is seen, it stays: in emoji, between Arabic letters, after a virama. */
const SHAPING = [
  String.raw`(?<=\p{Extended_Pictographic})\ufe0f`,
  String.raw`(?<=\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
  String.raw`(?<=(?!\p{Cf})\p{Script=Arabic})[\u200c\u200d](?=(?!\p{Cf})\p{Script=Arabic})`,
  String.raw`(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d]`,
].join('|');

/** Control and format characters, bidi controls among them; fillers, and letters and signs that are blank. */
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\ufffc\u{1d159}]`;
const HIDDEN_OR_SHAPING = new RegExp(`(${SHAPING})|${HIDDEN}`, 'gu');

/** Marks without a letter to stand on would stand on whatever is drawn before the name. */
const LOOSE_BEGINNING = /^[\s\p{M}\u200c\u200d]+/u;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * A name as it is drawn and compared: without what is not seen or turns the text around it, white space collapsed.
 * Empty where nothing visible is left: show the key's fingerprint instead.
 */
export function displayName(raw: string): string {
  const shown = wellFormed(raw)
    .replace(CONTROL_SPACES, ' ')
    .replace(HIDDEN_OR_SHAPING, (_all, shaping: string | undefined) => shaping ?? '')
    .replace(LOOSE_BEGINNING, '')
    .replace(/\s+/g, ' ')
    .trimEnd();
  return VISIBLE.test(shown) ? shown : '';
}
