/** What stolen keys open, what a removed member reads, what stays on disk, and that nothing comes twice: G8, G9, G10, G14, G16. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { comparePositions, utf8, type Entry, type MemberId } from '@0fc/protocol';
import { openMessage, openRotation, type RoomKey } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { verifyRotation, type Roster } from '@0fc/crypto/verify';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { Peer } from '../../integration/relay-peer.js';
import { Stolen } from '../members/stolen.js';
import { epochOf, idOf, namesIn, Stage, stageOf, troubleOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** All lines of the log that a thief with these keys reads, as the relay has them. */
function readable(
  thief: Stolen,
  entries: readonly Entry[],
  roster: Roster = thief.roster,
): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== 'message') return [];
    const senderKey = roster.members.get(entry.sender)?.key ?? roster.former.get(entry.sender)?.key;
    for (const { epoch, key } of thief.core.keys) {
      if (key === null || senderKey === undefined) continue;
      try {
        const { roomId } = thief.core;
        const { content } = openMessage({
          roomKey: key,
          roomId,
          epoch,
          sender: entry.sender,
          senderKey,
          payload: entry.payload,
        }).body;
        return 'text' in content && typeof content.text === 'string' ? [content.text] : [];
      } catch {
        continue; // not under this key
      }
    }
    return [];
  });
}

/** The key of a later epoch, out of the recorded rotation, with all that a thief has; null: it does not open. */
async function nextKey(
  thief: Stolen,
  epoch: number,
  victim: MemberId,
  asOf: Roster,
): Promise<RoomKey | null> {
  const body = stage.relay
    .requests('rotate')
    .map((one) => one.body)
    .at(epoch - 2);
  if (body === undefined) throw new Error('no such rotation');
  const rotation = await verifyRotation(nodeHash, asOf, epoch - 1, body.clear, body.payload);
  try {
    const { key } = await openRotation(nodeHash, {
      roster: asOf, rotation, payload: body.payload, wrap: body.wraps[victim], oldKey: thief.key(epoch - 1).key, memberId: victim,
      prekeys: new Map(thief.core.prekeys.map(({ k, pair }) => [k, pair])),
    }); // prettier-ignore
    return key;
  } catch {
    return null;
  }
}

const rotated = async (owner: Member, roomId: string, ...others: readonly Member[]): Promise<void> => {
  const epoch = epochOf(owner) + 1;
  value(await owner.api.rotateNow(roomId));
  await until('the key', () => others.every((who) => epochOf(who) === epoch));
};

describe('G8: forward secrecy', () => {
  test('G8 a vault that is stolen after a rotation does not open what was sent before the previous one', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'long ago');
    await tomas.has('long ago');
    await rotated(owner, roomId, tomas);
    await owner.say(roomId, 'before the last rotation');
    await tomas.has('before the last rotation');
    await rotated(owner, roomId, tomas);
    await owner.say(roomId, 'now');
    await tomas.has('now');
    await stage.level([owner, tomas]);
    const recorded = stage.relay.entriesTo(idOf(tomas));
    for (const who of [owner, tomas]) {
      const thief = await Stolen.from(who, roomId);
      expect(thief.core.keys.map(({ epoch }) => epoch)).toEqual([2, 3]);
      expect(readable(thief, recorded)).toEqual(['before the last rotation', 'now']);
    }
  });
});

