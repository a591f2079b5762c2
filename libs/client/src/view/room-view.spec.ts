/** The view of a room, field by field. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES } from '@0fc/protocol';
import { generateKeyPair, safetyNumber, sealSignal, signBody } from '@0fc/crypto/keys';
import { fingerprintOf } from '@0fc/crypto/verify';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import type { RoomView, TimelineItem } from '../contract/api.js';
import { alarm, system } from '../room/log/items.js';
import { change, recordsOf, type Person } from '../room/log/log.spec-support.js';
import { append, extendChain, putInvite, set } from '../room/state/draft.js';
import type { OwnerInvite, RoomCore } from '../vault/records.js';
import { relayRowsOf } from './relay-rows.js';
import { roomViewOf } from './room-view.js';
import { stage, START, type Stage } from './room.spec-support.js';
import { summaryOf } from './summary.js';
import { itemsOf } from './timeline.js';

let on: Stage;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  on = await stage();
});

const view = (): RoomView => roomViewOf(on.room, on.identities, { draft: 'not sent', earlier: true });
const memberOf = (person: Person) => view().members.find(({ memberId }) => memberId === person.id);
const shown = (): readonly TimelineItem[] =>
  recordsOf(on.source.state).flatMap((record) => itemsOf(on.source, record));
const become = (fields: Partial<RoomCore>): Promise<void> => change(on.source.state, set(fields));

/** The presence of a person, as this room hears it. */
const heard = (person: Person): void => {
  const { roster, epoch, position, t, key: roomKey } = on.log;
  const content = { type: 'presence', seen: { position, t: t.slice(0, 32) }, head: roster.head } as const;
  const now = on.clock.now();
  const body = {
    roomId: roster.roomId, epoch, sender: person.id, instance: person.instance, counter: now, sentAt: now, content,
  }; // prettier-ignore
  const payload = sealSignal({ identity: person.identity, roomKey, body });
  on.room.signals.onSignal({ sender: person.id, epoch, payload });
};

