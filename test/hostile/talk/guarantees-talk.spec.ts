/** Who wrote what, once, in one order, to everybody alike: G3, G4, G5, G6, G7. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  equalBytes,
  FRAME_EVENT,
  type Bytes,
  type Entry,
  type EventBody,
  type MemberId,
} from '@0fc/protocol';
import { ClientLink } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { value, type Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { Peer, rawSocket } from '../../integration/relay-peer.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { epochOf, idOf, namesIn, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const lastLine = (to: Member, from: Member): Entry => {
  const found = stage.relay
    .entriesTo(idOf(to))
    .findLast(({ kind, sender }) => kind === 'message' && sender === idOf(from));
  if (found === undefined) throw new Error('no such line');
  return found;
};

/** Entries invented at the end of what a member has. */
async function invent(
  to: Member,
  roomId: string,
  ...made: readonly { kind: Entry['kind']; sender: string; clear?: Bytes; payload: Bytes; wrap?: Bytes }[]
): Promise<void> {
  const { position } = (await Stolen.from(to, roomId)).core;
  const entries = made.map(({ kind, sender, ...parts }, at) =>
    entryAt({ g: position.g, s: position.s + 1 + at }, kind, sender, parts),
  );
  const before = to.items.length;
  stage.relay.tell(idOf(to), 'entries', { entries });
  await until('what was invented to be shown or dropped', async () => {
    const { core } = await Stolen.from(to, roomId);
    return core.position.s >= position.s + made.length || to.items.length > before + made.length;
  });
}

describe('G3: a message is shown under a name only if that member’s own key signed it', () => {
  test('G3 a sender relabelled by the relay, by a member, and one off the roster are alarms and no text', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await tomas.say(roomId, 'by Tomás');
    await ines.has('by Tomás');
    await stage.level([owner, tomas, ines]);
    const thief = await Stolen.from(tomas, roomId);
    const line = lastLine(ines, tomas);
    const asOwner = thief.text('by nobody', { sender: idOf(owner) });
    const stranger = generateKeyPair();
    const unknown = thief.message({ type: 'text', text: 'let me in' }, {}, { identity: stranger });
    await invent(
      ines,
      roomId,
      { kind: 'message', sender: idOf(owner), clear: line.clear, payload: line.payload },
      { kind: 'message', sender: idOf(owner), ...asOwner },
      { kind: 'message', sender: idOf(tomas), clear: unknown.clear, payload: unknown.payload },
      {
        kind: 'message',
        sender: 'BBBBBBBBBBBBBBBBBBBBBA',
        ...thief.text('from nowhere', { sender: 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId }),
      },
    );
    await until('four alarms', () => ines.alarms.length >= 4);
    expect(ines.alarms.filter((code) => code === 'ALARM_BAD_SIGNATURE')).toHaveLength(3);
    expect(ines.texts).toEqual(['by Tomás']);
  });

  test('G3 edits, deletions, the room’s name and other members’ names count only from who may make them', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await owner.say(roomId, 'I owe Tomás nothing');
    await Promise.all([tomas.has('I owe Tomás nothing'), ines.has('I owe Tomás nothing')]);
    await stage.level([owner, tomas, ines]);
    await tomas.leave();
    const forger = await Stolen.from(tomas, roomId);
    const target = { sender: idOf(owner), instance: (await Stolen.from(owner, roomId)).core.instance, n: 3 };
    const peer = await Peer.connect(stage.relay, forger.identity);
    await peer.request('open', {
      roomId: forger.core.roomId,
      after: forger.core.position,
      head: null,
      epoch: 1,
    });
    const contents = [
      { type: 'edit', to: target, text: 'I owe Tomás all' },
      { type: 'delete', to: target },
      { type: 'roomName', name: 'Tomás’ room' },
      { type: 'text', text: 'that is all' },
    ];
    const messages = contents.map((content, at) => {
      const { clear, payload } = forger.message(content, { n: forger.core.nextN + at });
      return { clear, payload };
    });
    await peer.request('append', { messages });
    await Promise.all([owner.has('that is all'), ines.has('that is all')]);
    for (const who of [owner, ines]) {
      const line = who.messages.find(({ sender }) => sender === idOf(owner));
      expect(line).toMatchObject({ text: 'I owe Tomás nothing', edited: false, deleted: false });
      expect(who.room?.name).toBe('Rive droite');
      expect(namesIn(who)).toEqual(['Amina', 'Tomás', 'Inès']);
    }
    peer.leave();
  });
});

