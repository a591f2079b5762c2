/**
 * What happens to a room after its first day, through a real relay process and real Themis: removal,
 * departure, hand-over, settings, closing, talk beyond text, and who is here.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Member, value } from '../support/member.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

let relay: RelayProcess;
const members: Member[] = [];

async function member(name: string): Promise<Member> {
  const made = await Member.create(name, relay.url);
  members.push(made);
  return made;
}

async function joined(owner: Member, roomId: string, name: string): Promise<Member> {
  const guest = await member(name);
  value(await guest.api.join((await owner.invite(roomId)).link, name));
  await guest.admitted(roomId);
  return guest;
}

/** An owner and two members. */
async function three(): Promise<{ owner: Member; tomas: Member; ines: Member; roomId: string }> {
  const owner = await member('Amina');
  const roomId = await owner.createRoom('Rive droite', 100);
  const tomas = await joined(owner, roomId, 'Tomás');
  const ines = await joined(owner, roomId, 'Inès');
  await until('all to see three', () => [owner, tomas, ines].every((who) => who.room?.members.length === 3));
  return { owner, tomas, ines, roomId };
}

const idOf = (who: Member): string => who.room?.me ?? '';
const stageOf = (who: Member, roomId: string): string | undefined =>
  who.app?.rooms.find((room) => room.roomId === roomId)?.stage;
const noAlarms = (...all: readonly Member[]): void => {
  expect(all.flatMap(({ alarms }) => alarms)).toEqual([]);
};

beforeAll(async () => {
  relay = await RelayProcess.start();
});

afterAll(async () => {
  await Promise.all(members.map((made) => made.remove()));
  await relay.remove();
});

describe('a removal', () => {
  test('brings a new key at once, and the removed member reads nothing after it (G10)', async () => {
    const { owner, tomas, ines, roomId } = await three();
    await owner.say(roomId, 'before');
    await Promise.all([tomas.has('before'), ines.has('before')]);
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await until('the removed to know', () => stageOf(tomas, roomId) === 'removed');
    await until('the others to have the new key', () =>
      [owner, ines].every((who) => who.room?.key?.epoch === 2),
    );
    await owner.say(roomId, 'after');
    await ines.say(roomId, 'after too');
    await Promise.all([owner.has('after', 'after too'), ines.has('after', 'after too')]);
    expect(tomas.texts).toEqual(['before']);
    expect(await tomas.api.sendText(roomId, 'still here?')).toMatchObject({
      ok: false,
      error: { code: 'NOT_MEMBER' },
    });
    await until(
      'the owner to see that Inès has taken it in',
      () => owner.room?.members.find(({ memberId }) => memberId === idOf(ines))?.receipt === 'log',
    );
    await until('the link to be no concern of who has no room', () => tomas.app?.relay.state === 'connected');
    // The removed stays removed, also after coming back, and may clear the room away.
    await tomas.leave();
    await tomas.comeBack(roomId);
    expect(stageOf(tomas, roomId)).toBe('removed');
    value(await tomas.api.forgetRoom(roomId));
    await until('the room to be forgotten', () => stageOf(tomas, roomId) === undefined);
    noAlarms(owner, ines);
  });

  test('of an absent member is served to it with its proof, and nothing that came later', async () => {
    const { owner, tomas, ines, roomId } = await three();
    await tomas.leave();
    value(
      await owner.api.removeMember(
        roomId,
        owner.room?.members.find(({ name }) => name === 'Tomás')?.memberId ?? '',
      ),
    );
    await until('two members', () => owner.room?.members.length === 2);
    await ines.say(roomId, 'without Tomás');
    await owner.has('without Tomás');
    await tomas.comeBack();
    await until('the removed to know', () => stageOf(tomas, roomId) === 'removed');
    await tomas.watch(roomId);
    expect(tomas.texts).toEqual([]);
    noAlarms(owner, tomas, ines);
  });

  test('that may not be is a typed error', async () => {
    const { owner, tomas, roomId } = await three();
    const refused = async (who: Member, id: string): Promise<unknown> => {
      const outcome = await who.api.removeMember(roomId, id);
      return outcome.ok ? 'done' : outcome.error.code;
    };
    expect(await refused(owner, idOf(owner))).toBe('CANNOT_REMOVE_SELF');
    expect(await refused(owner, 'nobody')).toBe('MEMBER_UNKNOWN');
    expect(await refused(tomas, idOf(owner))).toBe('NOT_OWNER');
  });
});

