/** The one way in which a line leaves this program. */
import type { Line } from './agent.js';

/** What JSON leaves as it is and a terminal may take for a command, or a reader for another order of letters. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

/** One line of JSON in which names and texts of others hold nothing that acts on a terminal: it parses to `line`. */
export const printed = (line: Line): string =>
  JSON.stringify(line).replace(UNSAFE, (sign) => sign.replace(/[^]/g, escaped));

/** Of one UTF-16 unit. */
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
