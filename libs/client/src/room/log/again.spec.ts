/** Messages of the epoch before that come again, sealed inside under its key (G18): what a receiver makes of them. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { sealAgain, type RoomKey } from '@0fc/crypto/keys';
import type { AnyContent, Body, Entry, Target } from '@0fc/protocol';
import {
  alarmsOf,
  eventsOf,
  messagesOf,
  RoomLog,
  readEntry,
  readGeneration,
  textsOf,
  type Person,
} from './log.spec-support.js';
import { set } from '../state/draft.js';
import { goBackTo } from './generations.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;
/** the key of the first epoch */
let before: RoomKey;

beforeAll(async () => {
  await loadThemis();
});

/** The room is in its second epoch; `reader` is the owner's, who has been there from the beginning. */
beforeEach(async () => {
  log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  guest = person;
  reader = await log.reader(log.owner);
  await readEntry(reader, entry);
  before = log.key;
});

const begins = async (): Promise<void> => {
  await readEntry(reader, await log.rotate(log.owner.id));
};

type Fields = Partial<Body<'message'>>;
interface Change {
  readonly by?: Person;
  readonly key?: RoomKey;
  /** of the inner one alone */
  readonly fields?: Fields;
  /** of both */
  readonly both?: Fields;
}

/** A message of the guest that holds one of the epoch before, as an honest client makes it, but for what is named. */
async function sentAgain(
  content: AnyContent,
  { by = guest, key = before, fields = {}, both = {} }: Change = {},
): Promise<Entry> {
  const outer = log.body(guest, content, both);
  const inside = { ...outer, sender: by.id, epoch: log.epoch - 1, ...fields };
  const again = sealAgain({ identity: by.identity, roomKey: key, body: inside });
  return placed({ ...outer, content: { ...again } });
}

function placed(body: Body<'message'>): Promise<Entry> {
  const { payload, clear } = log.seal(guest, body);
  return log.add('message', guest.id, payload, clear);
}

const text = (words: string): AnyContent => ({ type: 'text', text: words });