describe('a member', () => {
  test('is here once heard of', () => {
    on.room.signals.live();
    expect(memberOf(on.log.owner)).toMatchObject({ online: false, me: false, owner: true });
    heard(on.log.owner);
    expect(memberOf(on.log.owner)).toMatchObject({ online: true, lastSeen: START });
    expect(memberOf(on.guest)).toMatchObject({ me: true, online: true });
  });

  test('has applied the last departure by what it signs in the epoch after it: in the log for good, or by a signal', async () => {
    const people: Person[] = [];
    for (let at = 0; at < 3; at++) {
      const { person, entry } = await on.log.admit();
      people.push(person);
      await on.take(entry);
    }
    const [leaver, third, fourth] = people as [Person, Person, Person];
    const receipts = () => [on.log.owner, on.guest, third, fourth].map((who) => memberOf(who)?.receipt);
    const all = ['log', 'log', 'log', 'log'];
    on.room.signals.live();
    // Nobody has departed: there is nothing to apply.
    expect(receipts()).toEqual(all);
    heard(third);
    await on.take(await on.log.say(third, 'before it'));
    await on.take(await on.log.change('remove', { member: leaver.id, reason: 'removed' }));
    // Its signer has; whose line and presence are of the epoch that ends has not.
    expect(receipts()).toEqual(['log', 'log', 'none', 'none']);
    await on.take(await on.log.rotate(on.guest.id));
    expect(receipts()).toEqual(['log', 'log', 'none', 'none']);
    on.clock.advance(1_000);
    heard(third);
    expect(receipts()).toEqual(['log', 'log', 'presence', 'none']);
    await on.take(await on.log.say(fourth, 'after it'));
    expect(receipts()).toEqual(['log', 'log', 'presence', 'log']);
    // Who comes after it has it in the chain that led there.
    const { person: late, entry } = await on.log.admit();
    await on.take(entry);
    expect(memberOf(late)?.receipt).toBe('log');
    // Whatever comes later: one entry in that epoch is enough.
    await on.take(await on.log.say(third, 'after it too'), await on.log.rotate(on.guest.id));
    expect(receipts()).toEqual(all);
  });

  test('of a room of an earlier version has nothing to apply: its chain is not read', async () => {
    const { roster } = on.source.state;
    const former = new Map([[on.guest.id, { key: new Uint8Array(1), how: 'left' as const }]]);
    await change(
      on.source.state,
      extendChain(nodeRandom.bytes(100), nodeRandom.bytes(32), { ...roster, former }),
    );
    expect(view).toThrow('container');
    Object.assign(on.room, { outdated: true });
    expect(memberOf(on.log.owner)?.receipt).toBe('log');
  });

  test('carries its marks: verified, leaving, confusable', async () => {
    await on.name(on.log.owner, 'Amina');
    await on.name(on.guest, 'Аmina');
    const leaver = { memberId: on.log.owner.id, request: new Uint8Array(1) };
    await become({ verified: [on.log.owner.id], leaving: [leaver] });
    expect(memberOf(on.log.owner)).toMatchObject({
      name: 'Amina', verified: true, leaving: true, confusable: true, removing: false, oldPrekey: false,
      fingerprint: await fingerprintOf(nodeHash, on.log.owner.identity.publicKey),
    }); // prettier-ignore
    await become({ people: on.source.state.core.people.slice(0, 1) });
    expect(memberOf(on.log.owner)?.confusable).toBe(false);
  });

  test('is being removed from the moment the owner asks until the log says so', async () => {
    on = await stage('owner');
    const { core, roster } = on.source.state;
    await become({ wrappedTo: [{ memberId: on.guest.id, k: 1, again: true }] });
    expect(memberOf(on.guest)).toMatchObject({ removing: false, oldPrekey: true });
    await become({ tasks: { ...core.tasks, removals: [on.guest.id] } });
    expect(memberOf(on.guest)?.removing).toBe(true);
    await become({ tasks: { ...core.tasks, removals: [] } });
    const entry = signBody(core.identity, 'remove', {
      roomId: core.roomId, epoch: core.epoch, head: roster.head, owner: core.me, member: on.guest.id, reason: 'removed',
    }); // prettier-ignore
    const command = { kind: 'rotate' as const, rotation: null, candidate: null, inviteId: null, reply: null };
    await become({ pending: { ...command, entry } });
    expect(memberOf(on.guest)?.removing).toBe(true);
    expect(memberOf(on.log.owner)?.removing).toBe(false);
  });
});

