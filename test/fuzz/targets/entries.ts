/**
 * Entries of a log as a relay could serve them, into a real room of the client (docs/protocol.md sections 4,
 * 6, 7): changed in any field, relabelled, repeated, left out, sealed with a key that is right around content
 * that is not. Whatever comes becomes items and alarms; head and epoch never go back, and what was not sealed
 * by a member is not shown.
 */
import { transcriptHash } from '@0fc/crypto/verify';
import {
  anyContent, comparePositions, entry as entrySchema, ENTRY_KINDS, parse, toHex, type AnyContent, type Body, type CborValue, type Entry,
} from '@0fc/protocol'; // prettier-ignore
import {
  recordsOf, RoomLog, readEntry as read, readGap, readGeneration, type Person,
} from '../../../libs/client/src/room/log/log.spec-support.js'; // prettier-ignore
import type { RoomState } from '../../../libs/client/src/room/state/state.js';
import type { Dice } from '../../support/random.js';
import { mutate } from '../mutate.js';
import { expectThat, judged, type Outcome, type Target } from '../target.js';
import { vary, varied } from '../values.js';

/** A room is left for a new one after so many cases: its history is all that grows. */
const CASES_A_ROOM = 50;
const KEPT = 24;

interface Scene {
  readonly log: RoomLog;
  readonly guest: Person;
  readonly reader: RoomState;
  /** genuine entries, to be taken apart and repeated */
  readonly kept: Entry[];
  /** payloads that a member has sealed */
  readonly sealed: Set<string>;
  cases: number;
}

async function newScene(): Promise<Scene> {
  const log = await RoomLog.begin();
  const { person: guest, entry } = await log.admit();
  const reader = await log.reader(guest);
  await read(reader, entry);
  return { log, guest, reader, kept: [entry], sealed: new Set(), cases: 0 };
}

const CONTENTS: readonly CborValue[] = [
  { type: 'text', text: 'hello' },
  { type: 'reaction', to: { sender: 'AAECAwQFBgcICQoLDA0ODw', instance: new Uint8Array(16), n: 1 }, emoji: '💥', on: true },
  { type: 'edit', to: { sender: 'AAECAwQFBgcICQoLDA0ODw', instance: new Uint8Array(16), n: 1 }, text: 'again' },
  { type: 'delete', to: { sender: 'AAECAwQFBgcICQoLDA0ODw', instance: new Uint8Array(16), n: 1 } },
  { type: 'profile', name: 'Alice' },
  { type: 'roomName', name: 'Room' },
  { type: 'readMarker', position: { g: 1, s: 1 } },
  { type: 'void' },
  { type: 'again', epoch: 1, payload: new Uint8Array(40) },
]; // prettier-ignore

function contentFor(dice: Dice): AnyContent {
  const content = varied(dice, dice.of(CONTENTS));
  const fits = judged(() => parse(anyContent, content)) === 'ok';
  return fits ? (content as AnyContent) : { type: 'later', content };
}

/** What a member may lie about inside its own seal. */
function lies(dice: Dice, { log, reader }: Scene): Partial<Body<'message'>> {
  switch (dice.below(8)) {
    case 0:
      return { n: 1 + dice.below(2 ** 31) };
    case 1:
      return {
        seen: { position: { g: 1 + dice.below(3), s: dice.below(2 ** 31) }, t: transcriptHash(log.t) },
      };
    case 2:
      return { seen: { position: reader.core.position, t: transcriptHash(log.t).map((byte) => byte ^ 1) } };
    case 3:
      return { instance: Uint8Array.from({ length: 16 }, () => dice.below(256)) };
    case 4:
      return { sentAt: Number.MAX_SAFE_INTEGER };
    case 5:
      return { epoch: 1 + dice.below(4) };
    default:
      return {};
  }
}