describe('G4: nothing is taken for another thing', () => {
  test('G4 a line of another room, another epoch, another sender, another kind is unreadable in this place', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const otherRoom = await owner.createRoom('Rive gauche', 100);
    await owner.say(otherRoom, 'said in the other room');
    await owner.has('said in the other room');
    const elsewhere = lastOf(stage.relay.requests('append', idOf(owner)).at(-1)?.body.messages);
    await owner.watch(roomId);
    await owner.say(roomId, 'under the first key');
    await tomas.has('under the first key');
    const first = lastLine(tomas, owner);
    value(await owner.api.rotateNow(roomId));
    await until('the second key', () => epochOf(tomas) === 2);
    await owner.say(roomId, 'under the second');
    await tomas.has('under the second');
    await stage.level([owner, tomas]);
    const second = lastLine(tomas, owner);
    const thief = await Stolen.from(tomas, roomId);
    const signal = thief.presence();
    const roster = stage.relay.entriesTo(idOf(tomas)).find(({ kind }) => kind === 'roster');
    const me = idOf(owner);
    await invent(
      tomas,
      roomId,
      { kind: 'message', sender: me, clear: elsewhere.clear, payload: elsewhere.payload },
      { kind: 'message', sender: me, clear: second.clear, payload: first.payload },
      { kind: 'message', sender: me, clear: first.clear, payload: second.payload },
      { kind: 'message', sender: me, clear: second.clear, payload: signal },
      { kind: 'message', sender: me, clear: second.clear, payload: roster?.payload ?? second.payload },
      { kind: 'roster', sender: me, payload: second.payload },
      { kind: 'leaveRequest', sender: me, payload: second.payload },
      { kind: 'rotation', sender: me, clear: roster?.payload ?? second.payload, payload: second.payload },
    );
    await until('an alarm for each', () => tomas.alarms.length >= 8);
    expect(tomas.texts).toEqual(['under the first key', 'under the second']);
    expect(epochOf(tomas)).toBe(2);
    expect(namesIn(tomas)).toEqual(['Amina', 'Tomás']);
    expect(tomas.room?.members.some(({ leaving }) => leaving)).toBe(false);
  });

  test('G4 a line is no signal, a signal no line, and neither of another room', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'a line');
    await tomas.has('a line');
    const { payload } = lastLine(tomas, owner);
    const elsewhere = await stage.two();
    const signal = (await Stolen.from(elsewhere.owner, elsewhere.roomId)).presence({ sender: idOf(owner) });
    for (const one of [payload, signal])
      stage.relay.tell(idOf(tomas), 'signalled', { sender: idOf(owner), epoch: 1, payload: one });
    await owner.say(roomId, 'after them');
    await tomas.has('after them');
    expect(tomas.room?.typing).toEqual([]);
    expect(tomas.alarms).toEqual([]);
  });

  test('G4 a message of an epoch that the log does not have is an alarm, and moves nobody’s epoch', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const thief = await Stolen.from(owner, roomId);
    const ahead = thief.message(
      { type: 'text', text: 'from the future' },
      { epoch: 9 },
      { roomKey: thief.current.key },
    );
    await invent(tomas, roomId, {
      kind: 'message',
      sender: idOf(owner),
      clear: ahead.clear,
      payload: ahead.payload,
    });
    await stage.alarm(tomas, 'ALARM_UNREADABLE');
    expect(epochOf(tomas)).toBe(1);
    expect(tomas.texts).toEqual([]);
  });
});

