/**
 * Known answers: every message of version 2 and every signed body, as the bytes that
 * travel. A change here is a change of the wire, and needs a new version.
 * `UPDATE_VECTORS=1 npm run jest -- libs/protocol/src/vectors.spec.ts` writes them anew.
 */
import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BODIES, decodeBody, encodeBody, type BodyKind } from './bodies.js';
import { toHex, type Bytes } from './bytes.js';
import { CATALOGUE, EVENT_KINDS, REQUEST_KINDS } from './catalogue.js';
import { decodeSessionFrame, encodeSessionFrame, type SessionMessage } from './frames.js';
import { padFrame, unpadFrame } from './padding.js';
import { sample } from './sample.spec-support.js';

const FILE = join(import.meta.dirname, '../vectors/messages.json');
type Group = Readonly<Record<string, string>>;
type Vectors = Readonly<Record<'requests' | 'replies' | 'events' | 'bodies', Group>>;

const fields = (schema: unknown) => sample(schema) as Record<string, unknown>;
const group = (kinds: readonly string[], encode: (kind: never) => Bytes): Group =>
  Object.fromEntries(kinds.map((kind) => [kind, toHex(encode(kind as never))]));
/** Without its padding. */
const frame = (message: SessionMessage): Bytes => unpadFrame(encodeSessionFrame(1, [message]));

const made: Vectors = {
  requests: group(REQUEST_KINDS, (kind: (typeof REQUEST_KINDS)[number]) =>
    frame({ q: 7, kind, body: fields(CATALOGUE[kind].body) }),
  ),
  replies: group(REQUEST_KINDS, (kind: (typeof REQUEST_KINDS)[number]) =>
    frame({ r: 7, body: fields(CATALOGUE[kind].reply) }),
  ),
  events: group(EVENT_KINDS, (kind: (typeof EVENT_KINDS)[number]) =>
    frame({ e: kind, body: fields(CATALOGUE[kind].body) }),
  ),
  bodies: group(Object.keys(BODIES), (kind: BodyKind) => encodeBody(kind, fields(BODIES[kind]) as never)),
};

if (process.env.UPDATE_VECTORS === '1') writeFileSync(FILE, `${JSON.stringify(made, null, 1)}\n`);
const committed = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;
const bytesOf = (hex: string): Bytes => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('the wire of version 2', () => {
  test.each(['requests', 'replies', 'events', 'bodies'] as const)(
    'has a vector for each of its %s',
    (name) => {
      expect(made[name]).toEqual(committed[name]);
    },
  );

  test.each(REQUEST_KINDS)('request %s decodes to what its schema takes', (kind) => {
    const [message] = decodeSessionFrame(padFrame(bytesOf(committed.requests[kind] ?? '')), 0).messages;
    expect(message).toEqual({ q: 7, kind, body: fields(CATALOGUE[kind].body) });
  });

  test.each(Object.keys(BODIES) as BodyKind[])('body %s decodes to its fields', (kind) => {
    const { body } = decodeBody(bytesOf(committed.bodies[kind] ?? ''), kind);
    expect(body).toEqual(fields(BODIES[kind]));
  });
});