describe('a departure', () => {
  test('while the owner is away is seen at once, and closed by the owner’s next rotation', async () => {
    const { owner, tomas, ines, roomId } = await three();
    await owner.leave();
    value(await tomas.api.leaveRoom(roomId));
    await until('the leaver to have left', () => stageOf(tomas, roomId) === 'left');
    await until(
      'the other to see it',
      () => ines.room?.members.find(({ memberId }) => memberId === idOf(tomas))?.leaving,
    );
    await owner.comeBack(roomId);
    await until('two members and a new key', () =>
      [owner, ines].every((who) => who.room?.members.length === 2 && who.room.key?.epoch === 2),
    );
    await ines.say(roomId, 'we two');
    await owner.has('we two');
    noAlarms(owner, tomas, ines);
    const refused = await owner.api.leaveRoom(roomId);
    expect(refused).toMatchObject({ ok: false, error: { code: 'OWNER_MUST_HAND_OVER' } });
  });
});

describe('a hand-over', () => {
  test('needs the other’s word, and the new owner rotates first', async () => {
    const { owner, tomas, ines, roomId } = await three();
    const open = await owner.invite(roomId);
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await until('the offer to arrive', () => tomas.room?.ownershipTransfer?.role === 'offered');
    value(await tomas.api.endOwnershipOffer(roomId));
    value(await owner.api.endOwnershipOffer(roomId));
    await until('both to be rid of it', () =>
      [owner, tomas].every((who) => who.room?.ownershipTransfer === null),
    );
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await until('the second offer to arrive', () => tomas.room?.ownershipTransfer?.role === 'offered');
    value(await tomas.api.acceptOwnership(roomId));
    await until('the room to have changed hands', () =>
      [owner, tomas, ines].every(
        (who) =>
          who.room?.members.find(({ owner: owns }) => owns)?.memberId === idOf(tomas) &&
          who.room.key?.epoch === 2,
      ),
    );
    expect(owner.room?.owner).toBe(false);
    expect(tomas.room?.ownershipTransfer).toBeNull();
    const late = await member('Late');
    value(await late.api.join(open.link, 'Late'));
    await until(
      'the old owner’s invite to be void',
      () => late.app?.joins[0]?.failure?.code === 'INVITE_REVOKED',
    );
    expect(await owner.api.rotateNow(roomId)).toMatchObject({ ok: false, error: { code: 'NOT_OWNER' } });
    const dora = await joined(tomas, roomId, 'Dora');
    await owner.say(roomId, 'as a member');
    await Promise.all([dora.has('as a member'), ines.has('as a member'), tomas.has('as a member')]);
    value(await owner.api.leaveRoom(roomId));
    await until('the old owner to have left', () => stageOf(owner, roomId) === 'left');
    await until('three members', () => tomas.room?.members.length === 3);
    noAlarms(owner, tomas, ines, dora);
  });

  test('to nobody, to oneself, or without an offer is a typed error', async () => {
    const { owner, tomas, roomId } = await three();
    const code = (outcome: { ok: boolean; error?: { code: string } }): string =>
      outcome.error?.code ?? 'done';
    expect(code(await owner.api.offerOwnership(roomId, idOf(owner)))).toBe('MEMBER_UNKNOWN');
    expect(code(await owner.api.offerOwnership(roomId, 'nobody'))).toBe('MEMBER_UNKNOWN');
    expect(code(await tomas.api.offerOwnership(roomId, idOf(owner)))).toBe('NOT_OWNER');
    expect(code(await tomas.api.acceptOwnership(roomId))).toBe('NO_OFFER');
    expect(code(await owner.api.endOwnershipOffer(roomId))).toBe('NO_OFFER');
  });
});

