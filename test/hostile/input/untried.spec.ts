/** Bad input of kinds that lie beside the protocol's own messages: keys, devices, names, sizes, and what comes after the end. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { displayName, LIMITS, type Bytes, type Entry } from '@0fc/protocol';
import { sealMessage, signBody } from '@0fc/crypto/keys';
import { nodeRandom } from '@0fc/crypto/node';
import { exported } from '../../support/exported.js';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { anyBodies } from '../members/any-bodies.js';
import { memberByLink, type HandMember } from '../members/by-link.js';
import { Stolen } from '../members/stolen.js';
import { sealAnything, withLoneSurrogate } from '../members/unchecked.js';
import { OwnerHand } from '../random/owner-hand.js';
import { codeOf, epochOf, idOf, Stage, stageOf, troubleOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const textBy = (
  { identity, roomId, epoch, roomKey, peer }: HandMember,
  text: string,
  n: number,
  instance: Bytes,
) => {
  const seen = { position: { g: 1, s: 1 }, t: nodeRandom.bytes(32) };
  const body = {
    roomId, epoch, sender: peer.memberId, instance, n, mid: nodeRandom.bytes(16), seen, sentAt: Date.now(),
    content: { type: 'text', text },
  } as const; // prettier-ignore
  return sealMessage({ identity, roomKey, body });
};

describe('one key in two rooms', () => {
  test('G3 G4 one key in two rooms admits nothing from the one to the other: no line, no request to leave, no safety number', async () => {
    const owner = await stage.member('Amina');
    const one = await owner.createRoom('Rive droite', 100);
    const { link: first } = await owner.invite(one);
    const two = value(
      await owner.api.createRoom({
        name: 'Rive gauche',
        displayName: 'Amina',
        rotateEvery: 100,
        approval: false,
      }),
    ).roomId;
    await owner.watch(two);
    await owner.live();
    const { link: second } = await owner.invite(two);
    const here = await memberByLink(stage.relay, first);
    const there = await memberByLink(stage.relay, second, { identity: here.identity });
    expect(there.peer.memberId).toBe(here.peer.memberId);
    const { memberId } = here.peer;
    await until('both admissions', () => owner.room?.members.some((member) => member.memberId === memberId));
    const numbers = await Promise.all(
      [one, two].map(async (roomId) => value(await owner.api.safetyNumber(roomId, memberId)).digits),
    );
    expect(new Set(numbers).size).toBe(2);

    const instance = nodeRandom.bytes(16);
    const spoken = textBy(here, 'said on the right bank', 1, instance);
    await here.peer.request('append', { messages: [{ clear: spoken.clear, payload: spoken.payload }] });
    // The very bytes, and its words signed for the one room under the other's key.
    await there.peer.request('append', { messages: [{ clear: spoken.clear, payload: spoken.payload }] });
    const moved = textBy({ ...there, roomId: one as typeof there.roomId }, 'carried over', 1, instance);
    await there.peer.request('append', { messages: [{ clear: moved.clear, payload: moved.payload }] });
    const own = textBy(there, 'said on the left bank', 2, instance);
    await there.peer.request('append', { messages: [{ clear: own.clear, payload: own.payload }] });
    await owner.has('said on the left bank');
    expect(owner.texts).toEqual(['said on the left bank']);
    const leaves = signBody(here.identity, 'leaveRequest', {
      roomId: here.roomId, member: memberId, admit: nodeRandom.bytes(32),
    }); // prettier-ignore
    expect(await there.peer.refusal('leaveRequest', { request: leaves })).toBe('BAD_ENTRY');

    // Removed from the one, it stays in the other.
    value(await owner.api.removeMember(two, memberId));
    await stage.byItself('the removal', [owner], () => epochOf(owner) === 2);
    await owner.watch(one);
    await owner.has('said on the right bank');
    expect(owner.room?.members.map((member) => member.memberId)).toContain(memberId);
    here.peer.leave();
    there.peer.leave();
  });
});

describe('the owner’s identity on two devices', () => {
  test('G16 the owner’s identity on two devices at once: one at a time is the owner, each in its turn can act, and no member is stopped', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const passphrase = 'a passphrase of the export alone';
    const file = await exported(owner.api, passphrase);
    const second = await stage.member('Amina elsewhere');
    value(await second.api.eraseVault());
    value(await second.api.importVault(file, passphrase, second.passphrase));
    await second.watch(roomId);
    const both = [owner, second];
    for (let turn = 0; turn < 3; turn++) {
      const [active, other] = turn % 2 === 0 ? [second, owner] : [owner, second];
      if (turn > 0) value(await active.api.resumeRoom(roomId));
      await active.live();
      await stage.byItself('the other to give way', both, () => troubleOf(other) === 'REPLACED');
      const text = `turn ${String(turn)}`;
      await active.say(roomId, text);
      await stage.arrives([active, tomas], text);
      const epoch = epochOf(active);
      value(await active.api.rotateNow(roomId));
      await stage.byItself('the next key', [active, tomas], () => epochOf(tomas) === epoch + 1);
      await stage.goesOn(roomId, [tomas], `after turn ${String(turn)},`);
    }
    const dora = await stage.joined(second, roomId, 'Dora');
    await stage.goesOn(roomId, [second, tomas, dora], 'among three,');
    expect(troubleOf(tomas)).toBeUndefined();
    expect(
      tomas.messages
        .filter(({ text }) => text.startsWith('turn'))
        .every(({ sender }) => sender === idOf(owner)),
    ).toBe(true);
  });
});

const ODD = {
  empty: '',
  'of 64 KiB': 'x'.repeat(65_536),
  'of spaces': '   \u00a0\u2003 ',
  'of combining marks': '\u0301\u0327\u20dd',
  'of what is not seen': '\u200b\ufeff\u2060',
  'with a bidi override': 'Rive \u202etiord',
  'with control characters': 'Rive\u0000 droite\u001b[2J',
  'with half a character': 'Rive \ud83d',
  'as long as a name may be': 'é'.repeat(LIMITS.nameChars),
  'of a field’s name': '__proto__',
} as const;

describe('a room’s name', () => {
  test.each(Object.entries(ODD))(
    'G3 a room’s name %s, typed: refused, or the same for everybody, now and later',
    async (_, name) => {
      const owner = await stage.member('Amina');
      const made = await owner.api.createRoom({
        name,
        displayName: 'Amina',
        rotateEvery: 100,
        approval: false,
      });
      if (!made.ok) {
        expect(made.error.code).toMatch(/^NAME_(EMPTY|INVISIBLE|TOO_LONG)$/);
        expect(owner.app?.rooms).toEqual([]);
        return;
      }
      const { roomId } = made.value;
      await owner.watch(roomId);
      await owner.live();
      const tomas = await stage.joined(owner, roomId, 'Tomás');
      await stage.byItself(
        'the name',
        [owner, tomas],
        () => tomas.room?.name !== '' && tomas.room?.name === owner.room?.name,
      );
      const shown = tomas.room?.name ?? '';
      expect(displayName(shown)).toBe(shown);
      await tomas.leave();
      await tomas.comeBack(roomId);
      await stage.byItself('the name again', [tomas], () => tomas.room?.name === shown);
    },
  );

  test('G3 G14 a room’s name of every odd kind, by the owner’s own hand, is drawn without what is not seen, or not at all', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(owner, roomId);
    const both = [tomas, ines];
    let n = stolen.core.nextN;
    for (const [kind, name] of Object.entries(ODD)) {
      const before = tomas.room?.name;
      const content = { type: 'roomName', name: name.toWellFormed() };
      const sealed =
        kind === 'with half a character'
          ? sealAnything(stolen, { n, content }, withLoneSurrogate)
          : sealAnything(stolen, { n, content });
      n += 1;
      // What is larger than a message may be is refused by the relay, and reaches nobody.
      const refusal = await peer.refusal('append', { messages: [sealed] });
      if (kind === 'of 64 KiB') expect(refusal).not.toBeNull();
      await stage.goesOn(roomId, both, `after a name ${kind},`);
      const fits = name !== '' && name.length <= LIMITS.nameChars && name.isWellFormed();
      expect([displayName(name), before]).toContain(tomas.room?.name);
      if (fits && displayName(name) !== '') expect(tomas.room?.name).toBe(displayName(name));
      expect(ines.room?.name).toBe(tomas.room?.name);
    }
    for (const who of both) {
      await who.leave();
      await who.comeBack(roomId);
    }
    await stage.goesOn(roomId, both, 'after a restart,');
    peer.leave();
  });
});

describe('a join reply', () => {
  /** Of so many names, each the same signed one over and over: more than one reply of a small room holds. */
  async function answered(
    profiles: number,
  ): Promise<{ bytes: number; dora: Member; tomas: Member; roomId: string }> {
    const { owner, tomas, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    const hand = await OwnerHand.of(owner, roomId, stage.relay);
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    const [asked] = await until('her request', async () => {
      const all = await hand.asked();
      return all.length > 0 ? all : null;
    });
    const { bytes, body } = await hand.replyTo(asked!, profiles);
    await hand.peer.request('joinReply', body);
    await until('her confirmation', () =>
      hand.peer.told('join').some(({ confirm }) => confirm !== undefined),
    );
    expect(await hand.pass('roster', { entry: hand.admitOf(asked!) })).toBe('done');
    await dora.admitted(roomId);
    hand.peer.leave();
    return { bytes, dora, tomas, roomId };
  }

  test.each([200, 500])(
    'G14 a join reply above 64 KiB, of %d names, brings the joiner in as any other does',
    async (profiles) => {
      const { bytes, dora, tomas, roomId } = await answered(profiles);
      expect(bytes).toBeGreaterThan(65_536);
      await stage.goesOn(roomId, [dora, tomas], 'after the join,');
      expect(dora.room?.members.map(({ name }) => name).sort()).toEqual(['Amina', 'Dora', 'Tomás']);
      await dora.leave();
      await dora.comeBack(roomId);
      await stage.goesOn(roomId, [dora, tomas], 'after a restart,');
    },
  );
});

