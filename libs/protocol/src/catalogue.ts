/**
 * THE table of version 2: every message, its direction, shapes, errors and who may send
 * it. Types, the relay's dispatch, the client's methods and the table in
 * docs/protocol.md come from here.
 */
import type { InferOutput } from 'valibot';
import { joins } from './catalogue/joins.js';
import { messages } from './catalogue/messages.js';
import { rooms } from './catalogue/rooms.js';
import type { EventRow, RequestRow } from './catalogue/define.js';
import type { Schema } from './schema.js';

export const CATALOGUE = { ...rooms, ...joins, ...messages } as const;

type Table = typeof CATALOGUE;
export type RequestKind = {
  [K in keyof Table]: Table[K] extends { direction: 'request' } ? K : never;
}[keyof Table];
export type EventKind = {
  [K in keyof Table]: Table[K] extends { direction: 'event' } ? K : never;
}[keyof Table];

export type RequestBody<K extends RequestKind> = InferOutput<Table[K]['body']>;
export type ReplyBody<K extends RequestKind> =
  Table[K] extends RequestRow<never, infer O>
    ? O
    : InferOutput<Table[K] extends { reply: infer S extends Schema<unknown> } ? S : never>;
export type EventBody<K extends EventKind> = InferOutput<Table[K]['body']>;

export const REQUEST_KINDS = (Object.keys(CATALOGUE) as (keyof Table)[]).filter(
  (kind): kind is RequestKind => CATALOGUE[kind].direction === 'request',
);
export const EVENT_KINDS = (Object.keys(CATALOGUE) as (keyof Table)[]).filter(
  (kind): kind is EventKind => CATALOGUE[kind].direction === 'event',
);

/** The row of a request by the name that came over the wire; null for a name that is none. */
export const requestRow = (kind: string): RequestRow<unknown, unknown> | null => {
  const found = REQUEST_KINDS.find((known) => known === kind);
  return found === undefined ? null : CATALOGUE[found];
};

/** The row of an event by the name that came over the wire; null for a name that is none. */
export const eventRow = (kind: string): EventRow<unknown> | null => {
  const found = EVENT_KINDS.find((known) => known === kind);
  return found === undefined ? null : CATALOGUE[found];
};
