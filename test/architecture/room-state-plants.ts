/**
 * Sources that write room state from outside, each in a way of its own, and some that do not. They stand in
 * libs/client/src/room while the rule of room-state.ts is asked about them, and on no disk.
 */
const planted = (body: string): string => `
import type { Bytes } from '@0fc/protocol';
import * as changes from './state/draft.js';
import { RoomDraft as Draft, type RoomSnapshot } from './state/draft.js';
import * as records from '../vault/records.js';
import type { RoomState } from './state/state.js';
import * as tables from './state/tables.js';
import { applyChange as carryOut } from './state/tables.js';
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Core = RoomSnapshot['core'];
${body}
`;

type Bodies = Readonly<Record<string, string>>;

/** Each changes what the state holds. */
export const CHANGES: Bodies = {
  'a field': `export function f(draft: Draft) { draft.core.epoch = 2; }`,
  'a field, counted up': `export function f({ core }: Draft) { core.nextN++; }`,
  'a field, deleted': `export function f({ core }: Draft) { delete core.pending?.entry; }`,
  'a field, in a pattern': `export function f({ core }: Draft) { [, { epoch: core.epoch }] = [0, { epoch: 3 }]; }`,
  'a field, by a loop': `export function f({ core }: Draft) { for (core.epoch of [1, 2]) continue; }`,
  'a field of a protocol type': `export function f({ core }: Draft) { core.position.s = 3; }`,
  'a field, by an alias': `export function f(draft: Draft) { const now = draft.core; const same = now; same.epoch = 2; }`,
  'a field, by a later alias': `export function f(draft: Draft) { let at = { g: 1, s: 1 }; at = draft.core.position; at.s = 2; }`,
  'a field, by a later pattern': `export function f(draft: Draft) { let t = new Uint8Array(); ({ t } = draft.core); t[0] = 1; }`,
  'a field, by a cast': `export function f(draft: Draft) { (draft.core as Mutable<Core>).epoch = 2; }`,
  'a field, by a cast that nothing is known of': `export function f(draft: Draft) {
    const known = draft.core as unknown as { epoch: number };
    known.epoch = 2;
  }`,
  'a list, by a cast': `export const f = (draft: Draft) => { (draft.core.people as unknown as { name: string }[]).push({ name: '' }); };`,
  'a list, in a pattern': `export function f(draft: Draft) {
    const { core: { verified } } = draft;
    (verified as unknown as string[]).push('');
  }`,
  'a method, in a pattern': `export function f({ core }: Draft) {
    const { push } = core.verified as unknown as string[];
    push.call(core.verified, '');
  }`,
  'a method, by its name': `export function f({ core }: Draft) { (core.verified as unknown as string[])['push'](''); }`,
  'a map, by a cast': `export function f(draft: Draft) { (draft.outbox as Map<number, unknown>).clear(); }`,
  'bytes, which no type protects': `export function f({ core }: Draft) { core.t[0] = 1; }`,
  'bytes, by their method': `export function f({ core }: Draft) { core.keys[0]?.t.fill(0); }`,
  'bytes out of a map': `export function f(draft: Draft) { draft.chain.get(0)?.set([1]); }`,
  'bytes in a loop': `export function f(draft: Draft) { for (const entry of draft.chain.values()) entry.reverse(); }`,
  'bytes in a callback': `export function f(draft: Draft) { draft.chain.forEach((entry) => { entry.fill(0); }); }`,
  'bytes, by a parameter': `const wipe = (some: Bytes) => some.fill(0); export function f({ core }: Draft) { wipe(core.t); }`,
  'bytes, by a result': `const tOf = ({ core }: Draft) => core.t; export function f(draft: Draft) { tOf(draft)[0] = 1; }`,
  'bytes, by a field of a class': `export class Holder {
    readonly #t: Bytes;
    constructor({ core }: Draft) { this.#t = core.t; }
    wipe() { this.#t.fill(0); }
  }`,
  'bytes, by an object': `export function f({ core }: Draft) { const held = { t: core.t }; held.t[1] = 1; }`,
  'a place of a mutable type, by a parameter': `const move = (place: { s: number }) => { place.s += 1; };
    export function f({ core }: Draft) { move(core.position); }`,
  'by Object.assign': `export function f({ core }: Draft) { Object.assign(core, { epoch: 2 }); }`,
  'by Reflect': `export function f({ core }: Draft) { Reflect.set(core, 'epoch', 2); }`,
  'a constant that all rooms share': `export const f = () => { Object.assign(records.NEW_SENDER, { forked: true }); };`,
  'what a change carries': `export function f() { const change = changes.set({ epoch: 1 }); (change as { kind: string }).kind = ''; }`,
  'what is protected, by its name': `export function f(draft: Draft) { draft['tables'].core = draft.core; }`,
  'what is protected, by a class': `export class Own extends Draft { f() { this.tables.roster = this.roster; } }`,
};

