/** docs/protocol.md section 6, G7: the transcript covers every field that a reader relies on. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { EntryKind, MemberId } from '@0fc/protocol';
import {
  bodyHash,
  transcriptAtFloor,
  transcriptCheckpoint,
  transcriptHash,
  transcriptOver,
  transcriptGeneration,
  transcriptNext,
  transcriptStart,
  type TranscriptEntry,
} from './index.js';
import { signBody } from '../keys/index.js';
import { sampleBodies } from '../bodies.spec-support.js';
import { codeOf, hash, makeWorld, newMemberId, random } from '../world.spec-support.js';

const entryOf = (over: Partial<TranscriptEntry> = {}): TranscriptEntry => ({
  position: { g: 1, s: 1 },
  kind: 'message',
  sender: 'AAAAAAAAAAAAAAAAAAAAAA' as MemberId,
  clear: Uint8Array.of(1),
  payload: Uint8Array.of(2),
  ...over,
});

describe('the transcript', () => {
  it('starts at the body of genesis, whatever its signature', async () => {
    const { room } = await makeWorld();
    const value = await transcriptStart(hash, room.container);
    expect(transcriptHash(value)).toEqual(await bodyHash(hash, room.container));
    expect(value).toEqual(transcriptAtFloor(transcriptHash(value)));
  });

  it('differs with every field, and with what came before', async () => {
    const before = random.bytes(64);
    const base = await transcriptNext(hash, before, entryOf());
    const others: Partial<TranscriptEntry>[] = [
      { position: { g: 2, s: 1 } },
      { position: { g: 1, s: 2 } },
      ...(['rotation', 'roster', 'leaveRequest'] as EntryKind[]).map((kind) => ({ kind })),
      { sender: newMemberId() },
      { clear: Uint8Array.of(1, 0) },
      { clear: new Uint8Array() },
      { payload: Uint8Array.of(2, 0) },
      // What moves from one field to the other is another entry.
      { clear: Uint8Array.of(2), payload: Uint8Array.of(1) },
    ];
    for (const over of others) expect(await transcriptNext(hash, before, entryOf(over))).not.toEqual(base);
    expect(await transcriptNext(hash, random.bytes(64), entryOf())).not.toEqual(base);
    expect(await transcriptNext(hash, before, entryOf())).toEqual(base);
  });

  it('differs for histories that differ anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        async (payloads, where) => {
          const at = where % payloads.length;
          const changed = payloads.map((payload, index) =>
            index === at ? Uint8Array.of(...payload, 1) : payload,
          );
          const run = async (list: Uint8Array[]): Promise<Uint8Array> => {
            let t: Uint8Array = new Uint8Array(64);
            for (const [s, payload] of list.entries())
              t = await transcriptNext(hash, t, entryOf({ position: { g: 1, s: s + 1 }, payload }));
            return t;
          };
          expect(await run(changed)).not.toEqual(await run(payloads));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is cut off from an entry’s by a new generation', async () => {
    const before = random.bytes(64);
    expect(await transcriptGeneration(hash, before, 2)).not.toEqual(
      await transcriptGeneration(hash, before, 3),
    );
    expect(await transcriptGeneration(hash, before, 2)).not.toEqual(
      await transcriptGeneration(hash, random.bytes(64), 2),
    );
  });

  describe('at a rotation', () => {
    const t = (): Uint8Array => transcriptAtFloor(random.bytes(32));
    const over = async (value: Uint8Array, ...payloads: readonly number[]): Promise<Uint8Array> => {
      for (const [s, byte] of payloads.entries())
        value = await transcriptNext(
          hash,
          value,
          entryOf({ position: { g: 1, s: s + 1 }, payload: Uint8Array.of(byte) }),
        );
      return value;
    };

    it('meets again where only what came before the epoch differed', async () => {
      const [one, other] = [t(), t()];
      const base = transcriptHash(one);
      const values = await Promise.all(
        [one, other].map(async (begin) => transcriptCheckpoint(hash, await over(begin, 1, 2, 3), base)),
      );
      expect(values[0]).toEqual(values[1]);
      expect(await over(one, 1, 2, 3)).not.toEqual(await over(other, 1, 2, 3));
    });

    it('stays apart where the epoch itself differed, until the rotation after it', async () => {
      const begin = t();
      const base = transcriptHash(begin);
      const [one, other] = await Promise.all([
        transcriptCheckpoint(hash, await over(begin, 1, 2, 3), base),
        transcriptCheckpoint(hash, await over(begin, 1, 3), base),
      ]);
      expect(one).not.toEqual(other);
      const next = await Promise.all(
        [one, other].map(async (value) =>
          transcriptCheckpoint(hash, await over(value, 4), transcriptHash(one)),
        ),
      );
      expect(next[0]).toEqual(next[1]);
    });

    it('differs with what the owner says, nothing included', async () => {
      const value = await over(t(), 1);
      const bases = [random.bytes(32), random.bytes(32), null, new Uint8Array(32)];
      const values = await Promise.all(bases.map((base) => transcriptCheckpoint(hash, value, base)));
      expect(new Set(values.map((one) => Buffer.from(one).toString('hex'))).size).toBe(bases.length);
    });

    it('is passed by what a relay keeps, which has proved itself, and by nothing else', async () => {
      const world = await makeWorld();
      const samples = await sampleBodies(world);
      const clear = signBody(world.owner.identity, 'rotation', samples.rotation);
      const before = t();
      const entry = entryOf({ kind: 'rotation', clear });
      const raw = await transcriptNext(hash, before, entry);
      expect(await transcriptOver(hash, before, entry)).toEqual(
        await transcriptCheckpoint(hash, raw, samples.rotation.base),
      );
      const line = entryOf();
      expect(await transcriptOver(hash, before, line)).toEqual(await transcriptNext(hash, before, line));
      expect(await codeOf(() => transcriptOver(hash, before, entryOf({ kind: 'rotation' })))).toBe(
        'MALFORMED',
      );
    });
  });
});
