/**
 * Programs that were packed with each version of the protocol and of the link (test/fixtures/peers), and those of
 * today, in one room: packed members at today's relay and today's members at the packed one, a relay that is
 * brought up to date over its store, a packed replica beside one of today, and the vault and the
 * export of a packed member in today's program.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LINK_VERSION, PROTOCOL_VERSION } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { fileOf, PEERS, peerMade, unpackPeer, type UnpackedPeer } from '../fixtures/peer.js';
import { Balancer } from '../support/balancer.js';
import { MAIN, MemberProcess } from '../support/member-process.js';
import { startRedis } from '../support/redis.js';
import { BUILT_RELAY, freePort, RelayProcess } from '../support/relay-process.js';

const MEMBER_MOST_BYTES = 500_000;
const RELAY_MOST_BYTES = 5_000_000;

/** An owner and two members of a room. */
type Three = readonly [MemberProcess, MemberProcess, MemberProcess];

const members: MemberProcess[] = [];
const relays: RelayProcess[] = [];
/** What else a test has started. */
const atEnd: (() => Promise<void>)[] = [];

/** `program`: of a packed member; today's, as tests drive it, unless said. */
async function member(
  name: string,
  { url }: { readonly url: string },
  program?: string,
): Promise<MemberProcess> {
  const made = await MemberProcess.create(name, url, program === undefined ? {} : { program });
  members.push(made);
  return made;
}

async function relay(program: string, environment: NodeJS.ProcessEnv = {}): Promise<RelayProcess> {
  const started = await RelayProcess.start(environment, program);
  relays.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(members.splice(0).map((made) => made.remove()));
  await Promise.all(relays.splice(0).map((started) => started.remove()));
  for (const end of atEnd.splice(0)) await end();
});

/** Sessions that a relay has, by its metrics. */
async function sessionsAt(metricsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).text();
  const [, sessions] = /^relay_sessions (\d+)$/m.exec(text) ?? [];
  return Number(sessions);
}

/** Somebody joins by a link, and the owner says yes. */
async function approved(owner: MemberProcess, guest: MemberProcess): Promise<void> {
  const joined = guest.join(await owner.invite());
  const asks = (): string | undefined => owner.room?.approvals[0]?.inviteId;
  await Promise.all([
    joined,
    owner.sees('who asks', () => asks() !== undefined).then(() => owner.ask('approve', { invite: asks() })),
  ]);
  await owner.sees(`${guest.name} in the room`, () => owner.named(guest.name));
}

/** They meet in a room of the first one, and all talk. */
async function room(
  people: readonly [MemberProcess, ...MemberProcess[]],
  beforeTheyJoin: () => void = () => undefined,
): Promise<void> {
  const [owner, ...guests] = people;
  await owner.createRoom('Rive droite');
  await owner.ask('settings', { approval: true });
  await owner.sees('approval', () => owner.room?.settings.approval === true);
  beforeTheyJoin();
  for (const guest of guests) await approved(owner, guest);
  await Promise.all(people.map((who) => who.sees('all', () => who.room?.members.length === people.length)));
  await round('hello', people);
}

/** A line by each, which everybody has. */
async function round(what: string, people: readonly MemberProcess[]): Promise<void> {
  const texts = people.map(({ name }) => `${what} by ${name}`);
  for (const [at, who] of people.entries()) await who.say(texts[at]!);
  await Promise.all(people.map((who) => who.has(...texts)));
}

const shownBy = (who: MemberProcess, id: string) => who.messages.find((message) => message.id === id);

/** All that one says about a line: an answer, a reaction, a change, a deletion, and that it was read. */
async function changes(writer: MemberProcess, reader: MemberProcess): Promise<void> {
  const [kept, taken] = [await writer.say(`first of ${writer.name}`), await writer.say('not for long')];
  await reader.has(`first of ${writer.name}`, 'not for long');
  await reader.ask('reply', { message: kept, text: `answer of ${reader.name}` });
  await reader.ask('react', { message: kept, emoji: '👍' });
  await reader.ask('read', { tell: true });
  await writer.ask('edit', { message: kept, text: `second of ${writer.name}` });
  await writer.ask('delete', { message: taken });
  for (const who of [writer, reader]) {
    await who.sees('what was changed', () => {
      const [line, gone] = [shownBy(who, kept), shownBy(who, taken)];
      return (
        line?.text === `second of ${writer.name}` &&
        line.reactions.some(({ emoji, names }) => emoji === '👍' && names.includes(reader.name)) &&
        gone?.deleted === true &&
        who.messages.some(({ text, replyTo }) => text === `answer of ${reader.name}` && replyTo?.id === kept)
      );
    });
  }
  await writer.sees('that it was read', () => shownBy(writer, kept)?.state === 'read');
}

async function rotated(people: readonly MemberProcess[], makes: () => Promise<unknown>): Promise<void> {
  const before = Math.max(...people.map(({ epoch }) => epoch));
  await makes();
  await Promise.all(people.map((who) => who.sees('a new key', () => who.epoch > before)));
}

/** One is away over a new key, and reads from the log what was said before and after it. */
async function away(who: MemberProcess, others: readonly [MemberProcess, MemberProcess]): Promise<void> {
  const [owner, other] = others;
  await who.kill();
  await owner.say('while one is away');
  await rotated(others, () => owner.ask('rotate'));
  await other.say('and under the next key');
  await who.start();
  await who.has('while one is away', 'and under the next key');
}