describe('the room', () => {
  test('says why nothing is sent', async () => {
    expect(view().paused).toBeNull();
    await become({ keys: on.source.state.core.keys.map((key) => ({ ...key, key: null })) });
    expect(view().paused).toBe('key');
    on.fake.restoring = true;
    expect(view().paused).toBe('restore');
    await become({ paused: true });
    expect(view().paused).toBe('departure');
    await become({ stage: 'left' });
    expect(view().paused).toBeNull();
  });

  test('is leaving until it has left, and closing until it is closed', async () => {
    await become({ leaveRequest: new Uint8Array(1) });
    expect(view().leaving).toBe(true);
    await become({ stage: 'left' });
    expect(view().leaving).toBe(false);
    on = await stage('owner');
    const { core, roster } = on.source.state;
    await become({ tasks: { ...core.tasks, close: true } });
    expect(view().closing).toBe(true);
    await become({ tasks: { ...core.tasks, close: false } });
    const { roomId, me, identity } = core;
    const entry = signBody(identity, 'close', { roomId, epoch: 1, head: roster.head, owner: me });
    const command = { kind: 'roster' as const, rotation: null, candidate: null, inviteId: null, reply: null };
    await become({ pending: { ...command, entry } });
    expect(view().closing).toBe(true);
    await become({ stage: 'closed' });
    expect(view().closing).toBe(false);
  });

  test('tells each side of a hand-over of the other', async () => {
    for (const [by, role] of [['guest', 'offered'], ['owner', 'offering']] as const) {
      on = await stage(by);
      const other = by === 'guest' ? on.log.owner : on.guest;
      await on.name(other, 'The other');
      expect(view().ownershipTransfer).toBeNull();
      const offer = { memberId: other.id, nonce: nodeRandom.bytes(16), since: START, offer: new Uint8Array(1) };
      await become({ ownershipTransfer: { ...offer, acceptance: null } });
      const told = { role, memberId: other.id, name: 'The other', since: START };
      expect(view().ownershipTransfer).toEqual({ ...told, accepted: false });
      await become({ ownershipTransfer: { ...offer, acceptance: new Uint8Array(1) } });
      expect(view().ownershipTransfer).toEqual({ ...told, accepted: true });
    }
  }); // prettier-ignore

  test('says since when its owner is away, to the others alone, and only once that is known', async () => {
    on.room.signals.live();
    heard(on.log.owner);
    expect(view().ownerAwaySince).toBeNull();
    on.clock.advance(119_999);
    expect(view().ownerAwaySince).toBeNull();
    on.clock.advance(1);
    expect(view().ownerAwaySince).toBe(START);
    on = await stage('owner');
    on.room.signals.live();
    on.clock.advance(600_000);
    expect(view().ownerAwaySince).toBeNull();
  });

  test('carries what is typed here and by whom elsewhere, and where unread begins', async () => {
    await become({ readIndex: 3 });
    expect(view()).toMatchObject({
      draft: 'not sent', earlier: true, unreadFrom: 48, typing: [], settings: { rotateEvery: 100, approval: false },
    }); // prettier-ignore
    expect(summaryOf(on.room, 'not sent')).toMatchObject({
      draft: 'not sent',
      unread: 0,
      alarms: 0,
      last: null,
    });
  });

  test('shows the settings as they are, and as they are to be while that waits', async () => {
    on = await stage('owner');
    const { roster, core } = on.source.state;
    expect(view()).toMatchObject({ settings: roster.settings, settingsWished: null });
    const wished = { ...roster.settings, rotateEvery: 7 };
    await become({ tasks: { ...core.tasks, settings: wished } });
    expect(view()).toMatchObject({ settings: roster.settings, settingsWished: wished });
    await on.take(await on.log.change('settings', { settings: wished }));
    expect(view()).toMatchObject({ settings: wished, settingsWished: null, key: { rotateEvery: 7 } });
  });

  test('shows a join that waits for the owner’s word with the number both can compare', async () => {
    on = await stage('owner');
    const { state } = on.source;
    const settings = { ...state.roster.settings, approval: true };
    await on.take(await on.log.change('settings', { settings }));
    const joiner = generateKeyPair().publicKey;
    const invite: OwnerInvite = {
      inviteId: 'AAAAAAAAAAAAAAAAAAAAAA' as OwnerInvite['inviteId'], made: 5, expires: 9, pair: null, token: null,
      stage: 'asked', approved: false, replies: [], repliedAt: null, dropReason: null,
      joiner: { key: joiner, name: 'Tomás', joinKey: null, prekey: new Uint8Array(1), ek: new Uint8Array(1_184), request: new Uint8Array(1) },
    }; // prettier-ignore
    await change(state, putInvite(invite));
    await on.identities.load(state);
    expect(view().approvals).toEqual([
      {
        inviteId: invite.inviteId,
        name: 'Tomás',
        fingerprint: await fingerprintOf(nodeHash, joiner),
        safetyNumber: (
          await safetyNumber(nodeHash, state.core.roomId, state.core.identity.publicKey, joiner)
        ).replaceAll(' ', ''),
        invited: 5,
      },
    ]);
    await change(state, putInvite({ ...invite, approved: true }));
    expect(view().approvals).toEqual([]);
  });
});