describe('G5: replay', () => {
  test('G5 a line, a roster entry, a rotation that come again have no effect', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await owner.say(roomId, 'once');
    await tomas.has('once');
    value(await owner.api.rotateNow(roomId));
    await until('the second key', () => [tomas, ines].every((who) => epochOf(who) === 2));
    value(await owner.api.removeMember(roomId, idOf(ines)));
    await until('the third key', () => [owner, tomas].every((who) => epochOf(who) === 3));
    await stage.level([owner, tomas]);
    const served = stage.relay.entriesTo(idOf(tomas));
    const admit = served.find(({ kind }) => kind === 'roster');
    const again = [
      admit,
      ...served.filter(({ kind }) => kind === 'rotation'),
      served.find(({ kind }) => kind === 'message'),
    ];
    await invent(tomas, roomId, ...again.filter((entry) => entry !== undefined));
    await until('the replays to be told', () => tomas.alarms.length >= 3);
    expect(tomas.alarms.filter((code) => code === 'ALARM_FOREIGN_ROTATION')).toHaveLength(2);
    expect(tomas.alarms.filter((code) => code === 'ALARM_BAD_ROSTER')).toHaveLength(1);
    expect(tomas.texts).toEqual(['once']);
    expect(epochOf(tomas)).toBe(3);
    expect(namesIn(tomas)).toEqual(['Amina', 'Tomás']);
  });

  test('G5 an old prekey that the relay offers again is not used: its member has no wrap, and asks for the key', async () => {
    const { owner, tomas, roomId } = await stage.two();
    value(await owner.api.rotateNow(roomId));
    await until('a second prekey', () => stage.relay.requests('prekey', idOf(tomas)).length > 0);
    value(await owner.api.rotateNow(roomId));
    await until('a third', () => stage.relay.requests('prekey', idOf(tomas)).length > 1);
    // The relay says that it has none but the first, of which the private half has been deleted.
    stage.relay.onReply('prekeys', (_, { prekeys }) => ({
      prekeys: prekeys.map((one) => ({
        ...one,
        prekey: one.memberId === idOf(tomas) ? null : one.prekey,
      })),
    }));
    value(await owner.api.rotateNow(roomId));
    await until('the fourth key', () => epochOf(owner) === 4);
    // Nothing is wrapped to a prekey before the one that the last rotation used.
    await stage.alarm(tomas, 'ALARM_NO_KEY');
    expect(tomas.alarms).not.toContain('ALARM_PREKEY_ROLLED_BACK');
    await until('the key to be granted', () => epochOf(tomas) === 4 && tomas.room?.paused === null);
    stage.relay.honest();
    await owner.say(roomId, 'all the same');
    await tomas.has('all the same');
  });

  test('G5 a join step that comes again changes nothing', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const joins = stage.relay.events('join', idOf(owner));
    const states = stage.relay.events('joinState', idOf(tomas));
    const requests = stage.relay.requests('roster', idOf(owner)).length;
    for (const { body } of joins) stage.relay.tell(idOf(owner), 'join', body);
    for (const { body } of states) stage.relay.tell(idOf(tomas), 'joinState', body);
    await tomas.say(roomId, 'after the repetition');
    await owner.has('after the repetition');
    await stage.level([owner, tomas]);
    expect(stage.relay.requests('roster', idOf(owner))).toHaveLength(requests);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('G5 a frame of a session that comes again ends that session, either way, and is not carried out twice', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.leave();
    const { identity, core, text } = await stolenWithText(tomas, roomId);
    const link = ClientLink.open({ identity, relayKey: stage.relay.publicKey });
    const socket = rawSocket(stage.relay.url);
    let told = 0;
    socket.on(FRAME_EVENT, (frame: unknown) => {
      const { reply, messages } = link.receive(Uint8Array.from(frame as Uint8Array));
      if (reply !== null) socket.emit(FRAME_EVENT, Buffer.from(reply));
      told += messages.length;
    });
    const gone = new Promise((resolve) => socket.on('disconnect', resolve));
    await until('the socket to open', () => socket.connected);
    socket.emit(FRAME_EVENT, Buffer.from(link.start()));
    await until('hello', () => told === 1);
    const open = { roomId: core.roomId, after: core.position, head: null, epoch: 1 };
    socket.emit(FRAME_EVENT, Buffer.from(link.seal([{ q: 1, kind: 'open', body: open }])));
    const frame = Buffer.from(link.seal([{ q: 2, kind: 'append', body: { messages: [text] } }]));
    socket.emit(FRAME_EVENT, frame);
    await owner.has('once and no more');
    socket.emit(FRAME_EVENT, frame);
    await gone;
    expect(owner.texts).toEqual(['once and no more']);
    expect(
      stage.relay
        .requests('append', core.me)
        .filter(({ body }) => body.messages.some((one) => equalBytes(one.payload, text.payload))),
    ).toHaveLength(1);
    link.destroy();
    stage.relay.failures.length = 0; // the replay was one
  });

  test('G5 a signal that comes again within 30 s says nothing to who has a counter, and one older says nothing at all', async () => {
    const { owner, tomas, roomId } = await stage.two();
    value(await tomas.api.typing(roomId));
    await until('to be seen typing', () => owner.room?.typing.includes('Tomás'));
    const signals = stage.relay.events('signalled', idOf(owner)).map(({ body }) => body);
    await tomas.say(roomId, 'sent');
    await until('nobody to be typing', () => owner.room?.typing.length === 0);
    for (const body of signals) stage.relay.tell(idOf(owner), 'signalled', body);
    await tomas.say(roomId, 'later');
    await owner.has('later');
    expect(owner.room?.typing).toEqual([]);
    // Made 31 s ago by its own key and with a counter never seen: too old.
    const thief = await Stolen.from(tomas, roomId);
    const now = Date.now();
    const old = thief.presence({ counter: now + 5_000, sentAt: now - 31_000, content: { type: 'typing' } });
    stage.relay.tell(idOf(owner), 'signalled', { sender: idOf(tomas), epoch: 1, payload: old });
    const fresh = thief.presence({ counter: now + 5_000, sentAt: now, content: { type: 'typing' } });
    await owner.say(roomId, 'between');
    await owner.has('between');
    expect(owner.room?.typing).toEqual([]);
    // The same words in time count: it was the age.
    stage.relay.tell(idOf(owner), 'signalled', { sender: idOf(tomas), epoch: 1, payload: fresh });
    await until('the fresh one to count', () => owner.room?.typing.includes('Tomás'));
  });

  test('G5 a request for a key that the relay repeats is answered to its own member, and shown once', async () => {
    const { owner, tomas, roomId } = await stage.two();
    // The relay keeps a wrap back: its member asks.
    stage.relay.onEntries((client, entries) =>
      client.memberId === idOf(tomas) ? entries.map(({ wrap: _, ...entry }) => entry) : undefined,
    );
    value(await owner.api.rotateNow(roomId));
    await stage.alarm(tomas, 'ALARM_NO_KEY');
    await until('the grant', () => tomas.room?.paused === null && epochOf(tomas) === 2);
    stage.relay.honest();
    const [asked] = stage.relay.events('keyNeeded', idOf(owner));
    const given = (): number =>
      owner.items.filter((item) => item.type === 'system' && item.event === 'keyGiven').length;
    await until('the owner to show it', () => given() === 1);
    for (let n = 0; n < 3; n++) stage.relay.tell(idOf(owner), 'keyNeeded', asked!.body);
    await owner.say(roomId, 'and on');
    await tomas.has('and on');
    expect(given()).toBe(1);
    expect(stage.relay.requests('keyGrant').every(({ body }) => body.to === idOf(tomas))).toBe(true);
  });
});