/** The last one is removed. */
async function removed([owner, stays, goes]: Three): Promise<void> {
  await rotated([owner, stays], () => owner.ask('remove', { member: owner.idOf(goes.name) }));
  await goes.sees('that it is out', () => goes.app?.rooms[0]?.stage === 'removed');
  await round('of two', [owner, stays]);
  expect(goes.messages.map(({ text }) => text)).not.toContain(`of two by ${owner.name}`);
}

/** Both show one conversation, and nothing that somebody would have to be warned of. */
function expectAgreement(people: readonly MemberProcess[]): void {
  const shown = people.map(({ messages }) =>
    messages.map(({ id, senderName, text, edited, deleted }) => ({ id, senderName, text, edited, deleted })),
  );
  for (const one of shown) expect(one).toEqual(shown[0]);
  expect(shown[0]?.length).toBeGreaterThan(0);
  expect(people.flatMap(({ alarms }) => alarms)).toEqual([]);
}

test('what speaks the protocol and the link of today has been packed', () => {
  const versions = PEERS.map(peerMade).map(({ protocol, link }) => ({ protocol, link }));
  expect(versions).toContainEqual({ protocol: PROTOCOL_VERSION, link: LINK_VERSION });
});

describe.each(PEERS)('the programs of %s', (name) => {
  let packed: UnpackedPeer;

  beforeAll(async () => {
    await loadThemis();
    packed = await unpackPeer(name);
  });
  afterAll(() => packed.remove());

  test('are as they were packed, and small', () => {
    const { files } = peerMade(name);
    const [ofMember, ofRelay] = [fileOf(name, 'member'), fileOf(name, 'relay')];
    expect({ 'member.json.br': ofMember, 'relay.json.br': ofRelay }).toEqual(files);
    expect(ofMember.bytes).toBeLessThanOrEqual(MEMBER_MOST_BYTES);
    expect(ofRelay.bytes).toBeLessThanOrEqual(RELAY_MOST_BYTES);
  });

  test('packed members and one of today share a room of today’s relay, which changes hands', async () => {
    const server = await relay(BUILT_RELAY);
    const people = await Promise.all([
      member('Amina', server, packed.member),
      member('Tomás', server),
      member('Inès', server, packed.member),
    ]);
    const [owner, other, third] = people;
    await room(people);
    await Promise.all([changes(owner, other), changes(other, owner)]);
    await away(third, [owner, other]);
    await removed(people);
    await owner.ask('transfer', { member: owner.idOf(other.name) });
    await other.sees('the offer', () => other.room?.ownershipTransfer?.role === 'offered');
    await rotated([owner, other], () => other.ask('accept'));
    await owner.sees('the new owner', () => owner.room?.owner === false);
    await round('of another owner', [owner, other]);
    expectAgreement([owner, other]);
    // The member of today over the packed one's vault.
    await owner.stop();
    owner.program = MAIN;
    await owner.start();
    await round('from the same vault', [owner, other]);
    expectAgreement([owner, other]);
  });

  test('members of today and a packed one share a room of the packed relay, and of today’s over its store', async () => {
    const server = await relay(packed.relay);
    const people = await Promise.all([
      member('Amina', server),
      member('Tomás', server, packed.member),
      member('Inès', server),
    ]);
    const [owner, other, third] = people;
    await room(people);
    await Promise.all([changes(owner, other), changes(other, owner)]);
    await away(third, [owner, other]);
    await removed(people);
    await server.stop();
    await owner.say('while there is no relay');
    await other.say('nor for the other');
    server.program = BUILT_RELAY;
    await server.start();
    await Promise.all([owner, other].map((who) => who.has('while there is no relay', 'nor for the other')));
    await rotated([owner, other], () => owner.ask('rotate'));
    await changes(other, owner);
    expectAgreement([owner, other]);
    // The member of today from the packed one's export.
    const folder = await mkdtemp(join(tmpdir(), '0fc-export-'));
    await other.ask('export', { file: join(folder, 'other.0fc') });
    other.program = MAIN;
    await other.continueFrom(join(folder, 'other.0fc'));
    await rm(folder, { recursive: true });
    await rotated([owner, other], () => owner.ask('rotate'));
    await round('from an export', [owner, other]);
    expectAgreement([owner, other]);
  });

  test('a packed replica and one of today carry a room, until the packed one goes', async () => {
    const redis = await startRedis({ kind: 'standalone' });
    atEnd.push(() => redis.stop());
    const environment = { ...redis.environment, RELAY_PRIVATE_KEY: writeKey(generateKeyPair()) };
    const [earlierMetrics, todayMetrics] = [await freePort(), await freePort()];
    const [earlier, today] = await Promise.all([
      relay(packed.relay, { ...environment, METRICS_PORT: String(earlierMetrics) }),
      relay(BUILT_RELAY, { ...environment, METRICS_PORT: String(todayMetrics) }),
    ]);
    const balancer = await Balancer.start([today.port]);
    atEnd.push(() => balancer.stop());
    const owner = await member('Amina', balancer, packed.member);
    const other = await member('Tomás', balancer);
    const both = [owner, other] as const;
    await room(both, () => balancer.use([earlier.port]));
    expect(await sessionsAt(todayMetrics)).toBe(1);
    expect(await sessionsAt(earlierMetrics)).toBe(1);
    await Promise.all([changes(owner, other), changes(other, owner)]);
    await rotated(both, () => owner.ask('rotate'));
    await round('under the next key', both);
    balancer.use([today.port]);
    await earlier.stop();
    await rotated(both, () => owner.ask('rotate'));
    await round('of today’s replica', both);
    expectAgreement(both);
  });
});