describe('the conversation', () => {
  const target = (person: Person, n: number) => ({ sender: person.id, instance: person.instance, n });

  test('shows messages with all that became of them', async () => {
    await on.name(on.log.owner, 'Amina');
    await on.name(on.guest, 'Inès');
    await on.take(
      await on.log.say(on.log.owner, 'a question'),
      await on.send(on.guest, { type: 'reply', to: target(on.log.owner, 1), text: 'an answer' }),
      await on.send(on.log.owner, { type: 'reaction', to: target(on.guest, 1), emoji: '👍', on: true }),
      await on.send(on.log.owner, { type: 'edit', to: target(on.log.owner, 1), text: 'a better question' }),
      await on.send(on.log.owner, { type: 'readMarker', position: { ...on.log.position } }),
    );
    const messages = shown().filter(({ type }) => type === 'message');
    expect(messages).toMatchObject([
      { text: 'a better question', edited: true, mine: false, state: 'relayed', replyTo: null },
      {
        text: 'an answer', edited: false, mine: true, state: 'read', readBy: 1, readers: ['Amina'],
        replyTo: { id: messages[0]?.id, senderName: 'Amina', text: 'a better question' },
        reactions: [{ emoji: '👍', count: 1, mine: false, names: ['Amina'] }],
      },
    ]); // prettier-ignore
    await on.take(await on.send(on.log.owner, { type: 'delete', to: target(on.log.owner, 1) }));
    expect(shown().filter(({ type }) => type === 'message')).toMatchObject([
      { text: '', deleted: true, edited: false },
      { replyTo: { id: messages[0]?.id, text: '' } },
    ]);
    expect(summaryOf(on.room, '').last).toMatchObject({ sender: 'Inès', mine: true, text: 'an answer' });
  });

  test('tells of the room’s new name, given by its owner, and not of its first', async () => {
    await on.take(
      await on.send(on.log.owner, { type: 'roomName', name: 'First' }),
      await on.send(on.guest, { type: 'roomName', name: 'Not the owner’s' }),
      await on.send(on.log.owner, { type: 'roomName', name: 'Second' }),
      await on.send(on.log.owner, { type: 'roomName', name: 'Second' }),
    );
    const renamed = shown().filter((item) => item.type === 'system' && item.event === 'name');
    expect(renamed).toMatchObject([{ params: { name: 'Second', actorMe: 0 }, me: false }]);
    expect(view().name).toBe('Second');
  });

  test('a quote of what is not here says so, and a long one is cut between characters', async () => {
    const long = '😀'.repeat(1_000);
    await on.take(
      await on.send(on.guest, { type: 'reply', to: target(on.log.owner, 99), text: 'to what?' }),
      await on.log.say(on.log.owner, long),
      await on.send(on.guest, { type: 'reply', to: target(on.log.owner, 1), text: 'so long' }),
    );
    const quotes = shown().flatMap((item) => (item.type === 'message' ? [item.replyTo] : []));
    expect(quotes[0]).toMatchObject({ id: null, text: '' });
    expect(quotes[2]?.text).toBe(`${'😀'.repeat(280)}…`);
  });

  test('what waits for its key shows nothing; alarms stand in place', async () => {
    const { state } = on.source;
    const entry = {
      position: { g: 1, s: 9 }, kind: 'message' as const, sender: on.log.owner.id, time: 1, clear: new Uint8Array(1),
      payload: new Uint8Array(1),
    }; // prettier-ignore
    const before = shown().length;
    await change(
      state,
      append(null, 1, [{ type: 'sealed', entry, before: { g: 1, s: 8 } }]),
      append(null, 2, [
        alarm(ALARM_CODES.ALARM_RELAY_LOST, null, { from: 1, to: 2, restored: 2 }),
        system('offered', { actor: on.log.owner.id, member: on.guest.id }),
      ]),
    );
    expect(shown().slice(before)).toMatchObject([
      { type: 'alarm', code: 'ALARM_RELAY_LOST', params: { from: 1, to: 2, restored: 2 }, settled: true },
      { type: 'system', event: 'offered', me: true, params: { actorMe: 0 } },
    ]);
  });
});

describe('what the relay sees', () => {
  test('are the entries as it has them, beside what they say here', async () => {
    await on.name(on.log.owner, 'Amina');
    const entry = await on.log.say(on.log.owner, 'sealed words');
    await on.take(entry, await on.log.rotate(on.guest.id));
    await change(on.source.state, append(null, 1, [system('offered')]));
    const rows = relayRowsOf(on.source.state, on.identities, 2, START);
    expect(rows).toMatchObject([
      {
        position: entry.position, kind: 'message', sender: on.log.owner.id, time: entry.time,
        clearBytes: entry.clear.length, payloadBytes: entry.payload.length, senderName: 'Amina', what: 'text',
        says: 'sealed words', sample: Buffer.from(entry.payload.slice(0, 48)).toString('hex'),
      },
      { kind: 'rotation', what: 'rotated', says: '' },
    ]); // prettier-ignore
    expect(relayRowsOf(on.source.state, on.identities, 500, START)).toHaveLength(4);
  });
});
