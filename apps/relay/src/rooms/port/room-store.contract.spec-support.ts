/**
 * What every store does, whichever it is: run by the spec of each implementation, unchanged.
 *
 * A store knows nothing of cryptography: bodies, heads and payloads here are any bytes.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import {
  bytes, contractRoom, DAY, GUEST, id, INVITE, message, OWNER, ROOM, rotation, settingsTo, THIRD,
} from './contract-room.spec-support.js'; // prettier-ignore
import type { AppendMessage, RoomStore } from './room-store.js';
import { upkeepContract } from './upkeep.contract.spec-support.js';

interface StoreUnderTest {
  readonly store: RoomStore;
  /** Stops the store and starts it again on the same data; null where nothing is kept. */
  readonly restart: (() => Promise<RoomStore>) | null;
  readonly dispose: () => Promise<void>;
}
/** `now` is the store's clock. */
export type StoreFactory = (now: () => number) => Promise<StoreUnderTest>;

export function roomStoreContract(name: string, factory: StoreFactory): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: RoomStore;
    let now = 1_800_000_000_000;

    beforeEach(async () => {
      now = 1_800_000_000_000;
      under = await factory(() => now);
      ({ store } = under);
    });
    afterEach(() => under.dispose());

    const { create, read, readAll, append, facts, role, invite, claim, entry, join, listen } = contractRoom(
      () => store,
      () => now,
    );

    describe('rooms', () => {
      test('genesis is entry 0 at (1,0), and creating it again succeeds', async () => {
        const first = await create();
        expect(first).toMatchObject({ ok: true, placed: { position: { g: 1, s: 0 } } });
        expect(await create()).toEqual(first);
        const page = await readAll(OWNER, null);
        expect(page.entries).toMatchObject([{ position: { g: 1, s: 0 }, kind: 'roster', sender: OWNER }]);
        expect(page.entries[0]?.payload).toEqual(bytes('genesis', 100));
        expect(page).toMatchObject({ role: 'owner', end: true, generations: [], prekey: null });
        expect(page.room).toMatchObject({ epoch: 1, length: 1, epochMessages: 0, tip: { g: 1, s: 0 } });
      });

      test('another genesis under the same id is refused', async () => {
        await create();
        const other = {
          roomId: ROOM,
          genesis: bytes('x'),
          head: bytes('other'),
          owner: GUEST,
          history: 1_000,
          restored: false,
        };
        expect(await store.createRoom(other)).toEqual({ ok: false, code: 'ROOM_EXISTS' });
      });

      test('that a member brings back begins a generation: its positions were given before', async () => {
        await create({ restored: true });
        const { tip } = await facts();
        expect(tip.g).toBeGreaterThan(1);
        expect(tip.s).toBe(0);
        const page = await read(OWNER, { g: 1, s: 40 });
        expect(page).toMatchObject({
          generations: [{ generation: tip.g, from: { g: 1, s: 0 } }],
          entries: [],
        });
      });

      test('what is unknown is told as such, by every command', async () => {
        const unknown = { ok: false, code: 'ROOM_UNKNOWN' };
        expect(await store.readRoom(ROOM, OWNER)).toEqual(unknown);
        expect(await append(OWNER, message('a'))).toEqual(unknown);
        expect(await store.readChain(ROOM, 0, 10)).toEqual(unknown);
        expect(await invite()).toEqual(unknown);
        expect(await claim(GUEST)).toEqual(unknown);
        expect(
          await store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('h'), rotation: rotation(2) }),
        ).toEqual(unknown);
      });
    });

    describe('append', () => {
      test('places in one order, and a repetition where it stands', async () => {
        await create();
        await join(GUEST);
        const a = await append(OWNER, message('a'), message('b'));
        const b = await append(GUEST, message('c'));
        expect(a).toMatchObject({ ok: true, placed: [{ position: { s: 2 } }, { position: { s: 3 } }] });
        expect(b).toMatchObject({ placed: [{ position: { s: 4 } }] });
        expect(await append(OWNER, message('b'), message('d'))).toMatchObject({
          placed: [{ position: { s: 3 } }, { position: { s: 5 } }],
        });
        const { entries, room } = await readAll(OWNER, { g: 1, s: 1 });
        expect(entries.map(({ position }) => position.s)).toEqual([2, 3, 4, 5]);
        expect(room.epochMessages).toBe(4);
      });

      test('the same payload of another sender is another message', async () => {
        await create();
        await join(GUEST);
        await append(OWNER, message('same'));
        expect(await append(GUEST, message('same'))).toMatchObject({ placed: [{ position: { s: 3 } }] });
      });

      test('the same payload twice in one list is one message', async () => {
        await create();
        const verdict = await append(OWNER, message('a'), message('a'), message('b'));
        expect(verdict).toMatchObject({
          placed: [{ position: { s: 1 } }, { position: { s: 1 } }, { position: { s: 2 } }],
        });
      });

      test('a refusal ends the prefix: another epoch', async () => {
        await create();
        expect(await append(OWNER, message('a'), message('b', 2), message('c'))).toMatchObject({
          ok: true,
          placed: [{ position: { s: 1 } }],
          refused: 'EPOCH_AHEAD',
        });
        await store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) });
        expect(await append(OWNER, message('d', 1))).toMatchObject({ placed: [], refused: 'STALE_EPOCH' });
        // Repetition comes before the epoch (section 6).
        expect(await append(OWNER, message('a', 1))).toMatchObject({ placed: [{ position: { s: 1 } }] });
      });

      test('the rate refuses with a time to wait, and not what is there already', async () => {
        await create();
        const rate = { perSecond: 2, burst: 2 };
        const send = (...messages: AppendMessage[]) =>
          store.append({ roomId: ROOM, sender: OWNER, messages, rate });
        const verdict = await send(message('a'), message('b'), message('c'));
        expect(verdict).toMatchObject({ refused: 'RATE_LIMITED' });
        expect(verdict.ok && verdict.placed).toHaveLength(2);
        expect(verdict.ok && (verdict.retryMs ?? 0)).toBeGreaterThan(0);
        expect(await send(message('a'))).not.toHaveProperty('refused');
        now += 1_000;
        expect(await send(message('c'))).not.toHaveProperty('refused');
      });

      test('only members append', async () => {
        await create();
        expect(await append(GUEST, message('a'))).toEqual({ ok: false, code: 'FORBIDDEN' });
      });

      test('a race leaves every message once, in one order for all', async () => {
        await create();
        await join(GUEST);
        const { events } = await listen();
        const texts = Array.from({ length: 40 }, (_, n) => `m${String(n)}`);
        await Promise.all(
          texts.flatMap((text, n) => {
            const sender = n % 2 === 0 ? OWNER : GUEST;
            return [append(sender, message(text)), append(sender, message(text))];
          }),
        );
        const { entries } = await readAll(OWNER, { g: 1, s: 1 });
        expect(entries).toHaveLength(40);
        const told = events.flatMap((event) => (event.type === 'entries' ? event.entries : []));
        expect(told.map(({ position }) => position)).toEqual(entries.map(({ position }) => position));
      });
    });

    describe('reading', () => {
      test('goes by pages and says where the tip is', async () => {
        await create();
        await append(OWNER, ...Array.from({ length: 5 }, (_, n) => message(String(n))));
        const first = await read(OWNER, { g: 1, s: 0 }, 3);
        expect(first).toMatchObject({ end: false });
        const second = await read(OWNER, { g: 1, s: 3 }, 3);
        expect(second).toMatchObject({
          end: true,
          entries: [{ position: { s: 4 } }, { position: { s: 5 } }],
        });
        expect(await read(OWNER, { g: 1, s: 5 }, 3)).toMatchObject({ end: true, entries: [] });
      });

      test('bytes bound a page, but one entry is always read', async () => {
        await create();
        await append(OWNER, message('a'), message('b'));
        const verdict = await store.readLog({
          roomId: ROOM, memberId: OWNER, after: { g: 1, s: 0 }, maxEntries: 10, maxBytes: 1, maxGenerations: 3,
        }); // prettier-ignore
        expect(verdict).toMatchObject({ ok: true, page: { end: false, entries: [{ position: { s: 1 } }] } });
      });

      test('a newcomer gets nothing before its floor, whatever it asks for', async () => {
        await create();
        await append(OWNER, message('old'));
        await store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) });
        await append(OWNER, message('new', 2));
        await join(GUEST);
        const page = await readAll(GUEST, { g: 1, s: 0 });
        expect(page.entries.map(({ position }) => position.s)).toEqual([3, 4]);
        expect((await readAll(GUEST, null)).entries.map(({ position }) => position.s)).toEqual([2, 3, 4]);
      });

      test('each member reads its own wrap and no other', async () => {
        await create();
        await join(GUEST);
        const { head } = await facts();
        await store.rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(2, 'r', [OWNER, GUEST]) });
        for (const member of [OWNER, GUEST]) {
          const { entries } = await readAll(member, { g: 1, s: 1 });
          expect(entries[0]?.wrap).toEqual(bytes(`wrap ${member}`, 50));
        }
      });

      test('strangers read nothing', async () => {
        await create();
        const verdict = await store.readLog({
          roomId: ROOM, memberId: GUEST, after: null, maxEntries: 10, maxBytes: 1_000, maxGenerations: 3,
        }); // prettier-ignore
        expect(verdict).toEqual({ ok: false, code: 'FORBIDDEN' });
      });

      test('the chain is read from any index', async () => {
        await create();
        await join(GUEST);
        const verdict = await store.readChain(ROOM, 1, 10);
        expect(verdict).toMatchObject({ ok: true, length: 2, entries: [bytes(`entry admit ${GUEST}`, 90)] });
        expect(await store.readChain(ROOM, 0, 1)).toMatchObject({ entries: [bytes('genesis', 100)] });
      });
    });

    describe('rotations', () => {
      test('compare epoch and head; the same again stands where it is', async () => {
        await create();
        const command = { roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) };
        const first = await store.rotate(command);
        expect(first).toMatchObject({ ok: true, placed: { position: { s: 1 } } });
        expect(await store.rotate(command)).toEqual(first);
        expect(await store.rotate({ ...command, rotation: rotation(2, 'other') })).toMatchObject({
          code: 'STALE_EPOCH',
        });
        expect(await store.rotate({ ...command, rotation: rotation(4) })).toMatchObject({
          code: 'EPOCH_AHEAD',
        });
        expect(await store.rotate({ ...command, head: bytes('x'), rotation: rotation(3) })).toMatchObject({
          code: 'STALE_HEAD',
        });
        expect(await store.findRotation(ROOM, 2, rotation(2).hash)).toMatchObject({
          placed: { position: { s: 1 } },
        });
        expect(await facts()).toMatchObject({ epoch: 2, epochStart: { g: 1, s: 1 }, epochMessages: 0 });
      });

      test('of two at one time one wins', async () => {
        await create();
        const results = await Promise.all(
          ['a', 'b', 'c'].map((seed) =>
            store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2, seed) }),
          ),
        );
        expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      });
    });

    describe('the roster', () => {
      test('an entry compares the head; the same again stands where it is', async () => {
        await create();
        const first = await entry('s', settingsTo(1_000));
        expect(first).toMatchObject({ ok: true, placed: { position: { s: 1 } } });
        expect(await entry('s', settingsTo(1_000), { before: bytes('head0') })).toEqual(first);
        expect(await entry('t', settingsTo(1_000), { before: bytes('head0') })).toMatchObject({
          code: 'STALE_HEAD',
        });
        expect(await entry('u', settingsTo(1_000), { signer: GUEST })).toMatchObject({
          code: 'STALE_HEAD',
        });
        expect(await facts()).toMatchObject({ length: 2, head: bytes('s') });
        expect(await store.findRoster(ROOM, bytes('s'))).toMatchObject({ placed: { position: { s: 1 } } });
        expect(await store.findRoster(ROOM, bytes('t'))).toMatchObject({ placed: null });
      });

      test('settings have a quota, which refuses them and nothing else', async () => {
        await create();
        await join(GUEST);
        const few = { entries: 3 };
        for (const n of [1, 2, 3])
          expect(await entry(`s${String(n)}`, settingsTo(n, few))).toMatchObject({ ok: true });
        const before = await facts();
        expect(await entry('s4', settingsTo(4, few))).toEqual({ ok: false, code: 'SETTINGS_LIMIT' });
        // Brought back or not: restoring adds no more than there can have been.
        expect(await entry('s4', settingsTo(4, few), { restored: true })).toMatchObject({
          code: 'SETTINGS_LIMIT',
        });
        expect(await facts()).toEqual(before);
        const { head } = before;
        expect(
          await entry('rm', { kind: 'remove', member: GUEST }, { before: head, rotation: rotation(2) }),
        ).toMatchObject({
          ok: true,
        });
        expect(await entry('s5', settingsTo(5, { entries: 4 }))).toMatchObject({ ok: true });
        expect(await entry('end', { kind: 'close' })).toMatchObject({ ok: true });
      });

      test('settings have a rate, which those that are brought back do not, nor what stands already', async () => {
        await create();
        const slow = { rate: { perSecond: 0.001, burst: 2 } };
        const one = await entry('s1', settingsTo(1, slow));
        const { head } = await facts();
        expect(await entry('s2', settingsTo(2, slow))).toMatchObject({ ok: true });
        const refused = await entry('s3', settingsTo(3, slow));
        expect(refused).toMatchObject({ ok: false, code: 'RATE_LIMITED' });
        expect((refused as { retryMs: number }).retryMs).toBeGreaterThan(900_000);
        expect((refused as { retryMs: number }).retryMs).toBeLessThanOrEqual(1_000_000);
        expect(await entry('s1', settingsTo(1, slow), { before: head })).toEqual(one);
        expect(await entry('s4', settingsTo(4, slow), { restored: true })).toMatchObject({ ok: true });
        expect(await entry('s5', settingsTo(5, slow))).toMatchObject({ code: 'RATE_LIMITED' });
        // A refused one takes nothing from what there is.
        expect(await entry('s6', settingsTo(6, slow), { before: bytes('elsewhere') })).toMatchObject({
          code: 'STALE_HEAD',
        });
      });

      test('a removal takes its rotation along, in one step, and its repetition finds both', async () => {
        await create();
        await join(GUEST);
        const { head } = await facts();
        const { events } = await listen();
        const remove = () =>
          entry('rm', { kind: 'remove', member: GUEST }, { before: head, rotation: rotation(2) });
        const first = await remove();
        expect(first).toMatchObject({ placed: { position: { s: 2 } }, rotation: { position: { s: 3 } } });
        expect(await remove()).toEqual(first);
        expect(events.map((event) => (event.type === 'standing' ? event.role : event.type))).toEqual([
          'entries', 'departed', 'entries',
        ]); // prettier-ignore
        expect(await role(GUEST)).toBe('departed');
        expect(await append(GUEST, message('late'))).toEqual({ ok: false, code: 'FORBIDDEN' });
        expect(
          await entry('rm2', { kind: 'remove', member: GUEST }, { rotation: rotation(5) }),
        ).toMatchObject({ code: 'EPOCH_AHEAD' });
      });

      test('the departed read the entry that says so, and nothing later', async () => {
        await create();
        await join(GUEST);
        await append(OWNER, message('before'));
        await entry('rm', { kind: 'remove', member: GUEST }, { rotation: rotation(2) });
        await append(OWNER, message('after', 2));
        const page = await read(GUEST, { g: 1, s: 0 });
        expect(page).toMatchObject({ role: 'departed', epoch: 1, entry: { payload: bytes('entry rm', 90) } });
      });

      test('the departed read the chain up to their own entry, and nothing later', async () => {
        await create();
        await join(GUEST);
        await join(THIRD, id('third'));
        await entry('transfer', { kind: 'transfer', from: OWNER, to: THIRD });
        await entry('rm', { kind: 'remove', member: GUEST }, { signer: THIRD, rotation: rotation(2) });
        const upTo = bytes('entry rm', 90);
        expect(await store.readChain(ROOM, 3, 10, GUEST)).toMatchObject({ length: 5, entries: [{}, upTo] });
        await store.leave({ roomId: ROOM, memberId: OWNER, request: bytes('bye') });
        await entry('later', { kind: 'settings', history: 9, limits: { entries: 9, rate: { perSecond: 1, burst: 9 } } }, { signer: THIRD });
        expect(await store.readChain(ROOM, 3, 10, GUEST)).toMatchObject({ length: 5, entries: [{}, upTo] });
        expect(await store.readChain(ROOM, 4, 1, GUEST)).toMatchObject({ length: 5, entries: [upTo] });
        expect(await store.readChain(ROOM, 5, 10, GUEST)).toMatchObject({ length: 5, entries: [] });
        // Who has asked to leave reads it as it was then, until its owner's entry is there.
        expect(await store.readChain(ROOM, 5, 10, OWNER)).toMatchObject({ length: 5, entries: [] });
        await entry('left', { kind: 'leave', member: OWNER }, { signer: THIRD, rotation: rotation(3) });
        expect(await store.readChain(ROOM, 5, 10, OWNER)).toMatchObject({ length: 7, entries: [{}, bytes('entry left', 90)] });
        await entry('close', { kind: 'close' }, { signer: THIRD });
        expect(await store.readChain(ROOM, 3, 10, GUEST)).toMatchObject({ length: 5, entries: [{}, upTo] });
        expect(await store.readChain(ROOM, 7, 10, THIRD)).toMatchObject({ length: 8, entries: [bytes('entry close', 90)] });
        expect(await store.readChain(ROOM, 0, 10, id('nobody'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
        expect(await store.readChain(ROOM, 0, 10)).toEqual({ ok: false, code: 'ROOM_CLOSED' });
        await store.eraseRoom(ROOM);
        expect(await store.readChain(ROOM, 0, 10, THIRD)).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      }); // prettier-ignore

      test('a leaver acts no more; its request and then its entry is what it reads', async () => {
        await create();
        await join(GUEST);
        const leave = () => store.leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
        const first = await leave();
        expect(first).toMatchObject({ ok: true, placed: { position: { s: 2 } } });
        expect(await leave()).toEqual(first);
        expect(await append(GUEST, message('x'))).toEqual({ ok: false, code: 'FORBIDDEN' });
        expect(await read(GUEST, null)).toMatchObject({ role: 'departed', entry: { kind: 'leaveRequest' } });
        await entry('leave', { kind: 'leave', member: GUEST }, { rotation: rotation(2) });
        expect(await read(GUEST, null)).toMatchObject({ role: 'departed', entry: { kind: 'roster' } });
        expect(await claim(GUEST)).toMatchObject({ code: 'WAS_MEMBER' });
      });

      test('a hand-over changes the owner, drops joins and revokes invites', async () => {
        await create();
        await join(GUEST);
        const open = id('open');
        const claimed = id('claimed');
        await invite(open);
        await invite(claimed);
        await claim(THIRD, claimed);
        expect(await store.putOffer(ROOM, GUEST, bytes('offer'))).toEqual({ ok: true });
        expect(await store.putAcceptance(ROOM, GUEST, bytes('yes'))).toEqual({ ok: true });
        expect(await store.readOffer(ROOM)).toMatchObject({
          offer: { from: OWNER, to: GUEST, acceptance: bytes('yes') },
        });
        await entry('transfer', { kind: 'transfer', from: OWNER, to: GUEST });
        expect([await role(OWNER), await role(GUEST)]).toEqual(['member', 'owner']);
        expect(await claim(THIRD, open)).toMatchObject({ code: 'INVITE_REVOKED' });
        expect(await claim(THIRD, claimed)).toMatchObject({ state: { stage: 'dropped' } });
        expect(await store.readOffer(ROOM)).toMatchObject({ offer: null });
      });

      test('close erases; members read the last entry, others that it is closed', async () => {
        await create();
        await join(GUEST);
        await append(OWNER, message('x'));
        const { events } = await listen();
        await entry('close', { kind: 'close' });
        expect(events.at(-1)).toEqual({ type: 'closed' });
        expect(await read(GUEST, null)).toMatchObject({
          role: 'departed',
          entry: { payload: bytes('entry close', 90) },
        });
        expect([await role(OWNER), await role(THIRD)]).toEqual(['departed', 'ROOM_CLOSED']);
        expect(await create()).toEqual({ ok: false, code: 'ROOM_CLOSED' });
        expect(await append(OWNER, message('y'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      });
    });

    describe('invites', () => {
      test('have one winner under any race, who may repeat', async () => {
        await create();
        await invite();
        const results = await Promise.all([claim(GUEST), claim(THIRD), claim(GUEST)]);
        expect(results.map((result) => (result.ok ? result.state.stage : result.code))).toEqual([
          'claimed', 'INVITE_TAKEN', 'claimed',
        ]); // prettier-ignore
        expect(await role(GUEST)).toBe('joiner');
        expect(await role(THIRD)).toBe('stranger');
      });

      test('tell unknown, expired, revoked, used and taken apart', async () => {
        await create();
        expect(await claim(GUEST)).toMatchObject({ code: 'INVITE_UNKNOWN' });
        await invite(INVITE, now + 1_000);
        now += 1_001;
        expect(await claim(GUEST)).toMatchObject({ code: 'INVITE_EXPIRED' });
        const revoked = id('revoked');
        await invite(revoked);
        expect(await store.revokeInvite(ROOM, revoked)).toEqual({ ok: true });
        expect(await store.revokeInvite(ROOM, revoked)).toEqual({ ok: true });
        expect(await claim(GUEST, revoked)).toMatchObject({ code: 'INVITE_REVOKED' });
        const used = id('used');
        expect(await join(GUEST, used)).toMatchObject({ ok: true });
        expect(await claim(THIRD, used)).toMatchObject({ code: 'INVITE_USED' });
        expect(await claim(GUEST, used)).toMatchObject({ state: { stage: 'admitted', reply: { epoch: 1 } } });
        expect(await claim(OWNER, used)).toMatchObject({ code: 'ALREADY_MEMBER' });
      });

      test('are bounded, and registering one again succeeds', async () => {
        await create();
        for (const seed of ['1', '2', '3']) expect(await invite(id(seed))).toEqual({ ok: true });
        expect(await invite(id('1'))).toEqual({ ok: true });
        expect(await invite(id('1'), now + 1)).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await invite(id('4'))).toMatchObject({ code: 'INVITE_LIMIT' });
        now += 2 * DAY;
        expect(await invite(id('4'))).toEqual({ ok: true });
        expect(await invite(id('5'), now - 1)).toMatchObject({ code: 'BAD_ENTRY' });
      });

      test('a join goes by its steps, each repeatable, none by another key', async () => {
        await create();
        await invite();
        await claim(GUEST);
        const request = (member: MemberId, seed = 'request') =>
          store.putJoinRequest({ roomId: ROOM, inviteId: INVITE, memberId: member, request: bytes(seed) });
        const confirm = (member: MemberId, epoch = 1) =>
          store.putJoinConfirm({
            roomId: ROOM,
            inviteId: INVITE,
            memberId: member,
            epoch,
            payload: bytes('confirm'),
          });
        const reply = (epoch: number) =>
          store.putJoinReply({
            roomId: ROOM,
            inviteId: INVITE,
            epoch,
            payload: bytes(`reply${String(epoch)}`),
          });
        expect(await reply(1)).toMatchObject({ code: 'INVITE_UNKNOWN' });
        expect(await request(THIRD)).toMatchObject({ code: 'INVITE_UNKNOWN' });
        expect(await request(GUEST)).toMatchObject({ state: { stage: 'requested' } });
        expect(await request(GUEST)).toMatchObject({ state: { stage: 'requested' } });
        expect(await request(GUEST, 'other')).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await confirm(GUEST)).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await store.pendingJoins(ROOM)).toMatchObject({
          joins: [{ inviteId: INVITE, request: bytes('request') }],
        });
        expect(await reply(2)).toMatchObject({ code: 'EPOCH_AHEAD' });
        expect(await reply(1)).toEqual({ ok: true });
        expect(await claim(GUEST)).toMatchObject({
          state: { stage: 'replied', reply: { payload: bytes('reply1') } },
        });
        expect(await confirm(THIRD)).toMatchObject({ code: 'INVITE_UNKNOWN' });
        expect(await confirm(GUEST, 2)).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await confirm(GUEST)).toMatchObject({ state: { stage: 'confirmed' } });
        const admit = {
          kind: 'admit',
          member: THIRD,
          key: bytes(THIRD, 45),
          inviteId: INVITE,
        } as const;
        expect(await entry('wrong', admit)).toMatchObject({ code: 'INVITE_UNKNOWN' });
        expect(await entry('early', { ...admit, member: GUEST }, { epoch: 2 })).toMatchObject({
          code: 'EPOCH_AHEAD',
        });
        expect(await entry('right', { ...admit, member: GUEST })).toMatchObject({ ok: true });
        expect(await role(GUEST)).toBe('member');
      });

      test('a release opens the invite again, but never after a reply', async () => {
        await create();
        await invite();
        await claim(GUEST);
        const drop = (release: boolean) =>
          store.dropJoin({ roomId: ROOM, inviteId: INVITE, release, reason: 'badProof' });
        const { events } = await listen();
        expect(await drop(true)).toEqual({ ok: true });
        expect(events).toMatchObject([{ type: 'join', joiner: GUEST, released: 'badProof' }]);
        expect(await claim(THIRD)).toMatchObject({ state: { stage: 'claimed' } });
        await store.putJoinRequest({ roomId: ROOM, inviteId: INVITE, memberId: THIRD, request: bytes('q') });
        await store.putJoinReply({ roomId: ROOM, inviteId: INVITE, epoch: 1, payload: bytes('r') });
        expect(await drop(true)).toMatchObject({ code: 'FORBIDDEN' });
        expect(await drop(false)).toEqual({ ok: true });
        expect(await drop(false)).toEqual({ ok: true });
        expect(await claim(THIRD)).toMatchObject({ state: { stage: 'dropped', reason: 'badProof' } });
        expect(await claim(GUEST)).toMatchObject({ code: 'INVITE_USED' });
      });
    });

    describe('keys', () => {
      test('prekeys rise', async () => {
        await create();
        const put = (k: number, seed = String(k), memberId = OWNER) =>
          store.putPrekey({ roomId: ROOM, memberId, k, prekey: bytes(`prekey ${seed}`, 80) });
        expect(await put(2)).toEqual({ ok: true });
        expect(await put(2)).toEqual({ ok: true });
        expect(await put(2, 'other')).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await put(1)).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await put(1, '1', GUEST)).toMatchObject({ code: 'FORBIDDEN' });
        await join(GUEST);
        expect(await store.readPrekeys(ROOM)).toMatchObject({
          prekeys: [
            { memberId: OWNER, prekey: bytes('prekey 2', 80) },
            { memberId: GUEST, prekey: null },
          ],
        });
        expect(await readAll(OWNER, null)).toMatchObject({ prekey: bytes('prekey 2', 80) });
      });

      test('a request for a key stands until it is granted and the key is gone', async () => {
        await create();
        await join(GUEST);
        await join(THIRD, id('third invite'));
        expect(await store.putNeedKey(ROOM, GUEST, bytes('need'))).toEqual({ ok: true });
        expect(await store.pendingNeedKeys(ROOM, OWNER)).toMatchObject({ requests: [{ from: GUEST }] });
        expect(await store.pendingNeedKeys(ROOM, THIRD)).toMatchObject({ requests: [] });
        const grant = (request: string) =>
          store.putKeyGrant({
            roomId: ROOM, from: OWNER, to: GUEST, request: bytes(request), grant: bytes('grant'), news: bytes('news'),
          }); // prettier-ignore
        expect(await grant('another')).toMatchObject({ code: 'BAD_ENTRY' });
        expect(await grant('need')).toEqual({ ok: true });
        expect(await grant('need')).toEqual({ ok: true });
        expect(await store.pendingNeedKeys(ROOM, OWNER)).toMatchObject({ requests: [] });
        expect(await store.keyGrants(ROOM, GUEST)).toMatchObject({
          grants: [{ from: OWNER, grant: bytes('grant') }],
        });
        const { head } = await facts();
        await store.rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(2) });
        expect(await store.keyGrants(ROOM, GUEST)).toMatchObject({ grants: [] });
        expect(await store.readNeedKey(ROOM, GUEST)).toMatchObject({ request: null });
      });

      test('anybody may answer the owner', async () => {
        await create();
        await join(GUEST);
        await store.putNeedKey(ROOM, OWNER, bytes('need'));
        expect(await store.pendingNeedKeys(ROOM, GUEST)).toMatchObject({ requests: [{ from: OWNER }] });
      });
    });

    describe('the feed', () => {
      test('has signals of members in the epoch, and who is live', async () => {
        await create();
        const { events, unsubscribe } = await listen();
        expect(await store.signal(ROOM, OWNER, 1, bytes('typing'))).toEqual({ ok: true });
        expect(await store.signal(ROOM, OWNER, 2, bytes('typing'))).toMatchObject({ code: 'STALE_EPOCH' });
        expect(await store.signal(ROOM, GUEST, 1, bytes('typing'))).toMatchObject({ code: 'FORBIDDEN' });
        expect(await store.announce(ROOM, OWNER, 'connection')).toEqual({ ok: true });
        expect(events).toEqual([
          { type: 'signal', sender: OWNER, epoch: 1, payload: bytes('typing') },
          { type: 'live', memberId: OWNER, connectionId: 'connection' },
        ]);
        unsubscribe();
        await append(OWNER, message('unheard'));
        expect(events).toHaveLength(2);
      });

      test('has everybody’s wraps with a rotation', async () => {
        await create();
        const { events } = await listen();
        await store.rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) });
        expect(events).toMatchObject([{ type: 'entries', entries: [{ kind: 'rotation' }] }]);
        const [event] = events;
        const wraps = event?.type === 'entries' ? event.entries[0]?.wraps : undefined;
        expect(wraps?.get(OWNER)).toEqual(bytes(`wrap ${OWNER}`, 50));
      });

      test('acknowledgements never go back and never beyond the tip', async () => {
        await create();
        expect(await store.acknowledge(ROOM, OWNER, { g: 9, s: 9 })).toEqual({ ok: true });
        expect(await store.acknowledge(ROOM, OWNER, { g: 1, s: 0 })).toEqual({ ok: true });
        expect(await store.acknowledge(ROOM, GUEST, { g: 1, s: 0 })).toMatchObject({ code: 'FORBIDDEN' });
      });
    });

    describe('a restart', () => {
      test('keeps everything and opens a new generation at the first use', async () => {
        await create();
        await append(OWNER, message('kept'));
        if (under.restart === null) return;
        now += 5;
        store = await under.restart();
        const { events } = await listen();
        const page = await readAll(OWNER, { g: 1, s: 0 });
        expect(page.entries).toMatchObject([{ position: { g: 1, s: 1 } }]);
        expect(page).toMatchObject({ end: false, generations: [], room: { tip: { g: now, s: 1 } } });
        const rest = await readAll(OWNER, { g: 1, s: 1 });
        expect(rest).toMatchObject({
          end: true,
          entries: [],
          generations: [{ generation: now, from: { g: 1, s: 1 } }],
        });
        expect(events).toEqual([{ type: 'generation', generation: now, from: { g: 1, s: 1 } }]);
        // Section 6: the next sequence number goes on.
        expect(await append(OWNER, message('next'))).toMatchObject({
          placed: [{ position: { g: now, s: 2 } }],
        });
        expect(await append(OWNER, message('kept'))).toMatchObject({
          placed: [{ position: { g: 1, s: 1 } }],
        });
      });

      test('many restarts come by pages, each generation above the last', async () => {
        await create();
        if (under.restart === null) return;
        for (let n = 0; n < 5; n++) {
          store = await under.restart();
          await facts();
        }
        const seen: number[] = [];
        let after = { g: 1, s: 0 };
        for (let end = false; !end;) {
          const page = await readAll(OWNER, after);
          seen.push(...page.generations.map(({ generation }) => generation));
          const last = page.generations.at(-1);
          if (last !== undefined) after = { g: last.generation, s: last.from.s };
          ({ end } = page);
        }
        expect(seen).toHaveLength(5);
        expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
      });
    });

    upkeepContract({
      store: () => store,
      now: () => now,
      pass: (ms) => {
        now += ms;
      },
      restart: async () => {
        if (under.restart === null) return false;
        store = await under.restart();
        return true;
      },
    });
  });
}