describe('G9: healing', () => {
  test('G9 a thief of one room key reads on until the rotation, and nothing after it', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const all = await Stolen.from(tomas, roomId);
    await owner.say(roomId, 'to the thief too');
    await tomas.has('to the thief too');
    await rotated(owner, roomId, tomas);
    await owner.say(roomId, 'not to the thief');
    await tomas.has('not to the thief');
    expect(readable(all, stage.relay.entriesTo(idOf(tomas)))).toEqual(['to the thief too']);
    all.core = { ...all.core, prekeys: [] };
    for (const victim of [idOf(owner), idOf(tomas)])
      expect(await nextKey(all, 2, victim, all.roster)).toBeNull();
  });

  test('G9 a thief of room key and prekey follows one rotation, and is lost at the first that uses a later prekey', async () => {
    const { relay } = stage;
    const { owner, tomas, roomId } = await stage.two();
    const thief = await Stolen.from(tomas, roomId);
    await rotated(owner, roomId, tomas);
    const second = await nextKey(thief, 2, thief.me, thief.roster);
    expect(second).not.toBeNull();
    await until('a new prekey', () => relay.requests('prekey', idOf(tomas)).length > 0);
    await rotated(owner, roomId, tomas);
    thief.core = { ...thief.core, keys: [{ ...thief.current, epoch: 2, key: second }] };
    expect(await nextKey(thief, 3, thief.me, thief.roster)).toBeNull();
    await owner.say(roomId, 'healed');
    await tomas.has('healed');
    expect(readable(thief, relay.entriesTo(idOf(tomas)))).toEqual([]);
  });

  test('G9 a thief of an identity key alone reads nothing, and what it sends in its victim’s name is told', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'not for the thief');
    await tomas.has('not for the thief');
    await stage.level([owner, tomas]);
    const victim = await Stolen.from(tomas, roomId);
    const { identity, core } = victim;
    const thief = await Peer.connect(stage.relay, identity);
    await thief.request('open', { roomId: core.roomId, after: { g: 1, s: 0 }, head: null, epoch: 0 });
    // It is served sealed lines; with no room key it must ask, and the asking is shown to the owner.
    await until('the victim to know', () => tomas.room?.stopped?.code === 'REPLACED');
    await thief.request('needKey', { request: await victim.asksForKey() });
    await until('the owner to show it', () =>
      owner.items.some(
        (item) => item.type === 'system' && item.event === 'keyGiven' && item.params.member === 'Tomás',
      ),
    );
    thief.leave();
    value(await tomas.api.resumeRoom(roomId));
    await tomas.live();
  });

  test('G9 rotation comes by itself at the configured count', async () => {
    const { owner, tomas, roomId } = await stage.two(6);
    for (let n = 0; n < 8; n++) await tomas.say(roomId, `line ${String(n)}`);
    await until('the rotation', () => [owner, tomas].every((who) => epochOf(who) >= 2));
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

describe('G10: removal', () => {
  test('G10 a removed member opens nothing that is sealed after its removal was taken in, with the relay’s help', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await owner.say(roomId, 'with Tomás');
    await Promise.all([tomas.has('with Tomás'), ines.has('with Tomás')]);
    await stage.level([owner, tomas, ines]);
    const removed = await Stolen.from(tomas, roomId);
    value(await owner.api.removeMember(roomId, idOf(tomas) || removed.me));
    await until('the second key', () => [owner, ines].every((who) => epochOf(who) === 2));
    await owner.say(roomId, 'without Tomás');
    await ines.say(roomId, 'quite without');
    await Promise.all([owner.has('quite without'), ines.has('without Tomás')]);
    const recorded = stage.relay.entriesTo(idOf(ines));
    expect(readable(removed, recorded)).toEqual(['with Tomás']);
    const asOf = (await Stolen.from(ines, roomId)).roster;
    const { body } = stage.relay.requests('roster').findLast((one) => one.body.rotation !== undefined)!;
    expect(Object.keys(body.rotation!.wraps).sort()).toEqual([idOf(owner), idOf(ines)].sort());
    const rotation = await verifyRotation(nodeHash, asOf, 1, body.rotation!.clear, body.rotation!.payload);
    for (const wrap of Object.values(body.rotation!.wraps)) {
      const prekeys = new Map(removed.core.prekeys.map(({ k, pair }) => [k, pair]));
      for (const memberId of [removed.me, idOf(owner), idOf(ines)]) {
        await expect(
          openRotation(nodeHash, {
            roster: asOf,
            rotation,
            payload: body.rotation!.payload,
            wrap,
            oldKey: removed.current.key,
            memberId,
            prekeys,
          }),
        ).rejects.toMatchObject({ code: 'NO_ROOM_KEY' });
      }
    }
    // Its request for the key is answered by nobody, whoever brings it.
    const request = await (await Stolen.from(owner, roomId)).asksForKey(removed);
    const grants = stage.relay.requests('keyGrant').length;
    for (const who of [owner, ines]) stage.relay.tell(idOf(who), 'keyNeeded', { from: removed.me, request });
    // What it writes is shown under no name.
    const { position } = (await Stolen.from(ines, roomId)).core;
    const text = removed.text('still here');
    stage.relay.tell(idOf(ines), 'entries', {
      entries: [
        { position: { g: 1, s: position.s + 1 }, kind: 'message', sender: removed.me, time: 0, ...text },
      ],
    });
    await stage.alarm(ines, 'ALARM_BAD_SIGNATURE');
    expect(ines.texts).not.toContain('still here');
    expect(stage.relay.requests('keyGrant')).toHaveLength(grants);
    expect(namesIn(owner)).toEqual(['Amina', 'Inès']);
  });

  test('G10 who has taken in a removal sends nothing before the rotation that follows, however long the relay keeps it', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    stage.relay.onEntries((client, entries) =>
      client.memberId === idOf(ines) ? entries.filter(({ kind }) => kind !== 'rotation') : undefined,
    );
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await until('the removal to be seen', () => ines.room?.members.length === 2);
    await until('the pause', () => ines.room?.paused === 'departure');
    const sent = stage.relay.requests('append', idOf(ines)).length;
    const signs = stage.relay.requests('signal', idOf(ines)).length;
    await ines.say(roomId, 'not for Tomás');
    value(await ines.api.typing(roomId));
    // Everything else goes on meanwhile: the owner’s line comes, and cannot be opened yet.
    await owner.say(roomId, 'the owner talks');
    await owner.has('the owner talks');
    stage.relay.cut(idOf(ines));
    // Its log ends in an epoch that nothing explains.
    await until('the relay to be found out', () => troubleOf(ines) === 'RELAY_LIED');
    expect(stage.relay.requests('append', idOf(ines))).toHaveLength(sent);
    expect(stage.relay.requests('signal', idOf(ines))).toHaveLength(signs);
    expect(ines.room?.paused).toBe('departure');
    expect(owner.texts).not.toContain('not for Tomás');
  });

  test('G10 the page shows who has applied a removal, by its own signed word, and from the log after a restart', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const before = (await Stolen.from(ines, roomId)).presence();
    stage.relay.onEntries((client) => (client.memberId === idOf(ines) ? [] : undefined));
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await until('the removal', () => owner.room?.members.length === 2);
    const receipt = () => owner.room?.members.find(({ memberId }) => memberId === idOf(ines))?.receipt;
    stage.relay.tell(idOf(owner), 'signalled', { sender: idOf(ines), epoch: 1, payload: before });
    await owner.say(roomId, 'has she heard?');
    await owner.has('has she heard?');
    expect(receipt()).toBe('none');
    stage.relay.honest();
    stage.relay.cut(idOf(ines));
    await until('her presence', () => receipt() === 'presence');
    expect(stageOf(tomas, roomId)).toBe('removed');
    // Presence is of this session alone: the relay keeps none of it from now on.
    stage.relay.onRequest('signal', () => ({ answer: {} }));
    await owner.leave();
    await owner.comeBack(roomId);
    await owner.live();
    expect(receipt()).toBe('none');
    await ines.say(roomId, 'heard');
    await until('her line', () => receipt() === 'log');
    await owner.leave();
    await owner.comeBack(roomId);
    expect(receipt()).toBe('log');
  });
});

