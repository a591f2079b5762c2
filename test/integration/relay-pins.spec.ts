/**
 * Builds with and without a relay's key compiled in, over one vault (docs/protocol.md section 3, G13): the vault opens
 * whatever they say, no relay is talked to that is not the pinned one, and nothing is called damaged that is not.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createNodeClient, createNodePlatform, deploymentOf, nodeClientOver } from '@0fc/client/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { signSuccession } from '@0fc/crypto/link';
import { loadThemis } from '@0fc/crypto/node';
import { ERROR_CODES, toBase64Url, type Bytes } from '@0fc/protocol';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { codeOf } from '../hostile/stage.js';
import { Member, value } from '../support/member.js';
import { OperatedRelay } from '../support/operated-relay.js';
import { until } from '../support/wait.js';

// Only ends a run that hangs: two cores may be busy with other tests.
let relay: OperatedRelay;
const members: Member[] = [];
beforeAll(() => loadThemis());
beforeEach(async () => {
  relay = await OperatedRelay.start();
});
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.remove()));
  await relay.remove();
});

/** A build with this key compiled in; null: with none. */
const build =
  (relayPublicKey: string | null): typeof createNodeClient =>
  (options) =>
    createNodeClient(relayPublicKey === null ? options : { ...options, relayPublicKey });

const otherKey = (): string => toBase64Url(generateKeyPair().publicKey);

async function member(name: string, key: string | null): Promise<Member> {
  const made = await Member.create(name, relay.url, build(key));
  members.push(made);
  return made;
}

async function reopened(who: Member, key: string | null, roomId: string): Promise<void> {
  await who.leave();
  who.open = build(key);
  await who.comeBack(roomId);
}

/** An owner with a line in its room, and a join elsewhere that nobody answers. */
async function settledIn(key: string | null): Promise<{ amina: Member; roomId: string; joining: string }> {
  const amina = await member('Amina', key);
  const roomId = await amina.createRoom('Rive droite', 100);
  await amina.say(roomId, 'before');
  await amina.has('before');
  const tomas = await member('Tomás', null);
  const joining = await tomas.createRoom('Rive gauche', 100);
  const { link } = await tomas.invite(joining);
  await tomas.leave();
  value(await amina.api.join(link, 'Amina'));
  await until('the request to be kept', () =>
    amina.app?.joins[0]?.done.some(({ step }) => step === 'request'),
  );
  return { amina, roomId, joining };
}

/** A record of the vault: deleted, or a bit of it flipped. */
function spoil(who: Member, store: string, key: string, how: 'deleted' | 'flipped'): void {
  const db = new DatabaseSync(join(who.folder, 'vault.db'));
  const row = db.prepare('SELECT value FROM records WHERE store = ? AND key = ?').get(store, key);
  const bytes = Uint8Array.from(row?.value as Uint8Array);
  bytes[bytes.length - 1]! ^= 1;
  if (how === 'deleted') db.prepare('DELETE FROM records WHERE store = ? AND key = ?').run(store, key);
  else db.prepare('UPDATE records SET value = ? WHERE store = ? AND key = ?').run(bytes, store, key);
  db.close();
}

async function goesOn(who: Member, roomId: string): Promise<void> {
  await who.live();
  await who.say(roomId, 'and after');
  await who.has('before', 'and after');
  expect(who.app?.damaged).toEqual([]);
  expect(who.app?.joins.map(({ failure }) => failure)).toEqual([null]);
}

