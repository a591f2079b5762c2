/** What the first implementation got wrong about who may say what, and in which order: W3, W4, W5, W11, W14, W15. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { REQUEST_KINDS, type Entry } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { Peer } from '../../integration/relay-peer.js';
import { Stolen } from '../members/stolen.js';
import { anyBodies } from '../members/any-bodies.js';
import { codeOf, epochOf, failureOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('W3: who somebody is', () => {
  test('W3 is what the session proved: a stranger drains no log, admits nobody, and is not the owner', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.say(roomId, 'not for strangers');
    await owner.has('not for strangers');
    const { core, roster } = await Stolen.from(owner, roomId);
    const stranger = await Peer.connect(stage.relay);
    const open = { roomId: core.roomId, after: null, head: roster.head, epoch: 1 };
    expect(await stranger.refusal('open', open)).toBe('ROOM_UNKNOWN');
    for (const [kind, body] of anyBodies({ roomId: core.roomId, head: roster.head })) {
      if (['create', 'claim', 'restore', 'open'].includes(kind)) continue;
      expect(['NOT_BOUND', 'FORBIDDEN', 'ALREADY_BOUND', 'BAD_ENTRY']).toContain(
        await refusalOf(stranger, kind, body),
      );
    }
    expect(stranger.entries).toEqual([]);
    expect(stage.relay.entriesTo(stranger.memberId)).toEqual([]);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
    stranger.leave();
  });
});

describe('W4: a member that writes as another', () => {
  test('W4 is not believed, not even with the relay’s help, and the room’s own words are no text', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await tomas.leave();
    const stolen = await Stolen.from(tomas, roomId);
    const forger = await Peer.connect(stage.relay, stolen.identity);
    await forger.request('open', {
      roomId: stolen.core.roomId,
      after: stolen.core.position,
      head: null,
      epoch: 1,
    });
    // The relay names the owner as the sender of all that the forger sends.
    stage.relay.onEntries((_, entries) =>
      entries.map((entry) => (entry.sender === stolen.me ? { ...entry, sender: idOf(owner) } : entry)),
    );
    await forger.request('append', {
      messages: [
        stolen.text('I, the owner, say so', { sender: idOf(owner) }),
        stolen.text('relabelled by the relay alone', { n: stolen.core.nextN + 1 }),
      ],
    });
    await stage.alarm(ines, 'ALARM_BAD_SIGNATURE');
    await stage.alarm(owner, 'ALARM_BAD_SIGNATURE');
    stage.relay.honest();
    await forger.request('append', {
      messages: [stolen.text('I, the owner, say so too', { sender: idOf(owner) })],
    });
    await forger.request('append', {
      messages: [stolen.text('Amina was removed', { n: stolen.core.nextN + 2 })],
    });
    await ines.has('Amina was removed');
    expect(ines.messages.map(({ text, senderName }) => [text, senderName])).toEqual([
      ['Amina was removed', 'Tomás'],
    ]);
    expect(ines.items.filter((item) => item.type === 'system' && item.event === 'removed')).toEqual([]);
    forger.leave();
  });

  test('W4 a name that looks like another’s is shown with the key’s fingerprint', async () => {
    const { owner, tomas, roomId } = await stage.two();
    value(await tomas.api.renameMe(roomId, 'Аmina')); // its first letter is Cyrillic
    await until('the name', () => namesIn(owner).includes('Аmina'));
    await tomas.say(roomId, 'who am I?');
    await owner.has('who am I?');
    const [line] = owner.messages;
    expect(line).toMatchObject({ confusable: true, senderName: 'Аmina' });
    expect(line?.fingerprint).toBe(
      owner.room?.members.find(({ memberId }) => memberId === idOf(tomas))?.fingerprint,
    );
  });
});

describe('W5: replay, order, loss', () => {
  test('W5 a line that is told twice is shown once', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let again: Entry | null = null;
    stage.relay.onEntries((client, entries) => {
      if (client.memberId !== idOf(tomas)) return undefined;
      return entries.map((entry) => {
        if (again !== null) return { ...again, position: entry.position };
        if (entry.kind === 'message') again = entry;
        return entry;
      });
    });
    await owner.say(roomId, 'pay him once');
    await tomas.has('pay him once');
    await owner.say(roomId, 'in whose place it is told again');
    await owner.has('in whose place it is told again');
    await stage.level([owner, tomas]);
    expect(tomas.texts).toEqual(['pay him once']);
    stage.relay.honest();
    await owner.say(roomId, 'third');
    // The line that was put away: its counter is missing, and the histories differ.
    await stage.alarm(tomas, 'ALARM_MESSAGE_GAP');
    await stage.alarm(tomas, 'ALARM_FORK');
  });

  test('W5 two lines in another order, or one withheld, are noticed at the next', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const kept: Entry[] = [];
    stage.relay.onEntries((client, entries) => {
      if (client.memberId !== idOf(ines)) return undefined;
      return entries.flatMap((entry) => {
        if (entry.kind !== 'message' || kept.length > 1) return [entry];
        kept.push(entry);
        const [first, second] = kept;
        if (first === undefined || second === undefined) return [];
        return [
          { ...second, position: first.position },
          { ...first, position: second.position },
        ];
      });
    });
    await owner.say(roomId, 'shall we go?');
    await tomas.has('shall we go?');
    await tomas.say(roomId, 'yes');
    await owner.has('yes');
    await ines.has('yes', 'shall we go?');
    await owner.say(roomId, 'good');
    await ines.has('good');
    await stage.alarm(ines, 'ALARM_FORK');
  });
});

describe('W11: every request in every state', () => {
  test('W11 ends in a reply or a typed error, and nobody else notices', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const stolen = await Stolen.from(tomas, roomId);
    await tomas.leave();
    const room = { roomId: stolen.core.roomId, head: stolen.roster.head };
    const bodies = anyBodies(room);
    expect(bodies.map(([kind]) => kind).sort()).toEqual([...REQUEST_KINDS].sort());
    for (const bind of [false, true]) {
      for (const identity of [generateKeyPair(), stolen.identity]) {
        for (const [kind, body] of bodies) {
          const peer = await Peer.connect(stage.relay, identity);
          if (bind) await peer.refusal('open', { roomId: room.roomId, after: null, head: null, epoch: 0 });
          // Repeated, empty, and with a field too many: none is a reason to fall silent.
          for (const one of [body, body, {}, { ...body, surplus: 1 }]) {
            expect(await refusalOf(peer, kind, one)).toMatch(/^(reply|[A-Z_]+)$/);
          }
          peer.leave();
        }
      }
    }
    expect(stage.relay.failures).toEqual([]);
    expect(
      stage.relay.seen.some(({ message }) => 'error' in message && message.error.code === 'INTERNAL'),
    ).toBe(false);
    await owner.say(roomId, 'undisturbed');
    await owner.has('undisturbed');
    expect(owner.alarms).toEqual([]);
  });

  test('W11 a client that is refused everything goes on once it is not', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const codes = ['INTERNAL', 'TRY_AGAIN', 'RATE_LIMITED', 'STORE_FULL'];
    let refused = 0;
    stage.relay.onFromClient(() => ({ refuse: codes[refused++ % codes.length] ?? 'INTERNAL' }));
    await tomas.say(roomId, 'at last');
    stage.relay.cut();
    await until('each to be refused twice', () => refused >= 2 * codes.length);
    stage.relay.honest();
    await owner.has('at last');
    await Promise.all([owner.live(), tomas.live()]);
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

describe('W14: once, in one place', () => {
  test('W14 one’s own lines come once, and a second client of one key makes the first one say so', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.say(roomId, 'mine');
    await Promise.all([owner.has('mine'), tomas.has('mine')]);
    expect(tomas.texts).toEqual(['mine']);
    const { identity, core } = await Stolen.from(tomas, roomId);
    const twin = await Peer.connect(stage.relay, identity);
    await twin.request('open', { roomId: core.roomId, after: core.position, head: null, epoch: 1 });
    await until('the first to be in use elsewhere', () => tomas.room?.stopped?.code === 'REPLACED');
    value(await tomas.api.resumeRoom(roomId));
    await tomas.live();
    await twin.gone();
    expect(tomas.texts).toEqual(['mine']);
    expect(tomas.alarms).toEqual([]);
  });

  test('W14 a newcomer’s history begins with a rotation that it can open', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await tomas.say(roomId, 'before its time');
    await owner.has('before its time');
    value(await owner.api.rotateNow(roomId));
    await owner.say(roomId, 'since then');
    const ines = await stage.joined(owner, roomId, 'Inès');
    await ines.has('since then');
    expect(ines.texts).toEqual(['since then']);
    expect(ines.alarms).toEqual([]);
    expect(stage.relay.entriesTo(idOf(ines)).every(({ position }) => position.s > 3)).toBe(true);
  });
});

describe('W15: what was missing', () => {
  test('W15 an invite outlives its owner’s absence, and both sides say whom they mean', async () => {
    const { owner, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    await owner.leave();
    const ines = await stage.member('Inès');
    value(await ines.api.join(link, 'Inès'));
    await until('the request to wait', () => ines.app?.joins[0]?.current === 'ownerReply');
    await owner.comeBack(roomId);
    await ines.admitted(roomId);
    const [mine, theirs] = [
      value(await ines.api.safetyNumber(roomId, idOf(owner))),
      value(await owner.api.safetyNumber(roomId, idOf(ines))),
    ];
    expect(mine.digits).toBe(theirs.digits);
  });

  test('W15 a confirmation that the relay makes up ends the join, with a new key', async () => {
    const { owner, roomId } = await stage.two();
    stage.relay.onRequest('joinConfirm', (_, body) => ({
      instead: { ...body, payload: new Uint8Array(120).fill(7) },
    }));
    const ines = await stage.member('Inès');
    value(await ines.api.join((await owner.invite(roomId)).link, 'Inès'));
    await until('the join to fail', () => failureOf(ines) === 'JOIN_DROPPED');
    await until('a key that the half-joined does not have', () => epochOf(owner) === 2);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
    expect(stage.relay.requests('joinDrop').at(-1)?.body.reason).toBe('badConfirm');
  });

  test('W15 with approval nobody is answered before the owner has said so', async () => {
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100, true);
    const ines = await stage.member('Inès');
    value(await ines.api.join((await owner.invite(roomId)).link, 'Inès'));
    const approval = await until('the question', () => owner.room?.approvals[0]);
    expect(approval.name).toBe('Inès');
    expect(stage.relay.requests('joinReply')).toHaveLength(
      stage.relay.requests('joinReply').filter(({ memberId }) => memberId !== idOf(owner)).length,
    );
    value(await owner.api.decideJoin(roomId, approval.inviteId, false));
    await until('the join to end', () => failureOf(ines) === 'JOIN_DECLINED');
    expect(stage.relay.requests('joinReply', idOf(owner))).toEqual([]);
  });

  test('W15 removal, leaving and hand-over are signed by who may', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    expect(codeOf(await tomas.api.removeMember(roomId, idOf(ines)))).toBe('NOT_OWNER');
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await until('the offer', () => tomas.room?.ownershipTransfer?.role === 'offered');
    value(await tomas.api.acceptOwnership(roomId));
    await until('the new owner’s key', () => [owner, tomas, ines].every((who) => epochOf(who) === 2));
    value(await owner.api.leaveRoom(roomId));
    await until('the old owner to have left', () => stageOf(owner, roomId) === 'left');
    value(await tomas.api.removeMember(roomId, idOf(ines)));
    await until('the removed to know', () => stageOf(ines, roomId) === 'removed');
    await until('nobody else', () => tomas.room?.members.length === 1);
    expect([owner, tomas, ines].flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

/** The code of a refusal, or 'reply'. */
async function refusalOf(peer: Peer, kind: string, body: Record<string, unknown>): Promise<string> {
  const [answer] = peer.raw({ kind, body });
  try {
    await answer;
    return 'reply';
  } catch (error) {
    return (error as { code?: string }).code ?? 'UNTYPED';
  }
}
