/** A relay that goes back, or says so: rollback, generations, trimming and grants as lies (G5, G6, G8, G10, G11, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Position } from '@0fc/protocol';
import { asRoomKey, generateKeyPair, makeKeyGrant, signBody } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { epochOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('an old snapshot', () => {
  test('G10 put back across a removal: nobody’s roster or epoch goes back, and the removed stays removed', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await owner.say(roomId, 'before');
    await Promise.all([tomas.has('before'), ines.has('before')]);
    await stage.level([owner, tomas, ines]);
    const old = stage.relay.world.snapshot();
    const thief = await Stolen.from(tomas, roomId);
    value(await owner.api.removeMember(roomId, thief.me));
    await until('the second key', () => [owner, ines].every((who) => epochOf(who) === 2));
    await owner.say(roomId, 'without Tomás');
    await ines.has('without Tomás');
    stage.relay.place([idOf(owner), idOf(ines)], { snapshot: old, hidden: false });
    await stage.alarm(ines, 'ALARM_RELAY_LOST');
    await until('the log to be where its members are', () =>
      [owner, ines].every((who) => who.room?.paused === null && who.room.connection === 'connected'),
    );
    await ines.say(roomId, 'after the loss');
    await owner.has('after the loss');
    for (const who of [owner, ines]) {
      expect(namesIn(who)).toEqual(['Amina', 'Inès']);
      expect(epochOf(who)).toBe(2);
    }
    // All that was sealed in the world that went back was sealed for the second epoch.
    const late = stage.relay.requests('append', idOf(ines)).at(-1)?.body.messages ?? [];
    for (const { clear } of late) expect(Buffer.from(clear).toString('latin1')).toContain('epoch\x02');
    expect(stageOf(tomas, roomId)).toBe('removed');
  });

  test('G6 put back in secret: who had read further says so at once, and nothing is taken back', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    const old = stage.relay.world.snapshot();
    await owner.say(roomId, 'taken back?');
    await tomas.has('taken back?');
    await stage.level([owner, tomas]);
    const { core } = await Stolen.from(tomas, roomId);
    stage.relay.place([idOf(tomas), idOf(owner)], { snapshot: old, hidden: true });
    await Promise.all([owner.live(), tomas.live()]);
    // What comes next stands where something else stood.
    await owner.say(roomId, 'in its place');
    await stage.alarm(tomas, 'ALARM_FORK');
    expect(tomas.texts).toContain('taken back?');
    // The position alone goes back to the end that the relay has now (docs/decisions/0017), and on from there.
    const after = await until('the log to be read on', async () => {
      const now = (await Stolen.from(tomas, roomId)).core;
      return now.position.s >= core.position.s && now;
    });
    expect(after.epoch).toBe(core.epoch);
    expect(tomas.texts).toContain('taken back?');
  });

  test('G11 a rotation that the relay lost is never made a second time: the same bytes come back', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    const old = stage.relay.world.snapshot();
    value(await owner.api.rotateNow(roomId));
    await until('the second key', () => epochOf(tomas) === 2);
    const [made] = stage.relay.requests('rotate', idOf(owner));
    stage.relay.place([idOf(owner), idOf(tomas)], { snapshot: old, hidden: false });
    await until('the rotation to be restored', () =>
      [owner, tomas].every(
        (who) => who.room?.connection === 'connected' && who.room.paused === null && who.alarms.length > 0,
      ),
    );
    await tomas.say(roomId, 'and on');
    await owner.has('and on');
    const again = stage.relay
      .requests('rotate', idOf(owner))
      .map(({ body }) => Buffer.from(body.clear).toString('hex'));
    expect(new Set(again)).toEqual(new Set([Buffer.from(made!.body.clear).toString('hex')]));
    expect([owner, tomas].map(epochOf)).toEqual([2, 2]);
    expect(owner.alarms).not.toContain('ALARM_OWNER_EQUIVOCATED');
  });
});

describe('generations that never were', () => {
  test('G6 are shown as a loss, give nothing up, and end in no loop', async () => {
    const { owner, tomas, roomId } = await stage.two();
    for (const text of ['one', 'two', 'three']) await owner.say(roomId, text);
    await tomas.has('one', 'two', 'three');
    await stage.level([owner, tomas]);
    const { core, roster } = await Stolen.from(tomas, roomId);
    const opens = stage.relay.requests('open', idOf(tomas)).length;
    // Forwards, backwards, the same again, one that has passed: fifty in a row.
    for (let n = 0; n < 50; n++) {
      const s = Math.max(0, core.position.s - (n % 4));
      stage.relay.tell(idOf(tomas), 'generation', { generation: 1_000 + (n % 7), from: { g: 1, s } });
    }
    await stage.alarm(tomas, 'ALARM_RELAY_LOST');
    await until('the client to go on or to stop', () => tomas.room?.connection !== undefined);
    const { core: after, roster: rosterAfter } = await Stolen.from(tomas, roomId);
    expect(after.epoch).toBe(core.epoch);
    expect(after.keys).toEqual(core.keys);
    expect(rosterAfter).toEqual(roster);
    expect(tomas.texts).toEqual(['one', 'two', 'three']);
    expect(stage.relay.requests('open', idOf(tomas)).length - opens).toBeLessThan(60);
    await owner.say(roomId, 'undisturbed');
    await owner.has('undisturbed');
    // The next message comes from a member with another log: shown, and nothing else.
    expect(owner.alarms.filter((code) => code !== 'ALARM_FORK')).toEqual([]);
  });

  test('G6 a log that is said to end earlier, or to be trimmed beyond its end, costs nothing that is here', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'here to stay');
    await tomas.has('here to stay');
    await stage.level([owner, tomas]);
    const before = await Stolen.from(tomas, roomId);
    stage.relay.onReply('open', (client, reply) =>
      client.memberId === idOf(tomas) ? { ...reply, tip: { g: 1, s: 0 }, entries: [] } : undefined,
    );
    stage.relay.cut(idOf(tomas));
    await tomas.live();
    stage.relay.honest();
    const s = before.core.position.s + 500;
    stage.relay.onReply('open', (client, reply) =>
      client.memberId === idOf(tomas)
        ? {
            ...reply,
            tip: { g: 1, s },
            trimmed: { g: 1, s },
            trimmedT: new Uint8Array(64).fill(1),
            entries: [],
          }
        : undefined,
    );
    stage.relay.cut(idOf(tomas));
    await until('the range to be told as missed', () =>
      tomas.items.some((item) => item.type === 'system' && item.event === 'missed'),
    );
    const after = await Stolen.from(tomas, roomId);
    expect(after.core.keys).toEqual(before.core.keys);
    expect(after.roster).toEqual(before.roster);
    expect(tomas.texts).toEqual(['here to stay']);
    // A presence of somebody who reads the true log shows that this one is false.
    await tomas.live();
    const told = await until('a presence of the owner', () =>
      stage.relay.requests('signal', idOf(owner)).at(-1),
    );
    await tomas.say(roomId, 'from a made-up place');
    await stage.alarm(owner, 'ALARM_FORK');
    expect(told.body.epoch).toBe(1);
  });
});

describe('a place in the far future', () => {
  test.each(['told while live', 'in a page', 'as the trimmed edge', 'of an entry'] as const)(
    'G6 %s is refused before anything moves, and shuts nobody out',
    async (how) => {
      const { owner, tomas, roomId } = await stage.two();
      await owner.say(roomId, 'before');
      await tomas.has('before');
      await stage.level([owner, tomas]);
      const thief = await Stolen.from(owner, roomId);
      const { position } = (await Stolen.from(tomas, roomId)).core;
      const generation = Date.now() + 2 * 86_400_000;
      const far = { g: generation, s: position.s + 1 };
      const opened = stage.relay.requests('open', idOf(tomas)).length;
      if (how === 'told while live') {
        stage.relay.tell(idOf(tomas), 'generation', { generation, from: position });
      } else {
        stage.relay.onReply('open', (client, reply) => {
          if (client.memberId !== idOf(tomas)) return undefined;
          if (how === 'in a page') return { ...reply, generations: [{ generation, from: position }] };
          if (how === 'as the trimmed edge') return { ...reply, trimmed: far };
          return { ...reply, entries: [entryAt(far, 'message', idOf(owner), thief.text('far away'))] };
        });
        stage.relay.cut(idOf(tomas));
      }
      if (how === 'told while live') {
        // One word: by the time that a view of it is drawn, the client may have asked again.
        await until('it to ask again', () => stage.relay.requests('open', idOf(tomas)).length > opened);
      } else {
        await until('the room to stop', () => tomas.room?.stopped?.code === 'RELAY_LIED');
      }
      stage.relay.honest();
      expect((await Stolen.from(tomas, roomId)).core.position).toEqual(position);
      await owner.say(roomId, 'after');
      await tomas.has('before', 'after');
      expect([...owner.alarms, ...tomas.alarms]).toEqual([]);
    },
  );
});

describe('a place far beyond the end', () => {
  test.each(['of entries', 'as the trimmed edge'] as const)(
    'G6 G16 %s, told once, shuts nobody out: an honest relay’s end of the log tells that there is no such place',
    async (how) => {
      const { owner, tomas, roomId } = await stage.two();
      await owner.say(roomId, 'before');
      await tomas.has('before');
      await stage.level([owner, tomas]);
      const me = idOf(tomas);
      let lies = 0;
      stage.relay.onReply('open', (client, reply) => {
        if (client.memberId !== me || lies > 0) return undefined;
        const far = (position: Position): Position => ({ g: position.g, s: position.s + 1_000_000_000 });
        if (how === 'as the trimmed edge') {
          lies += 1;
          return { ...reply, entries: [], trimmed: far(reply.tip), trimmedT: new Uint8Array(64).fill(1) };
        }
        if (reply.entries.length === 0) return undefined;
        lies += 1;
        return {
          ...reply,
          entries: reply.entries.map((entry) => ({ ...entry, position: far(entry.position) })),
        };
      });
      // The remote message is a line that was sent while it was offline.
      await tomas.leave();
      await owner.say(roomId, 'one');
      await tomas.comeBack(roomId);
      await until('the lie to be told', () => lies > 0);
      // And heard: a link that is cut takes along what is on its way.
      await tomas.live();
      stage.relay.honest();
      stage.relay.cut(me);
      await owner.say(roomId, 'two');
      await stage.arrives([tomas], 'before', 'one', 'two');
      await tomas.say(roomId, 'three');
      await stage.arrives([owner, tomas], 'three');
      expect(tomas.alarms).toContain('ALARM_FORK');
    },
  );
});

describe('a generation that one member alone is told of', () => {
  test('G7 hides no fork: the others tell at its first message, and it at the first entry of the true log', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await stage.level([owner, tomas, ines]);
    const { position } = (await Stolen.from(tomas, roomId)).core;
    const generation = Date.now();
    // For Tomás nothing is lost, so nothing is shown; from here on every line of Inès is kept from him.
    const places = new Map<number, number>();
    stage.relay.onEntries((client, entries) => {
      if (client.memberId !== idOf(tomas)) return undefined;
      return entries
        .filter(({ sender }) => sender !== idOf(ines))
        .map((entry) => {
          const s = places.get(entry.position.s) ?? position.s + 1 + places.size;
          places.set(entry.position.s, s);
          return { ...entry, position: { g: generation, s } };
        });
    });
    stage.relay.tell(idOf(tomas), 'generation', { generation, from: position });
    await ines.say(roomId, 'kept from Tomás');
    await owner.has('kept from Tomás');
    await owner.say(roomId, 'well?');
    await tomas.has('well?');
    expect(tomas.texts).toEqual(['well?']);
    await tomas.say(roomId, 'well what?');
    await stage.alarm(owner, 'ALARM_FORK');
    await tomas.has('well what?');
    expect(tomas.alarms).toEqual([]);
    stage.relay.honest();
    await owner.say(roomId, 'where he does not look any more');
    await stage.alarm(tomas, 'ALARM_FORK');
  });

  test('G7 hides no fork: who writes, minutes later, from a generation that was over is told of', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    const { core } = await Stolen.from(tomas, roomId);
    const generation = Date.now();
    const thief = await Stolen.from(owner, roomId);
    const { g, s } = core.position;
    const seen = { position: { g, s: s + 3 }, t: new Uint8Array(32).fill(3) };
    const line = (text: string, n: number, sentAt: number) => {
      const made = thief.text(text, { n: thief.core.nextN + n, seen, sentAt });
      return entryAt({ g: generation, s: s + 1 + n }, 'message', idOf(owner), made);
    };
    stage.relay.tell(idOf(tomas), 'generation', { generation, from: core.position });
    // Sealed before its sender had heard of the loss: cannot be judged, and is no alarm.
    stage.relay.tell(idOf(tomas), 'entries', { entries: [line('on its way then', 0, Date.now())] });
    await tomas.has('on its way then');
    expect(tomas.alarms).toEqual([]);
    stage.relay.tell(idOf(tomas), 'entries', { entries: [line('much later', 1, Date.now() + 660_000)] });
    await tomas.has('much later');
    await stage.alarm(tomas, 'ALARM_FORK');
  });
});

describe('a range that is said to be trimmed', () => {
  test('G11 lets nobody but the owner say at which epoch the room is', async () => {
    const { owner, tomas, roomId } = await stage.two();
    await owner.say(roomId, 'before the gap');
    await tomas.has('before the gap');
    await stage.level([owner, tomas]);
    const { core, roster } = await Stolen.from(tomas, roomId);
    const s = core.position.s + 5;
    const clear = signBody(generateKeyPair(), 'rotation', {
      roomId: core.roomId, newEpoch: 1_000_000, owner: idOf(owner), head: roster.head, keyHash: new Uint8Array(32),
      ephemeral: generateKeyPair().publicKey, unwrapped: [], payload: new Uint8Array(32), base: null, signedAt: 1, cold: false,
    }); // prettier-ignore
    let lies = 0;
    stage.relay.onReply('open', (client, reply) =>
      client.memberId === idOf(tomas) && lies++ === 0
        ? {
            ...reply, trimmed: { g: 1, s }, trimmedT: new Uint8Array(64).fill(1), tip: { g: 1, s: s + 1 },
            entries: [entryAt({ g: 1, s: s + 1 }, 'rotation', idOf(owner), { clear, payload: new Uint8Array(64) })],
          }
        : undefined,
    ); // prettier-ignore
    stage.relay.cut(idOf(tomas));
    await stage.alarm(tomas, 'ALARM_FOREIGN_ROTATION');
    expect((await Stolen.from(tomas, roomId)).core.epoch).toBe(1);
    // Only the owner’s own rotation tells, and is taken after the lie as well.
    stage.relay.honest();
    const told = stage.relay.requests('rotate').length;
    value(await owner.api.rotateNow(roomId));
    const { body } = await until('the rotation', () => stage.relay.requests('rotate')[told]);
    const wrap = body.wraps[idOf(tomas)]!;
    stage.relay.tell(idOf(tomas), 'entries', {
      entries: [
        entryAt({ g: 1, s: s + 2 }, 'rotation', idOf(owner), {
          clear: body.clear,
          payload: body.payload,
          wrap,
        }),
      ],
    });
    await until('the second key', () => epochOf(tomas) === 2);
    expect(tomas.room?.paused).toBeNull();
  });
});

describe('keys for who must not have them', () => {
  test('G10 a grant to somebody who is being removed is not made', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const stolen = await Stolen.from(tomas, roomId);
    const request = await stolen.asksForKey();
    stage.relay.onRequest('roster', () => 'drop');
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await until('the removal to be under way', () => owner.room?.members.some(({ removing }) => removing));
    stage.relay.tell(idOf(owner), 'keyNeeded', { from: stolen.me, request });
    // The owner seals nothing any more in the epoch that the removal ends (G18).
    await tomas.say(roomId, 'meanwhile');
    await owner.has('meanwhile');
    const grants = stage.relay.requests('keyGrant');
    stage.relay.honest();
    stage.relay.cut(idOf(owner));
    await until('the removal', () => owner.room?.members.length === 1);
    expect(grants).toEqual([]);
    expect(stage.relay.requests('keyGrant')).toEqual([]);
  });

  test('G2 a grant by the relay, by a member or for another request brings no key', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    stage.relay.onEntries((client, entries) =>
      client.memberId === idOf(ines) ? entries.map(({ wrap: _, ...entry }) => entry) : undefined,
    );
    // Nobody answers but the relay.
    stage.relay.onEvent('keyNeeded', () => null);
    value(await owner.api.rotateNow(roomId));
    await stage.alarm(ines, 'ALARM_NO_KEY');
    const { body } = await until('the request', () => stage.relay.requests('needKey', idOf(ines))[0]);
    await until('the others to have the key', () => epochOf(tomas) === 2);
    const traitor = await Stolen.from(tomas, roomId);
    const own = asRoomKey(nodeRandom.bytes(32));
    const news = { profiles: [], roomName: null };
    const { identity, roster, core } = traitor;
    const rotation = await traitor.begin();
    const options = {
      identity,
      epoch: 2,
      to: idOf(ines),
      request: body.request,
      rotation,
      news,
      roomKey: own,
    };
    // A member that owned the room by its own account, with a key of its own.
    const forged = await makeKeyGrant(
      { hash: nodeHash, random: nodeRandom },
      { ...options, roster: { ...roster, owner: core.me } },
    );
    for (const from of [core.me, idOf(owner)])
      stage.relay.tell(idOf(ines), 'keyGranted', { from, grant: forged.grant, news: forged.news });
    // The owner’s own hand, and the wrong key: shown as such.
    const owned = await Stolen.from(owner, roomId);
    const wrong = await makeKeyGrant(
      { hash: nodeHash, random: nodeRandom },
      {
        ...options,
        identity: owned.identity,
        roster: owned.roster,
      },
    );
    stage.relay.tell(idOf(ines), 'keyGranted', { from: idOf(owner), grant: wrong.grant, news: wrong.news });
    await stage.alarm(ines, 'ALARM_WRONG_KEY');
    expect(ines.room?.paused).toBe('key');
    // The right key in answer to another request of hers: not taken either.
    const other = await (await Stolen.from(ines, roomId)).asksForKey();
    const elsewhere = await makeKeyGrant(
      { hash: nodeHash, random: nodeRandom },
      {
        ...options,
        identity: owned.identity,
        roster: owned.roster,
        request: other,
        roomKey: owned.current.key,
      },
    );
    stage.relay.tell(idOf(ines), 'keyGranted', {
      from: idOf(owner),
      grant: elsewhere.grant,
      news: elsewhere.news,
    });
    await owner.say(roomId, 'waiting for her');
    await tomas.has('waiting for her');
    expect(ines.room?.paused).toBe('key');
    expect(ines.texts).toEqual([]);
    stage.relay.honest();
    stage.relay.cut();
    await ines.has('waiting for her');
  });

  test('G9 a relay that calls an epoch old without a rotation is told as such, and gets the same line for no other key', async () => {
    const { owner, tomas, roomId } = await stage.two();
    stage.relay.onRequest('append', ({ memberId }) =>
      memberId === idOf(tomas) ? { answer: { placed: [], refused: 'STALE_EPOCH' as const } } : undefined,
    );
    await tomas.say(roomId, 'for this epoch only');
    await stage.alarm(tomas, 'ALARM_STALE_WITHOUT_ROTATION');
    expect(epochOf(tomas)).toBe(1);
    stage.relay.honest();
    stage.relay.cut(idOf(tomas));
    value(await owner.api.rotateNow(roomId));
    await owner.has('for this epoch only');
  });

  test.each(['STALE_EPOCH', 'EPOCH_AHEAD'] as const)(
    'G16 a relay that has refused a line with %s again and again has it in the same epoch once it is honest, by itself',
    async (refused) => {
      const { owner, tomas, roomId } = await stage.two();
      const isHis = ({ memberId }: { readonly memberId: string }): boolean => memberId === idOf(tomas);
      stage.relay.onRequest('append', (who) =>
        isHis(who) ? { answer: { placed: [], refused } } : undefined,
      );
      await tomas.say(roomId, 'late, and in this epoch');
      await until('it to come three times', () => stage.relay.requests('append', idOf(tomas)).length >= 3);
      stage.relay.honest();
      await owner.has('late, and in this epoch');
      expect(epochOf(owner)).toBe(1);
      const shown = tomas.alarms.filter((code) => code === 'ALARM_STALE_WITHOUT_ROTATION');
      expect(shown).toHaveLength(refused === 'STALE_EPOCH' ? 1 : 0);
    },
  );
});