describe('G6: order and loss', () => {
  test('G6 a line that is dropped is shown as a gap, also where the relay closes the numbers up', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let dropped = 0;
    stage.relay.onEntries((client, entries) => {
      if (client.memberId !== idOf(tomas)) return undefined;
      return entries.flatMap((entry) => {
        if (entry.kind === 'message' && entry.sender === idOf(owner) && dropped === 0) {
          dropped = entry.position.s;
          return [];
        }
        const { g, s } = entry.position;
        return [dropped > 0 && s > dropped ? { ...entry, position: { g, s: s - 1 } } : entry];
      });
    });
    await owner.say(roomId, 'withheld');
    await owner.has('withheld');
    await owner.say(roomId, 'served');
    await tomas.has('served');
    await stage.alarm(tomas, 'ALARM_MESSAGE_GAP');
    await stage.alarm(tomas, 'ALARM_FORK');
    expect(tomas.texts).toEqual(['served']);
  });

  test('G6 a hole in the numbers is told with its place, after the log was asked once more', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let hole = 0;
    stage.relay.onEntries((client, entries) => {
      if (client.memberId !== idOf(tomas)) return undefined;
      return entries.filter((entry) => {
        if (entry.kind === 'message' && entry.sender === idOf(owner) && hole === 0) hole = entry.position.s;
        return entry.position.s !== hole;
      });
    });
    const opens = stage.relay.requests('open', idOf(tomas)).length;
    await owner.say(roomId, 'withheld');
    await owner.has('withheld');
    await owner.say(roomId, 'served');
    await stage.alarm(tomas, 'ALARM_GAP');
    await tomas.has('served');
    const gap = tomas.items.find((item) => item.type === 'alarm' && item.code === 'ALARM_GAP');
    expect(gap).toMatchObject({ params: { from: hole, to: hole } });
    expect(tomas.items.findIndex((item) => item === gap)).toBeLessThan(
      tomas.items.findIndex((item) => item.type === 'message' && item.text === 'served'),
    );
    expect(stage.relay.requests('open', idOf(tomas)).length).toBeGreaterThan(opens);
  });

  test('G6 what was withheld at the end is noticed at the next sign of presence', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.onEntries((client, entries) => (client.memberId === idOf(tomas) ? [] : entries));
    await owner.say(roomId, 'the last word');
    await owner.has('the last word');
    // The owner comes back online, and its presence says how far it has read.
    stage.relay.cut(idOf(owner));
    await stage.alarm(tomas, 'ALARM_FORK');
    expect(tomas.texts).toEqual([]);
  });

  test('G6 an invented entry is an alarm, and the next true one shows that the logs differ', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await invent(tomas, roomId, {
      kind: 'message',
      sender: idOf(owner),
      clear: Uint8Array.of(0xa1),
      payload: new Uint8Array(100),
    });
    await stage.alarm(tomas, 'ALARM_UNREADABLE');
    await owner.say(roomId, 'at the same place');
    await owner.say(roomId, 'and one more');
    await stage.alarm(tomas, 'ALARM_FORK');
  });
});

