/**
 * Every schema that something from outside meets: requests, replies and events of the catalogue, signed
 * bodies, sealed plaintexts, stored records. Begun from the committed vectors, or from a sample where a
 * schema has none. What a schema takes encodes to the bytes that it was read from.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BODIES, CATALOGUE, content, decodeBody, decodeCbor, decodeSessionFrame, encodeAs, encodeBody, encodeCbor, entry, equalBytes, padFrame,
  EVENT_KINDS, grantedKey, inviteLink, joinReplyBody, keyGrantNews, messageClear, parse, REQUEST_KINDS, settings, signalContent, signedJoinReply,
  wrapBody, wrappedKey, type BodyKind, type Bytes, type CborValue, type Schema,
} from '@0fc/protocol'; // prettier-ignore
import { decodeRoster, encodeRoster, startRoster } from '@0fc/crypto/verify';
import { nodeHash } from '@0fc/crypto/node';
import { sample } from '../../../libs/protocol/src/sample.spec-support.js';
import * as records from '../../../libs/client/src/vault/records.js';
import { RoomLog } from '../../../libs/client/src/room/log/log.spec-support.js';
import type { Corpus } from '../corpus.js';
import { mutate } from '../mutate.js';
import { expectThat, judged, type Outcome, type Target } from '../target.js';
import { varied } from '../values.js';

/** Decodes, and encodes again what it has read. */
type Round = (input: Bytes) => Bytes;

interface Shape {
  readonly name: string;
  readonly round: Round;
  readonly seed: Bytes;
}

type Group = Readonly<Record<string, string>>;
const VECTORS = join(import.meta.dirname, '../../../libs/protocol/vectors/messages.json');
const vectors = JSON.parse(readFileSync(VECTORS, 'utf8')) as Readonly<
  Record<'requests' | 'replies' | 'events' | 'bodies', Group>
>;
const ofHex = (hex: string | undefined): Bytes => Uint8Array.from(Buffer.from(hex ?? '', 'hex'));

const round =
  <T>(schema: Schema<T>): Round =>
  (input) =>
    encodeAs(schema, parse(schema, decodeCbor(input)));

/** The body inside the frame that the vector is. */
function bodyOf(frame: Bytes): Bytes {
  const [message] = decodeSessionFrame(padFrame(frame), 0).messages;
  if (message === undefined || !('body' in message)) throw new Error('a vector without a body');
  return encodeCbor(message.body as CborValue);
}

const wire: readonly Shape[] = [
  ...REQUEST_KINDS.flatMap((kind): readonly Shape[] => [
    {
      name: `request ${kind}`,
      round: round(CATALOGUE[kind].body as Schema<unknown>),
      seed: bodyOf(ofHex(vectors.requests[kind])),
    },
    {
      name: `reply ${kind}`,
      round: round(CATALOGUE[kind].reply as Schema<unknown>),
      seed: bodyOf(ofHex(vectors.replies[kind])),
    },
  ]),
  ...EVENT_KINDS.map((kind): Shape => ({
    name: `event ${kind}`,
    round: round(CATALOGUE[kind].body as Schema<unknown>),
    seed: bodyOf(ofHex(vectors.events[kind])),
  })),
];

type Fields = Readonly<Record<string, CborValue>>;

/** A body with no more than the fields that its schema has, and those of its settings. */
function knownOf(kind: BodyKind, input: Bytes): Bytes {
  const [tag, fields] = decodeCbor(input) as [string, Fields];
  const entries: Readonly<Record<string, unknown>> = BODIES[kind].entries;
  const known = Object.entries(fields).filter(([name]) => Object.hasOwn(entries, name));
  return encodeCbor([
    tag,
    Object.fromEntries(known.map(([name, value]) => [name, name === 'settings' ? settingsOf(value) : value])),
  ]);
}

const settingsOf = (value: CborValue): CborValue =>
  Object.fromEntries(
    Object.entries(value as Fields).filter(([name]) => Object.hasOwn(settings.entries, name)),
  );

