/**
 * The law: whatever a schema admits can be stored, read back, exported and drawn, and stops nobody. Sent by a
 * member through an honest relay, at the limits of every field (G14, G16).
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  anyContent,
  BODIES,
  content,
  encodeCbor,
  LIMITS,
  ProtocolError,
  type CborValue,
} from '@0fc/protocol';
import { admits, arbitraryOf } from '../../support/arbitrary.js';
import { exported as exportedFrom } from '../../support/exported.js';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { seedOfRun } from '../../support/random.js';
import { prekeyOf, nested, sealAnything, sealSignalOf, type Fields } from '../members/unchecked.js';
import { epochOf, idOf, Stage } from '../stage.js';

const MESSAGES = 48;
const SIGNALS = 32;
/** Between two looks at whether everybody goes on. */
const EVERY = 8;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Names the seed of what fails: `SEED=… npm run jest -- test/hostile/input/law.spec.ts` finds it again. */
async function seeded(run: (seed: number) => Promise<void>): Promise<void> {
  const seed = seedOfRun();
  await naming(`SEED=${String(seed)}`, () => run(seed));
}

async function naming(what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${what}: ${message}`, { cause: error });
  }
}

/** What bodies hold, shortened. */
const shown = (fields: readonly Fields[]): string =>
  JSON.stringify(
    fields.map((each) => omit(each, ['instance', 'mid', 'seen'])),
    (_, item: unknown) =>
      typeof item === 'string' && item.length > 80 ? `${item.slice(0, 80)}… (${String(item.length)})` : item,
  );

const omit = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

/** A message’s content is of this version as often as of any other. */
const SCHEMAS = {
  message: fc.oneof(
    arbitraryOf(BODIES.message),
    fc
      .tuple(arbitraryOf(BODIES.message), arbitraryOf(content))
      .map(([body, known]) => ({ ...(body as Fields), content: known })),
  ),
  signal: arbitraryOf(BODIES.signal),
};

/** Values of a body's fields that its schema admits, but for those that say where it stands. */
const bodiesOf = (kind: keyof typeof SCHEMAS, seed: number, numRuns: number): readonly Fields[] =>
  fc
    .sample(SCHEMAS[kind].filter(hasEncoding), { seed, numRuns })
    .map((body) => omit(body as Fields, ['roomId', 'epoch', 'sender']));

/** Content of every depth that is admitted. */
const ofEveryDepth = (): readonly Fields[] =>
  Array.from({ length: 16 }, (_, depth) => ({ content: { type: 'of some depth', a: nested(depth) } })).filter(
    ({ content: deep }) => hasEncoding({ content: deep }) && admits(anyContent, deep),
  );

/** As part of what gets signed; the codec’s own limits are part of what is admitted. */
function hasEncoding(body: CborValue): boolean {
  try {
    return encodeCbor(['a tag', body]).length < LIMITS.payloadBytes - 1_024;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** A restart finds what was shown before it, and goes on. */
async function survives(who: Member, roomId: string): Promise<void> {
  const { items } = who;
  await who.leave();
  await who.comeBack(roomId);
  await who.live();
  expect(who.items).toEqual(items);
}

/** An export opens on another device, with every line. */
async function exported(who: Member, roomId: string): Promise<Member> {
  const passphrase = 'a passphrase of the export alone';
  const file = await exportedFrom(who.api, passphrase);
  await who.leave();
  const elsewhere = await stage.member(`${who.name} elsewhere`);
  value(await elsewhere.api.eraseVault());
  value(await elsewhere.api.importVault(file, passphrase, elsewhere.passphrase));
  await elsewhere.watch(roomId);
  await elsewhere.live();
  expect(elsewhere.texts).toEqual(expect.arrayContaining([...who.texts]));
  return elsewhere;
}

describe('whatever a schema admits', () => {
  test('G14 G16 of messages, by a member’s own hand, is kept over restarts and exports, and stops nobody', async () => {
    await seeded(async (seed) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const { peer, stolen } = await stage.byHand(tomas, roomId);
      const all = [...bodiesOf('message', seed, MESSAGES), ...ofEveryDepth()];
      for (let at = 0; at < all.length; at += EVERY) {
        const some = all.slice(at, at + EVERY);
        // As an honest client counts, or by any number at all.
        const bodies = some.map((body, n) => (n % 2 === 0 ? omit(body, ['n', 'instance', 'seen']) : body));
        await peer.request('append', {
          messages: bodies.map((body, n) => sealAnything(stolen, { n: stolen.core.nextN + at + n, ...body })),
        });
        await naming(shown(some), () => stage.goesOn(roomId, [owner, ines], `after ${String(at)},`));
      }
      for (const who of [owner, ines]) await survives(who, roomId);
      await stage.goesOn(roomId, [owner, ines], 'after a restart,');
      const elsewhere = await exported(ines, roomId);
      await stage.goesOn(roomId, [owner, elsewhere], 'from an export,');
      // What was asked of the owner is still carried out.
      value(await owner.api.removeMember(roomId, stolen.me));
      await stage.byItself('the next key', [owner, elsewhere], () =>
        [owner, elsewhere].every((who) => epochOf(who) === 2),
      );
      await stage.goesOn(roomId, [owner, elsewhere], 'without him,');
      peer.leave();
    });
  });

  test('G14 G16 of signals and prekeys, by a member’s own hand, stops nobody, rotations neither', async () => {
    await seeded(async (seed) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const { peer, stolen } = await stage.byHand(tomas, roomId);
      const all = bodiesOf('signal', seed, SIGNALS);
      for (let at = 0; at < all.length; at += EVERY) {
        const some = all.slice(at, at + EVERY);
        for (const [n, body] of some.entries()) {
          const payload = sealSignalOf(
            stolen,
            n % 2 === 0 ? omit(body, ['sentAt', 'counter', 'instance']) : omit(body, ['sentAt']),
          );
          await peer.request('signal', { epoch: stolen.core.epoch, payload });
        }
        await naming(shown(some), () => stage.goesOn(roomId, [owner, ines], `after ${String(at)},`));
      }
      for (const k of [2, 2 ** 40 - 1, 2 ** 53 - 1]) {
        const prekey = await prekeyOf(stolen, k);
        // The relay may refuse it: then it reaches nobody.
        await peer.refusal('prekey', prekey);
        value(await owner.api.rotateNow(roomId));
        await stage.goesOn(roomId, [owner, ines], `after prekey ${String(k)},`);
      }
      for (const who of [owner, ines]) await survives(who, roomId);
      await stage.goesOn(roomId, [owner, ines], 'after a restart,');
      peer.leave();
    });
  });

  test('G14 G16 of the relay’s times is kept over restarts and exports, and stops nobody', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const times = [0, 1, 2 ** 31, Date.now() + 10 * 365 * 86_400_000, 8.64e15, 8.64e15 + 1, 2 ** 53 - 1];
    for (const time of times) {
      stage.relay.honest();
      stage.relay.onEntries((_, entries) => entries.map((entry) => ({ ...entry, time })));
      await stage.goesOn(roomId, [owner, tomas], `at ${String(time)},`);
    }
    stage.relay.honest();
    for (const who of [owner, tomas]) await survives(who, roomId);
    const elsewhere = await exported(tomas, roomId);
    await stage.goesOn(roomId, [owner, elsewhere], 'after it all,');
    expect(idOf(elsewhere)).toBe(idOf(tomas));
    expect(owner.alarms).toEqual([]);
  });
});