describe('a message of the epoch before that comes again', () => {
  test('G18 is shown to who has the key of that epoch, marked, and edits and reactions of it count', async () => {
    await begins();
    await readEntry(reader, await sentAgain(text('for those of then')));
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    await readEntry(reader, await sentAgain({ type: 'edit', to, text: 'edited' }));
    expect(messagesOf(reader)).toMatchObject([
      { n: 1, content: { type: 'text', text: 'edited', edited: true }, again: 1 },
      { n: 2, content: { type: 'edit', text: 'edited' }, again: 1 },
    ]);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('G18 is a neutral line to who has no key of it: its counter goes, and nothing is missed', async () => {
    await begins();
    await reader.write((draft) => {
      draft.apply(set({ keys: draft.core.keys.filter(({ epoch }) => epoch === 2) }));
    });
    await readEntry(reader, await sentAgain(text('for those of then')));
    expect(messagesOf(reader)).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(eventsOf(reader).at(-1)).toBe('closedAgain');
    await readEntry(reader, await log.say(guest, 'for those of now'));
    expect(textsOf(reader)).toEqual(['for those of now']);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test('G5 G16 of which the line is here already changes nothing, whichever way it comes', async () => {
    const original = log.body(guest, text('once'));
    await readEntry(reader, await placed(original));
    await begins();
    guest.n = 0;
    const { mid } = original;
    await readEntry(reader, await sentAgain(text('once'), { both: { mid } }));
    expect(textsOf(reader)).toEqual(['once']);
    expect(alarmsOf(reader)).toEqual([]);
  });

  test.each([
    ['sent again inside', true],
    ['sent again as it was', false],
  ] as const)(
    'G3 G16 with other words than the line that is here, %s, is an alarm, and what is here stays',
    async (_, inside) => {
      const original = log.body(guest, text('as it was'));
      await readEntry(reader, await placed(original));
      if (inside) await begins();
      guest.n = 0;
      const { mid } = original;
      await readEntry(
        reader,
        inside
          ? await sentAgain(text('other words'), { both: { mid } })
          : await placed(log.body(guest, text('other words'), { mid })),
      );
      expect(textsOf(reader)).toEqual(['as it was']);
      expect(alarmsOf(reader)).toEqual(['ALARM_DUPLICATE_N']);
    },
  );
});

describe('a line that was edited', () => {
  const to = (): Target => ({ sender: guest.id, instance: guest.instance, n: 1 });

  test('G16 comes back in its last words: to who has the first ones it is the same line, and they stay until the edit', async () => {
    const from = log.position;
    const original = log.body(guest, text('as it was'));
    await readEntry(reader, await placed(original));
    await readGeneration(reader, await log.lose(from, 1_000), 9_000);
    const { n, mid } = original;
    const edited = { ...text('reworded'), edited: true };
    await readEntry(reader, await placed(log.body(guest, edited, { n, mid })));
    expect(textsOf(reader)).toEqual(['as it was']);
    await readEntry(
      reader,
      await placed(log.body(guest, { type: 'edit', to: to(), text: 'reworded' }, { n: 2 })),
    );
    expect(textsOf(reader)).toEqual(['reworded']);
    expect(alarmsOf(reader)).toEqual(['ALARM_RELAY_LOST']);
  });

  test('G3 that nobody has edited, and that the log has still, is an alarm whatever it is marked as, and stays', async () => {
    const original = log.body(guest, text('as it was'));
    await readEntry(reader, await placed(original));
    const { n, mid } = original;
    const edited = { ...text('other words'), edited: true };
    await readEntry(reader, await placed(log.body(guest, edited, { n, mid })));
    expect(textsOf(reader)).toEqual(['as it was']);
    expect(alarmsOf(reader)).toEqual(['ALARM_DUPLICATE_N']);
  });

  test('G3 that came as edited, with no edit of it, is an alarm where it comes again in other words', async () => {
    const marked = (words: string): AnyContent => ({ ...text(words), edited: true });
    const original = log.body(guest, marked('as it came'));
    await readEntry(reader, await placed(original));
    const { n, mid } = original;
    for (const content of [text('its first words'), marked('other last words')])
      await readEntry(reader, await placed(log.body(guest, content, { n, mid })));
    expect(textsOf(reader)).toEqual(['as it came']);
    expect(alarmsOf(reader)).toEqual(['ALARM_DUPLICATE_N', 'ALARM_DUPLICATE_N']);
  });

  test('G16 in a generation that the relay then denies is none where the one before it has its first words', async () => {
    const from = log.position;
    const original = log.body(guest, text('as it was'));
    const first = await placed(original);
    const { n, mid } = original;
    const ended = await log.lose(from, 1_000);
    await readGeneration(reader, ended, 9_000);
    const edited = { ...text('reworded'), edited: true };
    await readEntry(reader, await placed(log.body(guest, edited, { n, mid })));
    await reader.write((draft) => {
      goBackTo(draft, from, 9_100);
    });
    await readEntry(reader, first);
    expect(textsOf(reader)).toEqual(['reworded']);
    expect(alarmsOf(reader)).not.toContain('ALARM_DUPLICATE_N');
  });

  test('G14 G16 is not brought back to its first words by who has them still', async () => {
    const original = log.body(guest, text('as it was'));
    await readEntry(reader, await placed(original));
    await readEntry(reader, await placed(log.body(guest, { type: 'edit', to: to(), text: 'reworded' })));
    await readEntry(reader, await placed(original));
    expect(messagesOf(reader).map(({ content }) => content)).toEqual([
      { type: 'text', text: 'reworded', edited: true },
      { type: 'edit', to: to(), text: 'reworded' },
    ]);
    expect(alarmsOf(reader)).toEqual([]);
  });
});

describe('a message inside another', () => {
  test.each<readonly [string, string, () => Change]>([
    ['of another member', 'ALARM_UNREADABLE', () => ({ by: log.owner })],
    [
      'of another member in this one’s name',
      'ALARM_BAD_SIGNATURE',
      () => ({ by: log.owner, fields: { sender: guest.id } }),
    ],
    ['under another counter', 'ALARM_BAD_SIGNATURE', () => ({ fields: { n: 7 } })],
    ['under another nonce', 'ALARM_BAD_SIGNATURE', () => ({ fields: { mid: new Uint8Array(16) } })],
    ['of another instance', 'ALARM_BAD_SIGNATURE', () => ({ fields: { instance: new Uint8Array(16) } })],
    [
      'of another room',
      'ALARM_UNREADABLE',
      () => ({ fields: { roomId: 'AAAAAAAAAAAAAAAAAAAAAA' as Body<'message'>['roomId'] } }),
    ],
    ['of this epoch', 'ALARM_UNREADABLE', () => ({ key: log.key, fields: { epoch: 2 } })],
    ['under the key of this epoch', 'ALARM_UNREADABLE', () => ({ key: log.key })],
  ])('G3 G4 G18 %s is an alarm, and nothing of it is shown', async (_, alarm, inner) => {
    await begins();
    await readEntry(reader, await sentAgain(text('not to be shown'), inner()));
    expect(textsOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual([alarm]);
  });

  test('G5 G18 of another epoch than the one before is an alarm to who has no key of it, too', async () => {
    await begins();
    await readEntry(reader, await sentAgain(text('not to be shown'), { fields: { epoch: 7 } }));
    expect(messagesOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual(['ALARM_UNREADABLE']);
  });

  test('G5 G18 of two epochs ago is an alarm while its key is here, for a join that still needs it', async () => {
    await begins();
    const older = before;
    await begins();
    await reader.write((draft) => {
      const [key] = draft.core.keys;
      draft.apply(set({ keys: [{ ...key!, epoch: 1, key: older }, ...draft.core.keys] }));
    });
    await readEntry(reader, await sentAgain(text('not to be shown'), { key: older, fields: { epoch: 1 } }));
    expect(textsOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual(['ALARM_UNREADABLE']);
  });

  test.each<readonly [string, AnyContent]>([
    ['one more inside', { type: 'again', epoch: 1, payload: new Uint8Array(8) }],
    ['a name', { type: 'profile', name: 'Mallory' }],
    ['the name of the room', { type: 'roomName', name: 'Mallory’s' }],
  ])('G3 G18 that is %s is an alarm', async (_, content) => {
    await begins();
    await readEntry(reader, await sentAgain(content));
    expect(messagesOf(reader)).toEqual([]);
    expect(alarmsOf(reader)).toEqual(['ALARM_UNREADABLE']);
  });
});
