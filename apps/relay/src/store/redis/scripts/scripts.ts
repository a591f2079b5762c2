/**
 * The Lua scripts of the store: a file for each command, and in lib/ what several of them use. A file begins with
 * lines of the form `-- field: value, value`, up to its first other line:
 *
 *     -- include: lib/log        files whose functions it uses: each comes once, before whatever includes it
 *     -- keys: sent              keys of the room that it uses beside those of its includes (room-keys.ts)
 *     -- limits: hashBytes       limits of the protocol that it reads, as LIMITS.hashBytes
 *     -- writes: yes             of a command: whether what it does must not be lost with a primary
 *     -- shows: log              of a command: what its answer shows is not to be lost with a primary either
 *
 * A command is the body of a function that returns an array, whose first item is 'OK' or the code of a refusal. KEYS
 * are there by their names in upper case. Events that it has added are published when it returns; where replicas are waited for,
 * they come with its answer (HELD is true then), and are published once the replicas have it all (connection/runner.ts).
 */
import { LIMITS } from '@0fc/protocol';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_NAMES, type KeyName } from './room-keys.js';

/** What is sent to a server. */
export interface ScriptText {
  readonly lua: string;
  /** SHA-1 of the text: what EVALSHA names */
  readonly sha: string;
}

export interface Script {
  readonly name: ScriptName;
  /** in the order of KEYS */
  readonly keys: readonly KeyName[];
  /** whether what it does must not be lost with a primary: where replicas are waited for, its `held` text is run */
  readonly writes: boolean;
  /** whether its answer shows the log: where replicas are waited for and are there, they have what is shown */
  readonly shows: boolean;
  /** publishes its events itself; returns its answer */
  readonly atOnce: ScriptText;
  /** Returns its answer, and its events as one message of the room's feed, empty where there are none. */
  readonly held: ScriptText;
}

/** `appendRoster` is the file append-roster.lua. */
export const SCRIPT_NAMES = [
  'createRoom', 'readRoom', 'readTip', 'readLog', 'readChain',
  'append', 'leave', 'acknowledge', 'announce', 'signal',
  'appendRoster', 'rotate', 'addWraps', 'findRoster', 'findRotation',
  'registerInvite', 'revokeInvite', 'claimInvite', 'putJoinRequest', 'putJoinReply', 'putJoinConfirm', 'dropJoin',
  'readJoin', 'pendingJoins',
  'putPrekey', 'readPrekeys', 'putNeedKey', 'putKeyGrant', 'pendingNeedKeys', 'readNeedKey', 'keyGrants',
  'putOffer', 'putAcceptance', 'readOffer',
  'readTrimmable', 'trim', 'expireRoom', 'eraseRoom', 'roomStats',
] as const; // prettier-ignore
export type ScriptName = (typeof SCRIPT_NAMES)[number];

const FIELDS = ['include', 'keys', 'limits', 'writes', 'shows'] as const;

interface Source {
  readonly header: Readonly<Record<(typeof FIELDS)[number], readonly string[]>>;
  /** the rest, with marks of where it comes from, which tools/luacheck.mjs reads */
  readonly lua: string;
}

/** Throws for a file that is absent, or whose header names what there is not. */
function readSource(path: string): Source {
  const lines = readFileSync(join(import.meta.dirname, `${path}.lua`), 'utf8').split('\n');
  const header = { include: [], keys: [], limits: [], writes: [], shows: [] } as Record<
    (typeof FIELDS)[number],
    string[]
  >;
  const end = lines.findIndex((line) => {
    const [, name, values = ''] = /^-- (\w+): (.+)$/.exec(line) ?? [];
    const field = FIELDS.find((known) => known === name);
    if (field !== undefined) header[field] = values.split(', ');
    return field === undefined;
  });
  const unknown = [
    ...header.keys.filter((key) => !KEY_NAMES.some((name) => name === key)),
    ...header.limits.filter((limit) => !Object.hasOwn(LIMITS, limit)),
    ...header.writes.filter((value) => value !== 'yes' && value !== 'no'),
    ...header.shows.filter((value) => value !== 'log'),
  ];
  if (unknown.length > 0) throw new Error(`${path}.lua: its header names ${unknown.join(', ')}`);
  const lua = [`-- from ${path}.lua:${end + 1}`, ...lines.slice(end, -1), `-- end of ${path}.lua`].join('\n');
  return { header, lua };
}

/** @param name of the file, without `.lua` @param includes those of other commands, by their paths: read once */
function assemble(name: ScriptName, file: string, includes: Map<string, Source>): Script {
  const used: Source[] = [];
  const include = (path: string): void => {
    const source = includes.get(path) ?? readSource(path);
    includes.set(path, source);
    if (used.includes(source)) return;
    source.header.include.forEach(include);
    used.push(source);
  };
  const command = readSource(file);
  if (command.header.writes.length === 0) throw new Error(`${file}.lua: its header lacks "writes"`);
  command.header.include.forEach(include);

  const all = [...used, command];
  const keys = KEY_NAMES.filter((key) => all.some(({ header }) => header.keys.includes(key)));
  const limits = Object.entries(LIMITS).filter(([limit]) =>
    all.some(({ header }) => header.limits.includes(limit)),
  );
  const begin = [
    `local ${keys.map((key) => key.toUpperCase()).join(', ')} = ${keys.map((_, at) => `KEYS[${at + 1}]`).join(', ')}`,
    ...(limits.length === 0
      ? []
      : [`local LIMITS = {${limits.map(([limit, value]) => `${limit} = ${value}`).join(', ')}}`]),
    ...used.map((source) => source.lua),
    'local function command()',
    command.lua,
    'end',
    'local answer = command()',
  ];
  const text = (held: boolean, ...end: readonly string[]): ScriptText => {
    const lua = [`local HELD = ${String(held)}`, ...begin, ...end].join('\n');
    return { lua, sha: createHash('sha1').update(lua).digest('hex') };
  };
  return {
    name,
    keys,
    writes: command.header.writes[0] === 'yes',
    shows: command.header.shows.length > 0,
    atOnce: text(false, 'publish()', 'return answer'),
    held: text(true, 'return {answer, message()}'),
  };
}

function loadScripts(): Readonly<Record<ScriptName, Script>> {
  const includes = new Map<string, Source>();
  const load = (name: ScriptName): [ScriptName, Script] => [
    name,
    assemble(
      name,
      name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      includes,
    ),
  ];
  return Object.fromEntries(SCRIPT_NAMES.map(load)) as Record<ScriptName, Script>;
}

/** All of them, read when the relay starts: one that is missing or wrong ends the start. */
export const scripts = loadScripts();