describe('a key that was compiled in', () => {
  test('is the vault’s from then on: a build without one goes on with it, whatever config.json says', async () => {
    const { amina, roomId } = await settledIn(relay.publicKey);
    await reopened(amina, null, roomId);
    expect(amina.app?.relay.pinnedBy).toBe('vault');
    await goesOn(amina, roomId);
  });

  test('by a build that did not keep it is had again as at first use; the vault opens before anybody answers', async () => {
    const { amina, roomId } = await settledIn(relay.publicKey);
    await amina.leave();
    spoil(amina, 'app', 'relay', 'deleted');
    await relay.stop();
    amina.open = build(null);
    await amina.comeBack(roomId);
    await amina.has('before');
    expect(amina.app?.damaged).toEqual([]);
    expect(amina.room?.stopped).toEqual({ code: ERROR_CODES.RELAY_UNREACHABLE, resumes: false });
    await relay.restart({});
    await until('the room to be resumed', async () => {
      value(await amina.api.resumeRoom(roomId));
      return amina.room?.connection === 'connected';
    });
    expect(amina.app?.relay.pinnedBy).toBe('firstUse');
    await goesOn(amina, roomId);
  });

  /** What is served at first is no key: that is not asked for again by itself. */
  const badAtFirst: typeof createNodeClient = async ({ folder, relayUrl }) => {
    let asked = 0;
    const deployment = deploymentOf(relayUrl);
    const fetchRelayKey = async (): Promise<Bytes> => {
      asked += 1;
      return asked === 1 ? new Uint8Array(3) : deployment.fetchRelayKey();
    };
    const options = { relayUrl, relayPublicKey: null, ...deployment, fetchRelayKey };
    return nodeClientOver(await createNodePlatform({ folder }), options);
  };

  test.each(['by a room that is made', 'by several acts at once'])(
    'and is found out late %s: rooms and joins go on, each once',
    async (how) => {
      const { amina, roomId } = await settledIn(relay.publicKey);
      await amina.leave();
      spoil(amina, 'app', 'relay', 'deleted');
      amina.open = badAtFirst;
      await amina.comeBack(roomId);
      expect(amina.room?.stopped).toMatchObject({ code: ERROR_CODES.RELAY_UNREACHABLE });
      const resumed = () => amina.api.resumeRoom(roomId);
      const other = { name: 'Another', displayName: 'Amina', rotateEvery: 100, approval: false };
      const made = () => amina.api.createRoom(other);
      const acts = how === 'by a room that is made' ? [made] : [resumed, made, resumed, resumed];
      for (const outcome of await Promise.all(acts.map((act) => act())))
        expect(outcome).toMatchObject({ ok: true });
      await goesOn(amina, roomId);
      expect(amina.app?.rooms.map(({ stopped }) => stopped)).toEqual([null, null]);
      expect(amina.app?.joins.map(({ connection }) => connection)).toEqual(['connected']);
    },
  );

  test('and then another one: rooms and joins each say so, are read and not connected; the first build goes on', async () => {
    const { amina, roomId, joining } = await settledIn(relay.publicKey);
    const other = otherKey();
    await reopened(amina, other, roomId);
    await amina.has('before');
    const differs = expect.objectContaining({ code: ERROR_CODES.RELAY_KEY_MISMATCH });
    expect(amina.room?.stopped).toEqual(differs);
    expect(amina.room?.stopped?.params).toMatchObject({ pinned: expect.stringMatching(/^[0-9A-F]{16}$/) });
    expect(amina.app?.joins).toMatchObject([{ roomId: joining, failure: differs, connection: 'stopped' }]);
    expect(amina.app?.damaged).toEqual([]);
    const mine = { name: 'x', displayName: 'y', rotateEvery: 5, approval: false };
    for (const outcome of [await amina.api.createRoom(mine), await amina.api.createInvite(roomId, 60_000)])
      expect(codeOf(outcome)).toBe(ERROR_CODES.RELAY_KEY_MISMATCH);
    value(await amina.api.resumeRoom(roomId));
    expect(amina.room?.connection).toBe('stopped');
    value(await amina.api.abandonJoin(joining));
    await until('the join to be gone', () => amina.app?.joins.length === 0);
    await reopened(amina, relay.publicKey, roomId);
    await amina.live();
    await amina.has('before');
  });

  test('that a stored join does not fit costs that join alone', async () => {
    const { amina, roomId, joining } = await settledIn(relay.publicKey);
    await amina.leave();
    spoil(amina, 'app', 'relay', 'deleted');
    amina.open = build(otherKey());
    await amina.comeBack(roomId);
    expect(amina.app?.joins).toMatchObject([
      { roomId: joining, failure: { code: ERROR_CODES.RELAY_KEY_MISMATCH } },
    ]);
    expect(amina.app?.damaged).toEqual([]);
    await amina.has('before');
  });
});

