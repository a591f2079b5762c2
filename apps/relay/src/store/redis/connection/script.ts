/** Lua scripts by parts: one script per command of the store's port, written in `scripts/`. */
import { createHash } from 'node:crypto';
import { KEY_NAMES, type KeyName } from '../room-keys.js';

/** Functions that scripts share, and the keys that they use. */
export interface Part {
  readonly keys: readonly KeyName[];
  readonly needs: readonly Part[];
  readonly lua: string;
}

export interface Script {
  readonly name: string;
  /** in the order of KEYS */
  readonly keys: readonly KeyName[];
  /** whether what it answers must not be lost: WAIT stands behind it where replicas are waited for */
  readonly writes: boolean;
  readonly lua: string;
  /** SHA-1 of the text: what EVALSHA names */
  readonly sha: string;
}

export interface ScriptSource {
  readonly name: string;
  readonly writes: boolean;
  readonly parts: readonly Part[];
  /** beside those of its parts */
  readonly keys?: readonly KeyName[];
  /** of a function: it returns the script's answer */
  readonly body: string;
}

/**
 * KEYS are the names of `keys` in upper case, META always the first. The body returns an array whose
 * first item is 'OK' or the code of a refusal; what it has told the room goes out when it returns.
 */
export function script(source: ScriptSource): Script {
  const parts: Part[] = [];
  const add = (part: Part): void => {
    if (parts.includes(part)) return;
    part.needs.forEach(add);
    parts.push(part);
  };
  source.parts.forEach(add);
  const used = new Set([...(source.keys ?? []), ...parts.flatMap((part) => part.keys)]);
  const keys = KEY_NAMES.filter((name) => used.has(name));
  const lua = [
    `local ${keys.map((name) => name.toUpperCase()).join(', ')} = ${keys.map((_, at) => `KEYS[${at + 1}]`).join(', ')}`,
    ...parts.map((part) => part.lua.trim()),
    'local function command()',
    source.body.trim(),
    'end',
    'local answer = command()',
    'publish()',
    'return answer',
  ].join('\n');
  return {
    name: source.name,
    keys,
    writes: source.writes,
    lua,
    sha: createHash('sha1').update(lua).digest('hex'),
  };
}