const signed: readonly Shape[] = (Object.keys(BODIES) as BodyKind[]).map((kind) => ({
  name: `body ${kind}`,
  round(input) {
    const written = encodeBody(kind, decodeBody(input, kind).body as never);
    // Of what a later version has beside it, nothing is written.
    return equalBytes(written, knownOf(kind, input)) ? input : written;
  },
  seed: ofHex(vectors.bodies[kind]),
}));

const PLAIN = {
  content, signalContent, entry, messageClear, inviteLink, joinReplyBody, signedJoinReply, keyGrantNews, wrapBody, wrappedKey, grantedKey,
} as const; // prettier-ignore
const { rotationRecord, storedItem, logRecord, outboxItem, ownerInvite, joinRecord, senderRecord, SLICES } =
  records;
const RECORDS = {
  rotationRecord,
  storedItem,
  logRecord,
  outboxItem,
  ownerInvite,
  joinRecord,
  senderRecord,
  ...SLICES,
} as const;

const fromSample = (prefix: string, schemas: Readonly<Record<string, unknown>>): readonly Shape[] =>
  Object.entries(schemas).map(([name, schema]) => ({
    name: `${prefix} ${name}`,
    round: round(schema as Schema<unknown>),
    seed: encodeCbor(tupleOr(schema)),
  }));

/** `sample` knows no tuples: these are its parts in a row. */
function tupleOr(schema: unknown): CborValue {
  const { type, items } = schema as { readonly type: string; readonly items?: readonly unknown[] };
  return type === 'strict_tuple' ? (items ?? []).map((item) => sample(item)) : sample(schema);
}

async function storedRoster(): Promise<Shape> {
  const log = await RoomLog.begin();
  await log.admit();
  return {
    name: 'record roster',
    round: (input) => encodeRoster(decodeRoster(input)),
    seed: encodeRoster(log.roster),
  };
}

/** The chain's first entry, which fixes the room: signed, and read by whoever joins. */
async function genesisOf(): Promise<Bytes> {
  const log = await RoomLog.begin();
  await startRoster(nodeHash, log.genesis);
  return log.genesis;
}

export const staticShapes: readonly Shape[] = [
  ...wire,
  ...signed,
  ...fromSample('sealed', PLAIN),
  ...fromSample('record', RECORDS),
];

export function judgeShape(shape: Pick<Shape, 'name' | 'round'>, input: Bytes): Outcome {
  return judged(() => {
    expectThat(equalBytes(shape.round(input), input), `${shape.name}: what was read is not what is written`);
  });
}

/** Which field was refused makes no outcome of its own in the corpus: what was wrong with a value does. */
export const plainOutcome = (outcome: Outcome): Outcome =>
  outcome.replace(/: \S+ is not as the schema says$/, ': a field is not as the schema says');

export const schemasTarget = (corpus: Corpus): Target => ({
  name: 'schemas',
  share: 150_000,
  limitMs: 2_000,
  settleEvery: 10_000,
  prepare: async (_dice, keep) => {
    const shapes = [...staticShapes, await storedRoster()];
    for (const shape of shapes) expectThat(judgeShape(shape, shape.seed) === 'ok', `no seed: ${shape.name}`);
    const genesis = await genesisOf();
    const others = [...shapes.map(({ seed }) => seed), genesis];
    const values = new Map(shapes.map((shape) => [shape.name, decodeCbor(shape.seed)]));
    return {
      run(one) {
        const shape = one.of(shapes);
        const kept = corpus.of(shape.name);
        const input = one.once(4)
          ? mutate(one, kept.length > 0 && one.once(2) ? one.of(kept) : shape.seed, others)
          : encodeCbor(varied(one, values.get(shape.name) ?? null));
        const outcome = plainOutcome(judgeShape(shape, input));
        // The roster's seed has fresh keys in each run: its inputs would not stand alone.
        if (shape.name !== 'record roster') keep(shape.name, outcome, input);
        return outcome;
      },
    };
  },
});
