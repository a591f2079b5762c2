/** docs/protocol.md section 6, G7: the transcript covers every field that a reader relies on. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { EntryKind, MemberId } from '@0fc/protocol';
import {
  bodyHash,
  transcriptGeneration,
  transcriptNext,
  transcriptStart,
  type TranscriptEntry,
} from './index.js';
import { hash, makeWorld, newMemberId, random } from '../world.spec-support.js';

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
    expect(await transcriptStart(hash, room.container)).toEqual(await bodyHash(hash, room.container));
  });

  it('differs with every field, and with what came before', async () => {
    const before = random.bytes(32);
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
    expect(await transcriptNext(hash, random.bytes(32), entryOf())).not.toEqual(base);
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
            let t: Uint8Array = new Uint8Array(32);
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
    const before = random.bytes(32);
    expect(await transcriptGeneration(hash, before, 2)).not.toEqual(
      await transcriptGeneration(hash, before, 3),
    );
    expect(await transcriptGeneration(hash, before, 2)).not.toEqual(
      await transcriptGeneration(hash, random.bytes(32), 2),
    );
  });
});
