/** The catalogue as the Markdown tables that docs/protocol.md holds; a test keeps them equal. */
import { CATALOGUE, EVENT_KINDS, REQUEST_KINDS } from './catalogue.js';
import { COMMON_ERRORS } from './catalogue/define.js';
import { ALARM_CODES, ERROR_CODES } from './errors.js';

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const code = (text: string): string => `\`${text}\``;

interface Described {
  readonly entries?: Readonly<Record<string, { readonly type: string }>>;
}

/** Names of a message's fields; optional ones carry a question mark. */
function fields(schema: unknown): string {
  const { entries } = schema as Described;
  const names = Object.entries(entries ?? {}).map(
    ([name, field]) => `${name}${field.type === 'exact_optional' ? '?' : ''}`,
  );
  return names.length === 0 ? '–' : names.join(', ');
}

export function requestTable(): string {
  return [
    row('request', 'who', 'fields', 'reply', 'own errors', 'what'),
    row('---', '---', '---', '---', '---', '---'),
    ...REQUEST_KINDS.map((kind) => {
      const { body, reply, from, errors, about, binds } = CATALOGUE[kind];
      const who = `${from.join(', ')}${binds ? ' (binds)' : ''}`;
      return row(code(kind), who, fields(body), fields(reply), errors.map(code).join(' ') || '–', about);
    }),
  ].join('\n');
}

export function eventTable(): string {
  return [
    row('event', 'to', 'fields', 'what'),
    row('---', '---', '---', '---'),
    ...EVENT_KINDS.map((kind) => {
      const { body, to, about } = CATALOGUE[kind];
      return row(code(kind), to.join(', '), fields(body), about);
    }),
  ].join('\n');
}

/** Codes that any request may end in, all codes, all alarms. */
export function codeLists(): string {
  const list = (codes: readonly string[]): string => codes.map(code).join(' ');
  return [
    `Any request may end in: ${list(COMMON_ERRORS)}.`,
    `All error codes: ${list(Object.values(ERROR_CODES))}.`,
    `All alarm codes: ${list(Object.values(ALARM_CODES))}.`,
  ].join('\n\n');
}

/** Everything between the two markers of docs/protocol.md. */
export const catalogueSection = (): string =>
  ['### Requests', requestTable(), '### Events', eventTable(), '### Codes', codeLists()].join('\n\n');
