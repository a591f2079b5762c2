/** The same valid value for the same schema, every time: what the committed vectors are made of. */
import * as v from 'valibot';
import { LIMITS } from './limits.js';
import type { CborValue } from './codec.js';

interface Node {
  readonly type: string;
  readonly pipe?: readonly { readonly kind: string; readonly type: string; readonly requirement?: unknown }[];
  readonly entries?: Readonly<Record<string, Node>>;
  readonly item?: Node;
  readonly wrapped?: Node;
  readonly key?: Node;
  readonly value?: Node;
  readonly literal?: CborValue;
  readonly options?: readonly unknown[];
  readonly items?: readonly Node[];
}

const LENGTHS = [1, 2, 16, 32, 45, 64, LIMITS.kemCiphertextBytes, LIMITS.kemKeyBytes];
const ID = 'AAECAwQFBgcICQoLDA0ODw';

const valid = (node: Node, value: unknown): boolean =>
  v.safeParse(node as unknown as v.GenericSchema, value).success;

/** Bytes 0, 1, 2, … of the least length that the schema takes. */
function sampleBytes(node: Node): Uint8Array {
  const found = LENGTHS.map((length) => Uint8Array.from({ length }, (_, at) => at)).find((bytes) =>
    valid(node, bytes),
  );
  if (found === undefined) throw new Error('no length of bytes fits');
  return found;
}

function requirement(node: Node, type: string, otherwise: number): number {
  const found = node.pipe?.find((action) => action.type === type)?.requirement;
  return typeof found === 'number' ? found : otherwise;
}

export function sample(schema: unknown): CborValue {
  const node = schema as Node;
  switch (node.type) {
    case 'strict_object':
    case 'loose_object':
      return Object.fromEntries(
        Object.entries(node.entries ?? {}).map(([key, field]) => [key, sample(field)]),
      );
    case 'exact_optional':
    case 'nullable':
      return sample(node.wrapped);
    case 'array':
      return [sample(node.item)];
    case 'record':
      return { [sample(node.key) as string]: sample(node.value) };
    case 'literal':
      return node.literal ?? null;
    case 'picklist':
      return String(node.options?.[0]);
    case 'variant':
    case 'union':
      return sample(node.options?.[0]);
    case 'string':
      return valid(node, ID) ? ID : 'text';
    case 'number':
      return requirement(node, 'min_value', 0) + 1 <= requirement(node, 'max_value', Number.MAX_SAFE_INTEGER)
        ? requirement(node, 'min_value', 0) + 1
        : requirement(node, 'min_value', 0);
    case 'boolean':
      return true;
    case 'custom':
      return sampleBytes(node);
    default:
      throw new Error(`no sample of a ${node.type}`);
  }
}
