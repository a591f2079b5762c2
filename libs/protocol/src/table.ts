/** The catalogue as the Markdown tables that docs/protocol.md holds; a test keeps them equal. */
import { CATALOGUE, EVENT_KINDS, REQUEST_KINDS } from './catalogue.js';
import { COMMON_ERRORS } from './catalogue/define.js';
import { ALARM_MEANINGS } from './alarm-meanings.js';
import { ERROR_MEANINGS, type Meaning } from './meanings.js';

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

function requestTable(): string {
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

function eventTable(): string {
  return [
    row('event', 'to', 'fields', 'what'),
    row('---', '---', '---', '---'),
    ...EVENT_KINDS.map((kind) => {
      const { body, to, about } = CATALOGUE[kind];
      return row(code(kind), to.join(', '), fields(body), about);
    }),
  ].join('\n');
}

const meanings = (head: string, all: Readonly<Record<string, Meaning>>): string =>
  [
    row(head, 'cause', 'remedy'),
    row('---', '---', '---'),
    ...Object.entries(all).map(([name, { cause, remedy }]) => row(code(name), cause, remedy)),
  ].join('\n');

/** Codes that any request may end in, and what each code and each alarm means. */
function codeTables(): string {
  return [
    `Any request may end in: ${COMMON_ERRORS.map(code).join(' ')}.`,
    meanings('error', ERROR_MEANINGS),
    '### Alarms',
    meanings('alarm', ALARM_MEANINGS),
  ].join('\n\n');
}

/** Everything between the two markers of docs/protocol.md. */
export const catalogueSection = (): string =>
  ['### Requests', requestTable(), '### Events', eventTable(), '### Errors', codeTables()].join('\n\n');
