/** Clients and relays of another version beside ours: G16, W11. Unknown parts are shown as such, and harm nobody. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  encodeFrame,
  FRAME_EVENT,
  FRAME_TYPES,
  LINK_VERSION,
  PROTOCOL_VERSION,
  type AnyContent,
  type SessionMessage,
} from '@0fc/protocol';
import { startRelay, type RunningRelay } from '../../../apps/relay/src/start.js';
import { Member, value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { Peer } from '../../integration/relay-peer.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { idOf, namesIn, Stage } from '../stage.js';

const members: Member[] = [];
let relay: RunningRelay;
beforeAll(async () => {
  const environment = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', METRICS_PORT: '0' };
  relay = await startRelay({ environment: { ...environment, HANDSHAKE_MS: '60000' }, inMemory: true });
});
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.remove()));
});
afterAll(() => relay.stop());

async function member(name: string): Promise<Member> {
  const made = await Member.create(name, relay.url);
  members.push(made);
  return made;
}

/** Two with their clients, and a third of whom there is the link of a later version and no more. */
async function withLater(): Promise<{
  owner: Member;
  ines: Member;
  roomId: string;
  later: Peer;
  stolen: Stolen;
}> {
  const owner = await member('Amina');
  const roomId = await owner.createRoom('Rive droite', 100);
  const [ines, tomas] = [await member('Inès'), await member('Tomás')];
  for (const guest of [ines, tomas]) {
    value(await guest.api.join((await owner.invite(roomId)).link, guest.name));
    await guest.admitted(roomId);
  }
  await until('all to see each other', () =>
    [owner, ines, tomas].every((who) => who.room?.members.every(({ name }) => name !== '')),
  );
  await until('nothing to be on its way', () => namesIn(tomas).length === 3);
  await tomas.leave();
  const stolen = await Stolen.from(tomas, roomId);
  const later = await Peer.connect(relay, stolen.identity);
  const { roomId: id, position: after } = stolen.core;
  await later.request('open', { roomId: id, after, head: null, epoch: 1 });
  return { owner, ines, roomId, later, stolen };
}

/** What a request ends in. */
async function endOf(answer: Promise<unknown> | undefined): Promise<string> {
  try {
    await answer;
    return 'reply';
  } catch (error) {
    return (error as { code?: string }).code ?? 'UNTYPED';
  }
}