describe('G14: at rest', () => {
  test('G14 a profile on disk holds no key, token, name, text or passphrase in clear', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const secretText = 'a text that nobody else may find';
    await owner.say(roomId, secretText);
    await tomas.has(secretText);
    value(await owner.api.setDraft(roomId, 'a draft that nobody may find'));
    const { link } = await owner.invite(roomId);
    const stolen = await Stolen.from(owner, roomId);
    const [invite] = stolen.invites;
    await owner.leave();
    const names = await readdir(owner.folder);
    const disk = Buffer.concat(await Promise.all(names.map((name) => readFile(join(owner.folder, name)))));
    const secrets = [
      utf8(secretText), utf8('a draft that nobody may find'), utf8('Rive droite'), utf8('Tomás'), utf8(owner.passphrase),
      utf8(link.split('#')[1] ?? link), stolen.current.key, stolen.identity.privateKey, invite!.token!, invite!.pair!.privateKey,
      ...stolen.core.prekeys.map(({ pair }) => pair.privateKey),
    ]; // prettier-ignore
    const onDisk = (secret: Uint8Array): boolean => disk.includes(Buffer.from(secret));
    expect(secrets.map(onDisk)).toEqual(secrets.map(() => false));
    // What is documented as visible is: the search looks at the right files.
    expect(onDisk(utf8(roomId))).toBe(true);
  });

  test('G14 whatever the relay refuses, forgets or calls gone, nothing is deleted here', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'kept');
    await tomas.has('kept');
    await stage.level([owner, tomas]);
    const before = await Stolen.from(tomas, roomId);
    const departed = { role: 'departed' as const, entries: [], live: true };
    const lies: readonly (() => void)[] = [
      () => stage.relay.onReply('open', (_, reply) => ({ ...reply, ...departed })),
      () => stage.relay.onReply('open', () => ({ code: 'FORBIDDEN' })),
      () => stage.relay.onReply('open', () => ({ code: 'ROOM_CLOSED' })),
      // Signed by the owner, of somebody else and of another room: no proof of one's own end.
      () =>
        stage.relay.onReply('open', (_, reply) => ({
          ...reply, ...departed,
          entries: stage.relay.entriesTo(idOf(tomas)).filter(({ kind }) => kind === 'roster').slice(0, 1),
        })),
    ]; // prettier-ignore
    for (const lie of lies) {
      lie();
      stage.relay.cut(idOf(tomas));
      await until('it to be named', () => tomas.room?.stopped?.resumes === true);
      expect(stageOf(tomas, roomId)).toBe('member');
      const after = await Stolen.from(tomas, roomId);
      expect(after.core.keys).toEqual(before.core.keys);
      expect(after.core.identity).toEqual(before.core.identity);
      expect(tomas.texts[0]).toBe('kept');
      stage.relay.honest();
      await stage.goesOn(roomId, [owner, tomas], `after lie ${String(lies.indexOf(lie))},`);
    }
    expect(tomas.texts).toEqual(owner.texts);
  });
});

