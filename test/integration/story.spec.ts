/**
 * The first story through a real relay process and real Themis: create, invite while the
 * owner is away, talk, rotate, come back, join late, restart the relay.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNodeClient } from '@0fc/client/node';
import { Member, value } from '../support/member.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

let relay: RelayProcess;
const members: Member[] = [];

async function member(name: string): Promise<Member> {
  const made = await Member.create(name, relay.url, createNodeClient);
  members.push(made);
  return made;
}

/** Owner and one member in a room. */
async function pair(rotateEvery: number): Promise<{ owner: Member; guest: Member; roomId: string }> {
  const owner = await member('Amina');
  const roomId = await owner.createRoom('Rive droite', rotateEvery);
  const { link } = await owner.invite(roomId);
  const guest = await member('Tomás');
  value(await guest.api.join(link, 'Tomás'));
  await guest.admitted(roomId);
  return { owner, guest, roomId };
}

beforeAll(async () => {
  relay = await RelayProcess.start();
});

afterAll(async () => {
  await Promise.all(members.map((made) => made.remove()));
  await relay.remove();
});

describe('a room', () => {
  test('is joined while its owner comes and goes, with both names known', async () => {
    const owner = await member('Amina');
    const roomId = await owner.createRoom('Rive droite', 10);
    const { link } = await owner.invite(roomId);
    await owner.leave();
    const guest = await member('Tomás');
    value(await guest.api.join(link, 'Tomás'));
    await until('the request to wait for the owner', () =>
      guest.app?.joins[0]?.done.some(({ step }) => step === 'request'),
    );
    await owner.comeBack(roomId);
    await guest.admitted(roomId);
    await until(
      'the guest to know the names',
      () => guest.room?.name === 'Rive droite' && guest.room.members.every(({ name }) => name !== ''),
    );
    await until('the owner to see two members', () => owner.room?.members.length === 2);
    expect(guest.room?.members.map(({ name }) => name).sort()).toEqual(['Amina', 'Tomás']);
    expect([...owner.alarms, ...guest.alarms]).toEqual([]);
  });

  test('carries 40 messages both ways over rotations, each once and in one order', async () => {
    const { owner, guest, roomId } = await pair(10);
    const sent = Array.from({ length: 40 }, (_, n) => `message ${String(n)}`);
    // In bursts: what is in flight when a rotation falls due still belongs to the old epoch.
    for (let from = 0; from < sent.length; from += 8) {
      const burst = sent.slice(from, from + 8);
      await Promise.all(burst.map((text, n) => (n % 2 === 0 ? owner : guest).say(roomId, text)));
      await Promise.all([owner.has(...burst), guest.has(...burst)]);
      await until('a due rotation', () => (owner.room?.key?.messages ?? 10) < 10);
    }
    await until(
      'three rotations',
      () => (owner.room?.key?.epoch ?? 0) >= 4 && (guest.room?.key?.epoch ?? 0) >= 4,
    );
    await until('one epoch for both', () => owner.room?.key?.epoch === guest.room?.key?.epoch);
    expect(owner.texts.filter((text) => sent.includes(text))).toHaveLength(40);
    expect(guest.texts).toEqual(owner.texts);
    expect([...owner.alarms, ...guest.alarms]).toEqual([]);
  });

  test('is whole after an absence over two rotations', async () => {
    const { owner, guest, roomId } = await pair(100);
    await owner.say(roomId, 'before');
    await guest.has('before');
    await guest.leave();
    await owner.say(roomId, 'one');
    value(await owner.api.rotateNow(roomId));
    await owner.say(roomId, 'two');
    value(await owner.api.rotateNow(roomId));
    await owner.say(roomId, 'three');
    await owner.has('three');
    await guest.comeBack(roomId);
    await guest.has('before', 'one', 'two', 'three');
    expect(guest.texts).toEqual(owner.texts);
    await guest.say(roomId, 'back again');
    await owner.has('back again');
    expect([...owner.alarms, ...guest.alarms]).toEqual([]);
  });

  test('shows a newcomer nothing from before the last rotation', async () => {
    const { owner, guest, roomId } = await pair(100);
    await guest.say(roomId, 'old');
    await owner.has('old');
    value(await owner.api.rotateNow(roomId));
    await owner.say(roomId, 'new');
    const late = await member('Inès');
    value(await late.api.join((await owner.invite(roomId)).link, 'Inès'));
    await late.admitted(roomId);
    await late.has('new');
    await late.say(roomId, 'hello');
    await Promise.all([owner.has('hello'), guest.has('hello'), late.has('hello')]);
    expect(late.texts).toEqual(['new', 'hello']);
    expect([...owner.alarms, ...guest.alarms, ...late.alarms]).toEqual([]);
  });

  test('goes on over a relay killed with -9 in the middle', async () => {
    const { owner, guest, roomId } = await pair(10);
    const sent = Array.from({ length: 20 }, (_, n) => `line ${String(n)}`);
    for (const [n, text] of sent.entries()) {
      if (n === 10) await relay.stop('SIGKILL');
      await (n % 2 === 0 ? owner : guest).say(roomId, text);
      if (n === 14) await relay.start();
    }
    await Promise.all([owner.has(...sent), guest.has(...sent)]);
    expect(guest.texts).toEqual(owner.texts);
    expect(owner.texts.filter((text) => sent.includes(text))).toHaveLength(20);
    expect([...owner.alarms, ...guest.alarms]).toEqual([]);
  });
});

