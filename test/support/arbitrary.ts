/** Whatever a schema admits, at its limits more often than between: for properties over every schema. */
import fc from 'fast-check';
import { LIMITS, parse, ProtocolError, utf8, type CborValue, type Schema } from '@0fc/protocol';

interface Node {
  readonly type: string;
  readonly pipe?: readonly Node[];
  /** of an action in a pipe */
  readonly requirement?: unknown;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly item?: Node;
  /** of a record */
  readonly key?: Node;
  readonly value?: Node;
  readonly wrapped?: Node;
  readonly literal?: CborValue;
  readonly options?: readonly unknown[];
}
type Any = fc.Arbitrary<CborValue>;

const MOST = Number.MAX_SAFE_INTEGER;
/** Lists under lists that are tried: more than any codec of ours takes. */
const LEVELS = 16;
const ID = '/^[A-Za-z0-9_-]{21}';

/** Whether a schema takes a value. */
export function admits(schema: unknown, value: unknown): boolean {
  try {
    parse(schema as Schema<unknown>, value);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** What an action of the schema's asks for; a pipe may begin with a schema that has one itself. */
const requirement = (node: Node, type: string): unknown =>
  node.pipe
    ?.map((action) => (action.type === type ? action.requirement : requirement(action, type)))
    .find((found) => found !== undefined);

function bound(node: Node, type: string, otherwise: number): number {
  const found = requirement(node, type);
  return typeof found === 'number' ? found : otherwise;
}

function integers(node: Node): fc.Arbitrary<number> {
  const [min, max] = [bound(node, 'min_value', -MOST), bound(node, 'max_value', MOST)];
  const edges = [min, min + 1, 255, 2 ** 31, 2 ** 32, 2 ** 40, max - 1, max].filter(
    (n) => n >= min && n <= max,
  );
  return fc.oneof(fc.constantFrom(...edges), fc.integer({ min, max }));
}

const shortened = (text: string, bytes: number): string => {
  let points = [...text];
  while (utf8(points.join('')).length > bytes) points = points.slice(0, points.length / 2);
  return points.join('');
};

const STRANGE = [
  'x', ' ', '\0', '\u202egnp', '\u200b', '\ufeff', 'e\u0301', '💥', '\u2028', '\x1b]0;x\x07', '{{x}}', '__proto__', '<b>',
] as const; // prettier-ignore

/** Text of the ids' form where the schema asks for it, else strange text, short or as long as there may be. */
function texts(node: Node): fc.Arbitrary<string> {
  const pattern = requirement(node, 'regex');
  if (pattern instanceof RegExp && String(pattern).startsWith(ID)) {
    return fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'));
  }
  const most = LIMITS.textBytes;
  const any = fc.oneof(
    fc.constantFrom(...STRANGE),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.constantFrom(...STRANGE).map((text) => shortened(text.repeat(most), most)),
    fc.constantFrom(...STRANGE).map((text) => shortened(text.repeat(64), 64)),
  );
  return any.filter((text) => admits(node, text));
}

function bytesOf(node: Node): Any {
  const lengths = [0, 1, 16, 32, 45, 64, 1_024, 1_088, 1_184, 4_096].filter((length) =>
    admits(node, new Uint8Array(length)),
  );
  return fc
    .constantFrom(...lengths)
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
}

const leaves: Any = fc.oneof(
  fc.constantFrom<CborValue>(null, true, 0, MOST, -MOST, 'x', new Uint8Array(40)),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const levels = (minLength: number): fc.Arbitrary<readonly string[]> =>
  fc.array(fc.constantFrom('list', 'map', '__proto__'), { minLength, maxLength: LEVELS, size: 'max' });

/** Anything that has an encoding, and deep as often as not. */
const anything: Any = fc
  .tuple(leaves, fc.oneof(levels(0), levels(LEVELS - 6)))
  .map(([leaf, names]) =>
    names.reduce<CborValue>(
      (value, name) => (name === 'list' ? [value] : Object.fromEntries([[name, value]])),
      leaf,
    ),
  );

/** Values of a schema of libs/protocol. Throws for a kind of schema that it does not know. */
export function arbitraryOf(schema: unknown): Any {
  const node = schema as Node;
  switch (node.type) {
    case 'strict_object':
      return fields(node);
    case 'loose_object':
      return fc
        .tuple(
          fields(node),
          fc.dictionary(fc.constantFrom('a', 'text', '__proto__', 'x-y'), anything, { maxKeys: 2 }),
        )
        .map(([known, more]) =>
          Object.fromEntries([...Object.entries(more), ...Object.entries(known as object)]),
        )
        .filter((value) => admits(node, value));
    case 'variant':
      return fc.oneof(...(node.options ?? []).map(arbitraryOf));
    case 'literal':
      return fc.constant(node.literal ?? null);
    case 'picklist':
      return fc.constantFrom(...(node.options as readonly string[]));
    case 'nullable':
      return fc.option(arbitraryOf(node.wrapped));
    case 'array':
      return fc.array(arbitraryOf(node.item), { maxLength: 3 });
    case 'record':
      return pairs(node);
    case 'boolean':
      return fc.boolean();
    case 'number':
      return integers(node);
    case 'string':
      return texts(node);
    case 'custom':
      return bytesOf(node);
    default:
      throw new Error(`nothing is known of a ${node.type}`);
  }
}

/** A record of any keys that the schema admits. */
const pairs = (node: Node): Any =>
  fc
    .array(fc.tuple(arbitraryOf(node.key) as fc.Arbitrary<string>, arbitraryOf(node.value)), { maxLength: 3 })
    .map((items) => Object.fromEntries(items));

/** A record of a schema's fields; those that may be left out are, as often as not. */
function fields(node: Node): Any {
  const entries = Object.entries(node.entries ?? {});
  const required = entries.filter(([, field]) => field.type !== 'exact_optional').map(([key]) => key);
  const model = entries.map(([key, field]) => [
    key,
    arbitraryOf(field.type === 'exact_optional' ? field.wrapped : field),
  ]);
  return fc.record(Object.fromEntries(model) as Record<string, Any>, { requiredKeys: required });
}