describe('after a room is closed', () => {
  test('G11 G14 after the closing an honest relay takes nothing more from anybody', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { peer, stolen } = await stage.byHand(tomas, roomId);
    const { head } = stolen.roster;
    value(await owner.api.closeRoom(roomId));
    await stage.byItself('the end', [owner], () => stageOf(owner, roomId) === 'closed');
    const again = peer.closed === null ? peer : await stage.peer(stolen.identity);
    const bodies = anyBodies({ roomId: stolen.core.roomId, head }).filter(
      ([kind]) => kind !== 'create' && kind !== 'open',
    );
    for (const [kind, body] of [...bodies, ['append', { messages: [stolen.text('late')] }] as const]) {
      const [answer] = again.raw({ kind, body });
      const code = await answer!.then(
        () => 'done',
        (error: unknown) => (error as { code?: string }).code ?? 'UNTYPED',
      );
      expect([kind, code]).toEqual([kind, expect.stringMatching(/^[A-Z_]+$/)]);
    }
    expect(stage.relay.failures).toEqual([]);
    again.leave();
    value(await owner.api.forgetRoom(roomId));
  });

  test('G11 G14 after the closing, whatever a relay goes on sending, entries and pushes, is neither shown nor in the way of forgetting', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const thief = await Stolen.from(ines, roomId);
    const [tomasId, inesId] = [idOf(tomas), idOf(ines)];
    let added = 0;
    stage.relay.onEntries((client, entries) => {
      if (client.memberId !== tomasId) return undefined;
      const last = entries.at(-1);
      if (last?.kind !== 'roster') return undefined;
      added += 1;
      const { clear, payload } = thief.text('after the end', { n: thief.core.nextN + 50 });
      const position = { ...last.position, s: last.position.s + 1 };
      const late: Entry = { position, kind: 'message', sender: inesId, time: Date.now(), clear, payload };
      return [...entries, late];
    });
    const at = { g: 2, s: 0 };
    stage.relay.onToClient((client, message) => {
      if (client.memberId !== tomasId || added === 0) return undefined;
      const push = (kind: string, body: Record<string, unknown>) => ({ e: kind, body });
      return [
        message,
        push('signalled', { sender: inesId, epoch: 1, payload: thief.presence() }),
        push('keyNeeded', { from: inesId, request: nodeRandom.bytes(200) }),
        push('keyGranted', { from: idOf(owner), grant: nodeRandom.bytes(200), news: nodeRandom.bytes(200) }),
        push('transferOffered', { from: idOf(owner), offer: nodeRandom.bytes(200) }),
        push('generation', { generation: 2, from: at }),
      ];
    });
    await tomas.say(roomId, 'before the end');
    await stage.arrives([owner, tomas, ines], 'before the end');
    value(await owner.api.closeRoom(roomId));
    const all = [owner, tomas, ines];
    await stage.byItself('the end', all, () => all.every((who) => stageOf(who, roomId) === 'closed'));
    expect(added).toBeGreaterThan(0);
    expect(tomas.texts).toEqual(['before the end']);
    expect(codeOf(await tomas.api.sendText(roomId, 'too late'))).not.toBe('done');
    await tomas.leave();
    await tomas.comeBack(roomId);
    expect(tomas.texts).toEqual(['before the end']);
    expect(stageOf(tomas, roomId)).toBe('closed');
    for (const who of all) {
      value(await who.api.forgetRoom(roomId));
      await stage.byItself('nothing of the room', [who], () => stageOf(who, roomId) === undefined);
    }
  });
});
