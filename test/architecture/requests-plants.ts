/** Sources that send past room/outgoing, each in a way of its own, and some that do not. They stand on no disk. */
const planted = (body: string): string => `
import type { Connection } from '../link/connection.js';
import type { RoomHandle as Room, Due, RequestPort } from './outgoing/part.js';
import * as due from './outgoing/part.js';
import { sendInTurn as inTurn, send } from './outgoing/part.js';
import { sendOnce } from './outgoing/part.js';
interface Other { request(kind: string, body: object): Promise<unknown>; }
${body}
`;

type Bodies = Readonly<Record<string, string>>;

export const SENDS: Bodies = {
  'a request': `export const f = (room: Room) => room.connection.request('prekeys', {});`,
  'a request of a connection': `export const f = (given: Connection) => given.request('prekeys', {});`,
  'a request, by an alias': `export const f = ({ connection: link }: Room) => { const same = link; return same.request('prekeys', {}); };`,
  'a request, in a pattern': `export const f = ({ connection: { request: ask } }: Room) => ask('prekeys', {});`,
  'a request, in a variable': `export const f = (room: Room) => { const { request } = room.connection; return request('prekeys', {}); };`,
  'a request, bound': `export const f = ({ connection }: Room) => connection.request.bind(connection);`,
  'a request, by its name': `export const f = ({ connection }: Room) => connection['request']('prekeys', {});`,
  'a request, by a computed name': `export const f = ({ connection }: Room, name: 'request') => connection[name]('prekeys', {});`,
  'a request, by a narrower type': `export const f = (given: Pick<Connection, 'request'>) => given.request('prekeys', {});`,
  'a request, by the link': `export const f = (given: RequestPort) => given.request('prekeys', {});`,
  'a request, by another type': `export const f = (room: Room) => { const other: Other = room.connection as never; return other.request('prekeys', {}); };`,
  'a request, by a cast': `export const f = (room: Room) => (room.connection as unknown as Other).request('prekeys', {});`,
  'a request, by a cast and a pattern': `export const f = (room: Room) => {
    const { request } = room.connection as unknown as Other;
    return request('prekeys', {});
  };`,
  'a request, by Reflect': `export const f = ({ connection }: Room) => Reflect.get(connection, 'request') as unknown;`,
  'a request, by a field': `export class Part {
    readonly #link: Connection;
    constructor({ connection }: Room) { this.#link = connection; }
    step() { return this.#link.request('prekeys', {}); }
  }`,
  'what sends a value': `export const f = ({ connection }: Room, one: Due & { kind: 'ack' }) => send(connection, one);`,
  'what sends values, by another name': `export const f = ({ connection }: Room, all: AsyncIterable<Due>) => inTurn(connection, all);`,
  'what sends a value, by the whole module': `export const f = ({ connection }: Room, one: Due & { kind: 'ack' }) => due.send(connection, one);`,
  'what sends once': `export const f = ({ connection }: Room, one: Due) => sendOnce(connection, one);`,
};

/** What is due, and what is known of a connection, is reported for nothing. */
export const KEEPS: Bodies = {
  'a value': `export const f = (): Due => ({ kind: 'prekeys', body: {} });`,
  'a state': `export const f = ({ connection }: Room) => connection.state;`,
  'a start': `export const f = ({ connection }: Room) => { connection.start(); connection.wake(); connection.stop(); };`,
  'a request of something else': `export const f = (other: Other) => other.request('a lock', {});`,
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