describe('G16: exactly once', () => {
  test('G16 a line whose acknowledgement is lost again and again is stored once and shown once', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let lost = 0;
    // Carried out, and the connection is cut in place of the answer.
    stage.relay.onReply('append', (client) => {
      if (client.memberId !== idOf(tomas) || lost++ > 3) return undefined;
      setImmediate(() => client.cut());
      return undefined;
    });
    for (let n = 0; n < 5; n++) {
      await tomas.say(roomId, `line ${String(n)}`);
      if (n === 2) await rotated(owner, roomId);
    }
    const lines = [0, 1, 2, 3, 4].map((n) => `line ${String(n)}`);
    await Promise.all([owner.has(...lines), tomas.has(...lines)]);
    await stage.level([owner, tomas]);
    expect(owner.texts).toEqual(lines);
    expect(tomas.texts).toEqual(lines);
    const stored = stage.relay
      .entriesTo(idOf(owner))
      .filter(({ kind, sender }) => kind === 'message' && sender === idOf(tomas));
    expect(new Set(stored.map(({ payload }) => Buffer.from(payload).toString('hex'))).size).toBe(
      stored.length,
    );
    expect(
      stored.every((entry, at) => at === 0 || comparePositions(stored[at - 1]!.position, entry.position) < 0),
    ).toBe(true);
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
  });

  test('G16 an acknowledgement that the relay makes up is no acknowledgement: the line is there when it is read back', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.onRequest('append', ({ memberId }, { messages }) =>
      memberId === idOf(tomas)
        ? {
            answer: {
              placed: messages.map((_, at) => ({ position: { g: 1, s: 90 + at }, time: Date.now() })),
            },
          }
        : undefined,
    );
    await tomas.say(roomId, 'did you get this?');
    await until('the false word', () => stage.relay.requests('append', idOf(tomas)).length > 1);
    await owner.say(roomId, 'no word from you');
    await tomas.has('no word from you');
    expect(tomas.messages.find(({ text }) => text === 'did you get this?')?.state).toBe('sending');
    stage.relay.honest();
    stage.relay.cut(idOf(tomas));
    await owner.has('did you get this?');
  });
});