describe('an invite', () => {
  const refused = async (guest: Member, roomId: string): Promise<string> =>
    until('a refusal', () => guest.app?.joins.find((join) => join.roomId === roomId)?.failure?.code);

  test('that was used, revoked or tampered with admits nobody', async () => {
    const { owner, roomId } = await pair(100);
    const used = await owner.invite(roomId);
    const first = await member('First');
    value(await first.api.join(used.link, 'First'));
    await first.admitted(roomId);
    const second = await member('Second');
    value(await second.api.join(used.link, 'Second'));
    expect(await refused(second, roomId)).toBe('INVITE_USED');
    const revoked = await owner.invite(roomId);
    value(await owner.api.revokeInvite(roomId, revoked.inviteId));
    const third = await member('Third');
    value(await third.api.join(revoked.link, 'Third'));
    expect(await refused(third, roomId)).toBe('INVITE_REVOKED');
    const torn = await third.api.previewInvite(revoked.link.slice(0, -5));
    expect(torn).toMatchObject({ ok: false, error: { code: 'INVITE_MALFORMED' } });
    const late = await owner.invite(roomId, 1_500);
    await until('the invite to expire', () => Date.now() > late.expires);
    expect(await third.api.previewInvite(late.link)).toMatchObject({
      ok: false,
      error: { code: 'INVITE_EXPIRED' },
    });
    const elsewhere = await third.api.previewInvite(revoked.link.replace(relay.url, 'https://other.example'));
    expect(elsewhere).toMatchObject({ ok: false, error: { code: 'INVITE_OTHER_DEPLOYMENT' } });
    expect(owner.room?.members).toHaveLength(3);
  });

  test('waits for the owner’s word where the room asks for it', async () => {
    const owner = await member('Owner');
    const roomId = await owner.createRoom('By approval', 100, true);
    const guest = await member('Guest');
    value(await guest.api.join((await owner.invite(roomId)).link, 'Guest'));
    const asked = await until('the request', () => owner.room?.approvals[0]);
    expect(asked.name).toBe('Guest');
    value(await owner.api.decideJoin(roomId, asked.inviteId, false));
    expect(await refused(guest, roomId)).toBe('JOIN_DECLINED');
    expect(owner.room?.members).toHaveLength(1);
  });
});

describe('the vault', () => {
  test('refuses a wrong passphrase and loses nothing', async () => {
    const { owner, roomId } = await pair(100);
    await owner.say(roomId, 'kept');
    await owner.has('kept');
    await owner.leave();
    await owner.start();
    const wrong = await owner.api.unlock('not the passphrase at all');
    expect(wrong).toMatchObject({ ok: false, error: { code: 'WRONG_PASSPHRASE' } });
    await owner.leave();
    await owner.comeBack(roomId);
    await owner.has('kept');
  });
});