/** Each casts to what could be changed, whether it is or not. */
export const CASTS: Bodies = {
  'a cast that nothing follows': `export const f = (draft: Draft) => draft.core as Mutable<Core>;`,
  'an old cast': `export const f = (draft: Draft) => <Mutable<Core>>draft.core;`,
};

/** Each mentions what writes. */
export const MENTIONS: Bodies = {
  'a call of what writes': `export const f = (all: tables.Tables) => { carryOut(all, changes.set({}), null); };`,
  'a call of what writes, by the whole module': `export const f = (all: tables.Tables) => { tables.applyChange(all, changes.set({}), null); };`,
  'what writes, handed on': `export const f = (use: (one: typeof carryOut) => void) => { use(carryOut); };`,
  'what writes, in an object': `export const f = { carryOut };`,
  'a table': `export const f = (all: tables.Tables) => { all.outbox.delete(1); };`,
  'the log': `export const f = (all: tables.Tables, log: records.LogRecord) => { all.log.put(log); };`,
  'records to be stored': `export const f = (writes: tables.Writes) => { writes.roster(); };`,
  'the room, past the room': `export const f = (state: RoomState) => state.write(() => undefined);`,
  'the room, in a pattern': `export const f = (state: RoomState) => { const { write } = state; return write; };`,
  'the room, by the name': `export const f = (state: RoomState) => state['write'](() => undefined);`,
};

/** What reads, makes changes and copies is reported for nothing. */
export const READS: Bodies = {
  'a change, applied': `export const f = (draft: Draft) => { draft.apply(changes.set({ epoch: 2 }), ...draft.changes); };`,
  'a copy of a list': `export function f({ core }: Draft) { const copy = [...core.verified]; copy.push(core.me); return copy; }`,
  'a filtered list': `export function f({ core }: Draft) { return core.keys.filter(({ epoch }) => epoch > 1).sort(); }`,
  'a copy of a map': `export function f(draft: Draft) { const copy = new Map(draft.outbox); copy.clear(); }`,
  'a copy of bytes': `export function f({ core }: Draft) { Uint8Array.from(core.t).fill(0); }`,
  'a count': `export function f({ core }: Draft) { let n = core.nextN; n++; return n; }`,
  'a draft': `export function f(state: RoomState) { return state.fork().core; }`,
  'a cast that keeps it readonly': `export const f = (draft: Draft) => draft.core as Readonly<Record<string, unknown>>;`,
};

/** By a name of each: the file that it stands in, and its text. */
export function filesOf(
  bodies: Bodies,
  kind: string,
): ReadonlyMap<string, { readonly path: string; readonly text: string }> {
  return new Map(
    Object.entries(bodies).map(([name, body], at) => [
      name,
      { path: `libs/client/src/room/planted-${kind}-${String(at)}.ts`, text: planted(body) },
    ]),
  );
}