describe('G7: fork', () => {
  test('G7 two members that were shown two histories notice at the first message across', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    stage.relay.place([idOf(ines)], { hidden: true });
    await ines.live();
    await owner.say(roomId, 'to Tomás');
    await ines.say(roomId, 'to nobody');
    await Promise.all([tomas.has('to Tomás'), ines.has('to nobody')]);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
    await stage.relay.reunite();
    await ines.live();
    await tomas.say(roomId, 'across');
    await stage.alarm(ines, 'ALARM_FORK');
    expect(
      ines.items.some(
        (item) => item.type === 'alarm' && item.code === 'ALARM_FORK' && item.params.member === 'Tomás',
      ),
    ).toBe(true);
    // Once per sender, and the rest goes on.
    await tomas.say(roomId, 'once more');
    await ines.has('once more');
    expect(
      ines.items.filter(
        (item) => item.type === 'alarm' && item.code === 'ALARM_FORK' && item.params.member === 'Tomás',
      ),
    ).toHaveLength(1);
  });

  test('G7 or at the first sign of presence across', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    stage.relay.place([idOf(ines)], { hidden: true });
    await ines.live();
    await ines.say(roomId, 'to nobody');
    await ines.has('to nobody');
    await owner.say(roomId, 'to Tomás');
    await tomas.has('to Tomás');
    const told = stage.relay.requests('signal', idOf(ines)).length;
    stage.relay.cut(idOf(ines));
    const { body } = await until(
      'a presence out of the other world',
      () => stage.relay.requests('signal', idOf(ines))[told],
    );
    const signalled: EventBody<'signalled'> = { sender: idOf(ines), ...body };
    stage.relay.tell(idOf(owner), 'signalled', signalled);
    await stage.alarm(owner, 'ALARM_FORK');
    expect(tomas.alarms).toEqual([]);
  });
});

function lastOf<T>(list: readonly T[] | undefined): T {
  const last = list?.at(-1);
  if (last === undefined) throw new Error('nothing there');
  return last;
}

async function stolenWithText(who: Member, roomId: string) {
  const stolen = await Stolen.from(who, roomId);
  return { identity: stolen.identity, core: stolen.core, text: stolen.text('once and no more') };
}