describe('a member whose client is of a later version', () => {
  test('W11 is read as far as it is understood: the rest “needs a newer client”, and nothing else breaks', async () => {
    const { owner, ines, roomId, later, stolen } = await withLater();
    const { id } = value(await owner.api.sendText(roomId, 'in our version'));
    await ines.has('in our version');
    const core = (await Stolen.from(owner, roomId)).core;
    const to = { sender: idOf(owner), instance: core.instance, n: core.nextN - 1 };
    const unknown: readonly AnyContent[] = [
      { type: 'poll', question: 'when?', answers: ['now', 'later'] },
      { type: 'text', text: 'in red', colour: 'red' },
      { type: 'text', text: 17 },
      { type: 'reply', to: { ...to, thread: 3 }, text: 'in a thread' },
      { type: 'edit', to, text: 'not yours', because: 'I can' },
      { type: 'delete', to, silently: true },
      { type: 'profile', name: 'Amina', picture: new Uint8Array(40) },
      { type: 'roomName', name: 'Rive gauche', colour: 'red' },
      { type: 'readMarker', position: { g: 1, s: 1, line: 4 } },
      { type: 'verify' },
    ];
    const known: readonly AnyContent[] = [{ type: 'text', text: 'and in yours' }];
    const messages = [...unknown, ...known].map((content, at) => {
      const { clear, payload } = stolen.message(content, { n: stolen.core.nextN + at });
      return { clear, payload };
    });
    expect((await later.request('append', { messages })).placed).toHaveLength(messages.length);
    const all = [owner, ines];
    await Promise.all(all.map((who) => who.has('and in yours')));
    for (const who of all) {
      const lines = who.messages.filter(({ sender }) => sender === stolen.me);
      expect(lines.map(({ unsupported }) => unsupported)).toEqual([...unknown.map(() => true), false]);
      expect(lines.map(({ text }) => text)).toEqual([...unknown.map(() => ''), 'and in yours']);
      expect(who.messages.find((message) => message.id === id)).toMatchObject({
        text: 'in our version', edited: false, deleted: false, reactions: [],
      }); // prettier-ignore
      expect([...namesIn(who)].sort()).toEqual(['Amina', 'Inès', 'Tomás']);
      expect(who.room?.name).toBe('Rive droite');
    }
    // Such a line is answered, marked and taken back as any other.
    const [poll] = ines.messages.filter(({ sender }) => sender === stolen.me);
    value(await ines.api.reply(roomId, poll!.id, 'what is that?'));
    value(await ines.api.react(roomId, poll!.id, '👀', true));
    await owner.has('what is that?');
    const n = stolen.core.nextN;
    const target = { sender: stolen.me, instance: stolen.core.instance, n };
    const gone = stolen.message({ type: 'delete', to: target }, { n: n + messages.length });
    await later.request('append', { messages: [{ clear: gone.clear, payload: gone.payload }] });
    await until('it to be taken back', () => owner.messages.some(({ deleted }) => deleted));
    expect(all.flatMap(({ alarms }) => alarms)).toEqual([]);
    expect(all.map(({ room }) => room?.connection)).toEqual(['connected', 'connected']);
    later.leave();
  });

  test('W11 is answered with a typed error, or loses its own link, whatever it asks, and nobody else notices', async () => {
    const { owner, ines, roomId, later, stolen } = await withLater();
    const { clear, payload } = stolen.text('as it should be');
    const asked: readonly (readonly [string, Record<string, unknown>, string])[] = [
      ['poll', {}, 'UNKNOWN_KIND'],
      ['append2', { messages: [{ clear, payload }] }, 'UNKNOWN_KIND'],
      ['append', { messages: [{ clear, payload }], urgent: true }, 'MALFORMED'],
      ['append', { messages: [{ clear, payload, urgent: true }] }, 'MALFORMED'],
      ['append', { messages: [[clear, payload]] }, 'MALFORMED'],
      ['ack', { position: { g: 1, s: 1, line: 4 } }, 'MALFORMED'],
      ['ack', { position: [1, 1] }, 'MALFORMED'],
      ['signal', { epoch: 1, payload, urgent: true }, 'MALFORMED'],
      ['chain', {}, 'MALFORMED'],
    ];
    // All in one frame: one that is not understood takes none of the others with it.
    const answers = later.raw(...asked.map(([kind, body]) => ({ kind, body })), {
      kind: 'append',
      body: { messages: [{ clear, payload }] },
    });
    expect(await Promise.all(answers.map(endOf))).toEqual([...asked.map(([, , code]) => code), 'reply']);
    await Promise.all([owner, ines].map((who) => who.has('as it should be')));

    // Messages that only a relay sends, a message of no shape, a frame of another version, a frame of another type.
    const messages: readonly SessionMessage[] = [
      { e: 'hello', body: { version: 2 } },
      { r: 1, body: {} },
    ];
    const frames = [encodeFrame(FRAME_TYPES.session, new Uint8Array(80)), new Uint8Array(80).fill(9)];
    frames[0]![0] = LINK_VERSION + 1;
    for (const ending of [...messages, ...frames]) {
      const peer = await Peer.connect(relay, stolen.identity);
      await peer.request('open', {
        roomId: stolen.core.roomId,
        after: stolen.core.position,
        head: null,
        epoch: 1,
      });
      const frame = ending instanceof Uint8Array ? ending : peer.link.seal([ending]);
      peer.socket.emit(FRAME_EVENT, Buffer.from(frame));
      await peer.gone();
      // Where the session stands, it says why.
      if (!(ending instanceof Uint8Array)) expect(peer.closing).toBe('MALFORMED');
    }
    await owner.say(roomId, 'did you hear anything?');
    await ines.has('did you hear anything?');
    expect([owner, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
    expect([owner, ines].map(({ room }) => room?.connection)).toEqual(['connected', 'connected']);
  });
});

describe('a relay of a later version', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(openHurried);
  });
  afterEach(() => stage.dismiss());
  afterAll(() => stage.close());

  test('W11 is named by its hello, costs nothing, is asked again, and goes on by itself with one of its own', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.say(roomId, 'before');
    await owner.has('before');
    stage.relay.onEvent('hello', (client, body) =>
      client.memberId === idOf(tomas) ? { ...body, version: PROTOCOL_VERSION + 1 } : undefined,
    );
    stage.relay.cut(idOf(tomas));
    await until('it to be named', () => tomas.room?.stopped?.code === 'UNSUPPORTED_VERSION');
    expect(tomas.room?.stopped?.resumes).toBe(true);
    const hellos = (): number => stage.relay.events('hello', idOf(tomas)).length;
    const [asked, greeted] = [stage.relay.requests('open', idOf(tomas)).length, hellos()];
    value(await tomas.api.sendText(roomId, 'meanwhile'));
    await owner.say(roomId, 'and here');
    await stage.byItself('another attempt', [tomas], () => hellos() > greeted + 1);
    expect(stage.relay.requests('open', idOf(tomas))).toHaveLength(asked);
    expect(tomas.texts).toEqual(['before']);
    stage.relay.honest();
    await stage.arrives([owner, tomas], 'meanwhile', 'and here');
    await stage.goesOn(roomId, [owner, tomas], 'after it,');
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('W11 an event that is not known is passed over, and what is not of our shape ends that link and nothing more', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'here to stay');
    await tomas.has('here to stay');
    const me = idOf(tomas);
    const { core } = await Stolen.from(owner, roomId);
    const opened = () => stage.relay.requests('open', me).length;
    const before = opened();
    stage.relay.tell(me, 'poll' as never, { question: 'when?' } as never);
    await owner.say(roomId, 'on the same link');
    await tomas.has('on the same link');
    expect(opened()).toBe(before);
    const { position } = core;
    const next = { g: position.g, s: position.s + 1 };
    const entry = entryAt(next, 'poll' as never, idOf(owner), { payload: new Uint8Array(64) });
    const lies: readonly (readonly [string, Record<string, unknown>])[] = [
      ['entries', { entries: [entry] }],
      ['entries', { entries: [{ ...entryAt(next, 'message', idOf(owner), { payload: new Uint8Array(64) }), pinned: true }] }],
      ['generation', { generation: 2, from: position, why: 'a failover' }],
      ['hello', { version: 2 }],
    ]; // prettier-ignore
    for (const [kind, body] of lies) {
      const links = opened();
      stage.relay.tell(me, kind as never, body as never);
      await until('another link', () => opened() > links);
      await tomas.live();
    }
    await owner.say(roomId, 'and on');
    await tomas.has('here to stay', 'on the same link', 'and on');
    expect(tomas.texts).toEqual(['here to stay', 'on the same link', 'and on']);
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
    expect(opened()).toBe(before + lies.length);
  });
});