describe('settings', () => {
  test('change what makes a rotation due, for everybody', async () => {
    const { owner, tomas, roomId } = await three();
    value(await owner.api.changeSettings(roomId, { rotateEvery: 5, approval: true }));
    await until(
      'all to see them',
      () => tomas.room?.settings.rotateEvery === 5 && owner.room?.settings.approval,
    );
    for (let n = 0; n < 6; n++) await tomas.say(roomId, `line ${String(n)}`);
    await until('a rotation', () => (tomas.room?.key?.epoch ?? 0) >= 2);
    for (const rotateEvery of [0, 2 ** 31, 1.5]) {
      expect(await owner.api.changeSettings(roomId, { rotateEvery, approval: true })).toMatchObject({
        ok: false,
        error: { code: 'OUT_OF_RANGE' },
      });
    }
    noAlarms(owner, tomas);
  });
});

describe('closing', () => {
  test('is the last entry, also for who was away, and closing twice changes nothing', async () => {
    const { owner, tomas, ines, roomId } = await three();
    await ines.leave();
    await owner.say(roomId, 'the last word');
    await tomas.has('the last word');
    value(await owner.api.closeRoom(roomId));
    await until('the room to be closed', () =>
      [owner, tomas].every((who) => stageOf(who, roomId) === 'closed'),
    );
    value(await owner.api.closeRoom(roomId));
    await ines.comeBack();
    await until('the absent to know', () => stageOf(ines, roomId) === 'closed');
    expect(tomas.texts).toEqual(['the last word']);
    noAlarms(owner, tomas, ines);
  });
});

describe('talk', () => {
  test('replies, reactions, edits, deletes and names reach the others, and only their makers’ count', async () => {
    const { owner, tomas, roomId } = await three();
    const { id } = value(await owner.api.sendText(roomId, 'a first draft'));
    await tomas.has('a first draft');
    value(await tomas.api.reply(roomId, id, 'an answer'));
    value(await tomas.api.react(roomId, id, '👍', true));
    value(await owner.api.editMessage(roomId, id, 'the final text'));
    await until('the edit and the reaction', () => {
      const message = tomas.messages.find((item) => item.id === id);
      return message?.text === 'the final text' && message.edited && message.reactions[0]?.emoji === '👍';
    });
    await until(
      'the quote',
      () => owner.messages.find(({ text }) => text === 'an answer')?.replyTo?.id === id,
    );
    expect(await tomas.api.editMessage(roomId, id, 'not mine')).toMatchObject({
      ok: false,
      error: { code: 'NOT_YOURS' },
    });
    value(await owner.api.deleteMessage(roomId, id));
    await until('the deletion', () => tomas.messages.find((item) => item.id === id)?.deleted);
    value(await tomas.api.renameMe(roomId, 'Tom'));
    value(await owner.api.renameRoom(roomId, 'Rive gauche'));
    await until('the names', () =>
      [owner, tomas].every(
        (who) => who.room?.name === 'Rive gauche' && who.room.members.some(({ name }) => name === 'Tom'),
      ),
    );
    expect(await owner.api.renameMe(roomId, 'x'.repeat(10_000))).toMatchObject({
      ok: false,
      error: { code: 'NAME_TOO_LONG' },
    });
    noAlarms(owner, tomas);
  });

  test('shows who is here, who types and who has read', async () => {
    const { owner, tomas, roomId } = await three();
    await until(
      'Tomás to be here',
      () => owner.room?.members.find(({ memberId }) => memberId === idOf(tomas))?.online,
    );
    value(await tomas.api.typing(roomId));
    await until('Tomás to be typing', () => owner.room?.typing.includes('Tomás'));
    const { id } = value(await owner.api.sendText(roomId, 'read me'));
    await tomas.has('read me');
    value(await tomas.api.markRead(roomId, true));
    await until('the read marker', () => {
      const message = owner.messages.find((item) => item.id === id);
      return message?.state === 'read' && message.readers.includes('Tomás');
    });
    const [mine, theirs] = [
      value(await owner.api.safetyNumber(roomId, idOf(tomas))),
      value(await tomas.api.safetyNumber(roomId, idOf(owner))),
    ];
    expect(mine.digits).toMatch(/^\d{60}$/);
    expect(theirs.digits).toBe(mine.digits);
    value(await owner.api.setVerified(roomId, idOf(tomas), true));
    await until(
      'the mark',
      () => owner.room?.members.find(({ memberId }) => memberId === idOf(tomas))?.verified,
    );
    noAlarms(owner, tomas);
  });
});