describe('a build with another key, where the relay’s key has changed', () => {
  /** The relay changes its key, signed by the one before. */
  async function changed(): Promise<string> {
    const next = generateKeyPair();
    await relay.restart({
      RELAY_PRIVATE_KEY: writeKey(next),
      RELAY_SUCCESSION: signSuccession(relay.pair, next, relay.url),
    });
    return toBase64Url(next.publicKey);
  }

  test('of the signed successor goes on from the pinned key', async () => {
    const { amina, roomId } = await settledIn(null);
    await amina.leave();
    const key = await changed();
    amina.open = build(key);
    await amina.comeBack(roomId);
    await goesOn(amina, roomId);
    expect(amina.app?.relay).toMatchObject({ pinnedBy: 'succession', barred: null });
    await reopened(amina, key, roomId);
    expect(amina.app?.relay.pinnedBy).toBe('build');
  });

  test('of the key that was left goes on with the pin that followed it', async () => {
    const { amina, roomId } = await settledIn(relay.publicKey);
    await changed();
    await until('it to follow', () => amina.app?.relay.pinnedBy === 'succession');
    await relay.restart({ RELAY_PRIVATE_KEY: writeKey(relay.pair) });
    await reopened(amina, relay.publicKey, roomId);
    expect(amina.app?.relay).toMatchObject({ pinnedBy: 'succession', barred: null });
    expect(amina.room?.connection).not.toBe('connected');
  });

  test('of an earlier key than the pinned one is led to it', async () => {
    const key = await changed();
    const { amina, roomId } = await settledIn(key);
    await reopened(amina, relay.publicKey, roomId);
    await goesOn(amina, roomId);
    expect(amina.app?.relay.barred).toBeNull();
  });

  test('that no statement leads to stops as before, and the user’s own act ends it', async () => {
    const { amina, roomId } = await settledIn(null);
    await amina.leave();
    await changed();
    const third = generateKeyPair();
    await relay.restart({ RELAY_PRIVATE_KEY: writeKey(third) });
    amina.open = build(toBase64Url(third.publicKey));
    await amina.comeBack(roomId);
    const { barred } = amina.app?.relay ?? {};
    expect(barred).toMatchObject({ code: ERROR_CODES.RELAY_KEY_MISMATCH });
    const named = String(barred?.params?.other);
    value(await amina.api.repinRelay(named));
    await amina.live();
    await reopened(amina, relay.publicKey, roomId);
    expect(amina.app?.relay).toMatchObject({ fingerprint: named, barred: null });
    await amina.live();
  });
});

describe('a record of the client as a whole that is not what was stored', () => {
  test('the pin: nobody is talked to and all can be read; a build that has the key puts it right', async () => {
    const { amina, roomId } = await settledIn(null);
    await amina.leave();
    spoil(amina, 'app', 'relay', 'flipped');
    await amina.comeBack(roomId);
    await amina.has('before');
    expect(amina.room?.stopped).toMatchObject({ code: ERROR_CODES.VAULT_DAMAGED });
    expect(amina.room?.connection).toBe('stopped');
    await reopened(amina, relay.publicKey, roomId);
    await amina.live();
    await reopened(amina, null, roomId);
    await goesOn(amina, roomId);
  });

  test.each(['instance', 'draft'] as const)('%s: costs nothing but itself', async (what) => {
    const { amina, roomId } = await settledIn(null);
    value(await amina.api.setDraft(roomId, 'half a thought'));
    await amina.leave();
    spoil(amina, 'app', what === 'draft' ? `draft/${roomId}` : what, 'flipped');
    await amina.comeBack(roomId);
    await goesOn(amina, roomId);
    expect(amina.room?.draft).toBe(what === 'draft' ? '' : 'half a thought');
    expect(await amina.createRoom('Another', 100)).not.toBe('');
  });
});
