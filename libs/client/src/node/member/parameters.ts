/**
 * What a command is given, by name: from an argument list of a shell, or from a line of JSON.
 * Both are checked against the command's own list of parameters.
 */
import { parseArgs } from 'node:util';

type Kind = 'text' | 'number' | 'flag';
type Value = string | number | boolean;

export interface Parameter {
  /** as in JSON, e.g. rotateEvery; on the command line --rotate-every */
  readonly name: string;
  readonly kind: Kind;
  readonly help: string;
  readonly required?: boolean;
  /** may stand without its name, in the order of the list; the last text takes all that is left */
  readonly positional?: boolean;
}

/** The command line, or a line of JSON, is not one of ours: said with how it is meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A timer of more than 2^31 - 1 ms fires at once. */
const MOST_SECONDS = Math.floor((2 ** 31 - 1) / 1_000);

/** Checked values: a name that the command does not have is an error of ours. */
export class Given {
  readonly #values: ReadonlyMap<string, Value>;

  private constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values;
  }

  /** Throws {@link UsageError}. */
  static check(parameters: readonly Parameter[], values: ReadonlyMap<string, unknown>): Given {
    const checked = new Map<string, Value>();
    for (const [name, value] of values) {
      const parameter = parameters.find((known) => known.name === name);
      if (parameter === undefined) {
        const known = parameters.map((one) => one.name).join(', ');
        throw new UsageError(`there is no parameter ${name} here: use ${known || 'none'}`);
      }
      checked.set(name, checkedValue(parameter, value));
    }
    const missing = parameters.find(({ name, required }) => required === true && !checked.has(name));
    if (missing !== undefined) throw new UsageError(`${missing.name} is missing: ${missing.help}`);
    return new Given(checked);
  }

  /** null where it was not given */
  text(name: string): string | null {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : null;
  }

  number(name: string): number | null {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : null;
  }

  /** Seconds as milliseconds that a timer can wait; null where it was not given. Throws {@link UsageError}. */
  milliseconds(name: string): number | null {
    const seconds = this.number(name);
    if (seconds === null) return null;
    if (seconds > 0 && seconds <= MOST_SECONDS) return seconds * 1_000;
    throw new UsageError(
      `${name} is to be seconds above 0, and ${String(MOST_SECONDS)} at most: write --${dashed(name)} 60, or leave it out`,
    );
  }

  flag(name: string): boolean | null {
    const value = this.#values.get(name);
    return typeof value === 'boolean' ? value : null;
  }

  /** Of a required parameter. */
  needed(name: string): string {
    const value = this.text(name);
    if (value === null) throw new UsageError(`${name} is missing: write --${dashed(name)} and its value`);
    return value;
  }
}

function checkedValue({ name, kind, help }: Parameter, value: unknown): Value {
  if (kind === 'text' && typeof value === 'string') return value;
  if (kind === 'number' && typeof value === 'number' && Number.isFinite(value)) return value;
  if (kind === 'flag' && typeof value === 'boolean') return value;
  const wanted = kind === 'flag' ? 'true or false' : `a ${kind}`;
  throw new UsageError(`${name} is to be ${wanted}: ${help}`);
}

/** rotateEvery → rotate-every */
export const dashed = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['on', true],
  ['off', false],
  ['true', true],
  ['false', false],
]);

type Option = Extract<ReturnType<typeof tokensOf>[number], { kind: 'option' }>;

/**
 * What stands on a command line, by node:util. There are no short options: an id may begin with a dash,
 * and is masked, because parseArgs would take it apart. `index` leads back to what was written.
 */
function tokensOf(parameters: readonly Parameter[], args: readonly string[]) {
  const options = parameters.flatMap(({ name, kind }): [string, { type: 'boolean' | 'string' }][] =>
    kind === 'flag'
      ? [dashed(name), `no-${dashed(name)}`].map((option) => [option, { type: 'boolean' }])
      : [[dashed(name), { type: 'string' }]],
  );
  return parseArgs({
    args: args.map((arg) => (/^-[^-]/.test(arg) ? 'masked' : arg)),
    options: Object.fromEntries(options),
    strict: false,
    tokens: true,
  }).tokens;
}

/** What an option sets. Throws {@link UsageError} for one that there is not, and for a value that is none. */
function setBy(
  { name: option, value, inlineValue, index }: Option,
  parameters: readonly Parameter[],
  args: readonly string[],
): { readonly parameter: Parameter; readonly value: unknown } {
  const negated = parameters.find(({ name, kind }) => kind === 'flag' && `no-${dashed(name)}` === option);
  const parameter = negated ?? parameters.find(({ name }) => dashed(name) === option);
  if (parameter === undefined) {
    const known = parameters.map(({ name }) => `--${dashed(name)}`).join(', ');
    throw new UsageError(`there is no option --${option} here: use ${known}`);
  }
  if (parameter.kind !== 'flag') {
    if (value === undefined) {
      const usage = `--${option} ${parameter.kind.toUpperCase()}`;
      throw new UsageError(`--${option} lacks its value: write ${usage}`);
    }
    return { parameter, value: typed(parameter, inlineValue ? value : (args[index + 1] ?? '')) };
  }
  const on = value === undefined ? true : FLAGS.get(value);
  if (on === undefined)
    throw new UsageError(`--${option} is on or off: write --${option} or --${option}=off`);
  return { parameter, value: negated === undefined ? on : !on };
}

/**
 * Reads `--name value`, `--name=value`, `--flag`, `--flag=off`, `--no-flag` and positional values. Ids
 * may begin with a dash: a value that follows its name is taken as it is, and only two dashes
 * make a name. After `--` all is positional. Throws {@link UsageError}.
 */
export function readArguments(parameters: readonly Parameter[], args: readonly string[]): Given {
  const values = new Map<string, unknown>();
  const loose: string[] = [];
  for (const token of tokensOf(parameters, args)) {
    if (token.kind === 'positional') loose.push(args[token.index] ?? '');
    if (token.kind !== 'option') continue;
    const { parameter, value } = setBy(token, parameters, args);
    if (values.has(parameter.name)) {
      throw new UsageError(`--${dashed(parameter.name)} is repeated: give it once`);
    }
    values.set(parameter.name, value);
  }
  const places = parameters.filter(({ name, positional }) => positional === true && !values.has(name));
  for (const [index, parameter] of places.entries()) {
    const rest =
      index === places.length - 1 && parameter.kind === 'text' ? loose.splice(0) : loose.splice(0, 1);
    if (rest.length > 0) values.set(parameter.name, typed(parameter, rest.join(' ')));
  }
  if (loose.length > 0) {
    throw new UsageError(`${String(loose.length)} arguments too many: quote what belongs together`);
  }
  return Given.check(parameters, values);
}

const typed = ({ kind }: Parameter, value: string): unknown =>
  kind === 'number' && value.trim() !== '' ? Number(value) : value;

export interface Request {
  /** of the caller: comes back with the answer; null for none */
  readonly id: string | number | null;
  readonly command: string;
  readonly values: ReadonlyMap<string, unknown>;
}

/** A line of a shell: `{"id": 1, "command": "send", "text": "hello"}`. Throws {@link UsageError}. */
export function readRequest(line: string): Request {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UsageError('a line is one object of JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('a line is one object of JSON');
  }
  const { id = null, command, ...rest } = value as Record<string, unknown>;
  if (typeof command !== 'string') throw new UsageError('command is to be a text');
  if (id !== null && typeof id !== 'string' && typeof id !== 'number') {
    throw new UsageError('id is to be a text or a number');
  }
  return { id, command, values: new Map(Object.entries(rest)) };
}