async function genuine(dice: Dice, scene: Scene): Promise<Entry> {
  const { log, guest } = scene;
  if (dice.once(12)) return log.rotate(guest.id);
  if (dice.once(20))
    return log.change('settings', { settings: { ...log.roster.settings, rotateEvery: 1 + dice.below(99) } });
  if (dice.once(20) && log.roster.members.size < 6) return (await log.admit()).entry;
  const person = dice.once(2) ? guest : log.owner;
  const body = log.body(person, contentFor(dice), dice.once(3) ? lies(dice, scene) : {});
  const { clear, payload } = log.seal(person, body);
  scene.sealed.add(toHex(payload));
  return log.add('message', person.id, payload, dice.once(9) ? log.clear(1 + dice.below(3)) : clear);
}

/** The entry with something of it changed; still of the schema, or the link would not have let it in. */
function changed(dice: Dice, entry: Entry, { kept, guest, log }: Scene): unknown {
  const other = dice.of(kept);
  switch (dice.below(9)) {
    case 0:
      return { ...entry, payload: mutate(dice, entry.payload, [other.payload]) };
    case 1:
      return { ...entry, clear: mutate(dice, entry.clear, [other.clear]) };
    case 2:
      return { ...entry, kind: dice.of(ENTRY_KINDS) };
    case 3:
      return { ...entry, sender: dice.of([guest.id, log.owner.id, 'AAECAwQFBgcICQoLDA0ODw']) };
    case 4:
      return { ...other, position: entry.position };
    case 5:
      return { ...entry, payload: other.payload, clear: other.clear };
    case 6:
      return entry.wrap === undefined
        ? { ...entry, wrap: other.payload.slice(0, 900) }
        : { ...entry, wrap: mutate(dice, entry.wrap) };
    case 7:
      return {
        ...entry,
        position: { g: entry.position.g + dice.below(2), s: entry.position.s + dice.below(9) - 4 },
      };
    default:
      return vary(dice, entry);
  }
}

async function take(scene: Scene, entry: Entry): Promise<Outcome> {
  const { reader } = scene;
  const { epoch } = reader.core;
  const length = reader.chain.size;
  const records = reader.log.end;
  let taken = await read(reader, entry);
  if (taken === 'gap' && entry.position.g === reader.core.position.g) {
    await readGap(reader, entry);
    taken = await read(reader, entry);
  }
  expectThat(reader.core.epoch >= epoch, 'the epoch went back');
  expectThat(reader.chain.size >= length, 'the chain went back');
  const items = recordsOf(reader).flatMap((record) => (record.index < records ? [] : record.items));
  const shown = items.some((item) => item.type === 'message');
  expectThat(!shown || scene.sealed.has(toHex(entry.payload)), 'a message is shown that nobody sealed');
  // Whatever comes is known for what it is: nothing fails inside.
  const failed = items.some((item) => item.type === 'alarm' && item.code === 'ALARM_ENTRY_FAILED');
  expectThat(!failed, 'an entry failed inside');
  const codes = items.map((item) =>
    item.type === 'alarm' ? item.code : item.type === 'system' ? item.event : item.type,
  );
  return `${taken} ${[...new Set(codes)].sort().join(' ')}`;
}

export const entriesTarget = (): Target => ({
  name: 'entries',
  share: 25_000,
  limitMs: 10_000,
  settleEvery: 5_000,
  prepare: async () => {
    let scene = await newScene();
    return {
      async run(dice) {
        scene.cases += 1;
        if (scene.cases > CASES_A_ROOM) scene = await newScene();
        const entry = await genuine(dice, scene);
        if (scene.kept.length < KEPT) scene.kept.push(entry);
        if (dice.once(40)) {
          const { position } = scene.reader.core;
          const from = { g: position.g, s: dice.below(position.s + 1) };
          await readGeneration(scene.reader, { generation: position.g + 1 + dice.below(9), from }, 1);
          expectThat(comparePositions(scene.reader.core.position, position) > 0, 'a generation went back');
          scene.cases = CASES_A_ROOM;
          return 'generation';
        }
        const served = dice.once(3) ? entry : changed(dice, entry, scene);
        // Without a change of the roster or the key, all that follows would be unreadable.
        if (served !== entry && entry.kind !== 'message') scene.cases = CASES_A_ROOM;
        const refused = judged(() => parse(entrySchema, served));
        return refused === 'ok' ? take(scene, parse(entrySchema, served)) : refused;
      },
    };
  },
});
