/** Forwarded names (docs/protocol.md sections 5.6, 6 and 7; G3): whose they are, and which one is the newest. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Bytes, Content, Entry } from '@0fc/protocol';
import { openMessage } from '@0fc/crypto/keys';
import { bodyHash } from '@0fc/crypto/verify';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  messagesOf,
  change,
  type RoomLog,
  readLog,
  readEntry,
  readGap,
  readGeneration,
  type Person,
} from './log.spec-support.js';
import { extendChain } from '../state/draft.js';
import type { RoomState } from '../state/state.js';
import { applyForwardedName } from './profiles.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

/** An entry of the log, and the signed container in it that is forwarded. */
interface Named {
  readonly entry: Entry;
  readonly proof: Bytes;
}

async function says(
  person: Person,
  content: Content,
  by: Partial<{ n: number; instance: Bytes }> = {},
): Promise<Named> {
  const { epoch, key: roomKey } = log;
  const { clear, payload } = log.seal(person, log.body(person, { ...content }, by));
  const { container } = openMessage({
    roomKey, roomId: log.roster.roomId, epoch, sender: person.id, senderKey: person.identity.publicKey, payload,
  }); // prettier-ignore
  return { entry: await log.add('message', person.id, payload, clear), proof: container };
}
const calls = (person: Person, name: string, by = {}): Promise<Named> =>
  says(person, { type: 'profile', name }, by);
const titles = (person: Person, name: string): Promise<Named> => says(person, { type: 'roomName', name });

const forward = (...names: readonly Pick<Named, 'proof'>[]): Promise<void> =>
  reader.write((draft) => {
    for (const { proof } of names) applyForwardedName(draft, proof);
  });

/** A member that has the chain of this moment from its join reply, and has read no message. */
async function newcomer(): Promise<RoomState> {
  const { person } = await log.admit();
  const state = await log.reader(person);
  for (const container of log.containers)
    await change(state, extendChain(container, await bodyHash(nodeHash, container), log.roster));
  return state;
}

const title = (): string | null => reader.core.roomName?.name ?? null;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

describe('a name that is handed on', () => {
  test('counts where none is known, whatever order they come in, and the newest stays', async () => {
    const { owner } = log;
    const first = await calls(owner, 'first');
    const second = await calls(owner, 'second');
    await log.rotate(guest.id);
    const later = await calls(owner, 'in a later epoch');
    const orders = [[first, second, later], [later, second, first], [second, later, first], [first, later, second]]; // prettier-ignore
    for (const order of orders) {
      reader = await newcomer();
      await forward(...order);
      expect(reader.nameOf(owner.id)).toBe('in a later epoch');
      expect(reader.core.people).toEqual([
        { memberId: owner.id, name: 'in a later epoch', proof: later.proof },
      ]);
    }
  });

  test('does not replace a newer one of the log: by what its maker had read, or by its number', async () => {
    const { owner } = log;
    const old = [await calls(owner, 'old'), await titles(owner, 'Old room')];
    const recent = [await calls(owner, 'new'), await titles(owner, 'New room')];
    for (const { entry } of [...old, ...recent]) await readEntry(reader, entry);
    const { people, roomName } = reader.core;
    expect([reader.nameOf(owner.id), title()]).toEqual(['new', 'New room']);
    await forward(...old, ...recent, ...old);
    expect(reader.core).toMatchObject({ people, roomName });
    // A name that was made since, and is not in the log that this member has read, does.
    await forward(await calls(owner, 'newest'), await titles(owner, 'Newest room'));
    expect([reader.nameOf(owner.id), title()]).toEqual(['newest', 'Newest room']);
  });

  test('and was made at one moment with the known one is told from it by its number alone', async () => {
    const { owner } = log;
    const { position, t } = log;
    const at = async (name: string, n: number): Promise<Named> => {
      Object.assign(log, { position, t });
      return calls(owner, name, { n });
    };
    const [first, second] = [await at('first', 1), await at('second', 2)];
    await forward(second, first);
    expect(reader.nameOf(owner.id)).toBe('second');
    // Of another instance nobody can say which one was first: what is known stays.
    Object.assign(log, { position, t });
    await forward(await calls(owner, 'elsewhere', { n: 9, instance: nodeRandom.bytes(16) }));
    expect(reader.nameOf(owner.id)).toBe('second');
  });

  test('is nothing unless a member of now signed it, for this room, as a name', async () => {
    const { owner } = log;
    const { proof } = await calls(owner, 'Amina');
    const flipped = proof.map((byte, at) => (at === proof.length - 20 ? byte ^ 1 : byte));
    const other = await readLog();
    const elsewhere = log;
    log = other.log;
    const foreign = await calls({ ...owner, n: 0 }, 'of another room');
    log = elsewhere;
    const stranger = { ...guest, id: 'BBBBBBBBBBBBBBBBBBBBBA' as Person['id'] };
    const text = await says(owner, { type: 'text', text: 'Amina' });
    const nobody = await calls(stranger, 'nobody');
    const notOwner = await titles(guest, 'Not the owner’s');
    for (const { proof: wrong } of [
      foreign,
      text,
      nobody,
      notOwner,
      { proof: flipped },
      { proof: new Uint8Array(1) },
    ]) {
      await forward({ proof: wrong });
      expect([reader.core.people, reader.core.roomName]).toEqual([[], null]);
    }
    await forward({ proof });
    expect(reader.nameOf(owner.id)).toBe('Amina');
  });

  test('is nothing of one who has gone', async () => {
    const { person, entry } = await log.admit();
    await readEntry(reader, entry);
    const gone = await calls(person, 'Noé');
    await readEntry(reader, gone.entry);
    reader = await newcomer();
    await forward(gone);
    expect(reader.nameOf(person.id)).toBe('Noé');
    await log.change('remove', { member: person.id, reason: 'removed' });
    await log.rotate(guest.id);
    reader = await newcomer();
    await forward(gone);
    expect(reader.core.people).toEqual([]);
  });
});

describe('a name in the log', () => {
  test('that comes late, after a loss, does not replace what was made after it', async () => {
    const { owner } = log;
    const from = log.position;
    const lost = [await calls(owner, 'old'), await titles(owner, 'Old room')];
    const newer = [await calls(owner, 'new'), await titles(owner, 'New room')];
    // The relay has withheld the earlier ones so far.
    await readGap(reader, newer[0]!.entry);
    for (const { entry } of newer) await readEntry(reader, entry);
    await readGeneration(reader, await log.lose(from, 1_000), 9_000);
    for (const { entry } of lost) await readEntry(reader, await log.again(entry));
    expect(messagesOf(reader).map(({ content }) => content.name)).toEqual([
      'new',
      'New room',
      'old',
      'Old room',
    ]);
    expect([reader.nameOf(owner.id), title()]).toEqual(['new', 'New room']);
  });
});

describe('the name of a room that has changed hands', () => {
  let first: Person;
  let given: Named;

  beforeEach(async () => {
    first = log.owner;
    given = await titles(first, 'Ours');
  });

  test('given by the earlier owner is its name for a newcomer too, until the new one gives it another', async () => {
    await log.transferOwnership(guest);
    await log.rotate(guest.id);
    reader = await newcomer();
    await forward(given);
    expect(title()).toBe('Ours');
    await forward(await titles(guest, 'By its new owner'));
    expect(title()).toBe('By its new owner');
  });

  test('and whose giver has gone is its name all the same', async () => {
    await log.transferOwnership(guest);
    await log.change('remove', { member: first.id, reason: 'removed' });
    await log.rotate(guest.id);
    reader = await newcomer();
    await forward(given);
    expect(title()).toBe('Ours');
  });

  test('is not one that a former owner signs for an epoch in which the room was another’s', async () => {
    await log.transferOwnership(guest);
    await log.rotate(guest.id);
    reader = await newcomer();
    await forward(await titles(first, 'Still mine'));
    expect(title()).toBeNull();
    await forward(given, await titles(first, 'Still mine'));
    expect(title()).toBe('Ours');
  });

  test('is not one that its owner signed before it was', async () => {
    const early = await titles(guest, 'Soon mine');
    await log.rotate(guest.id);
    await log.transferOwnership(guest);
    await log.rotate(guest.id);
    reader = await newcomer();
    await forward(early);
    expect(title()).toBeNull();
  });

  test('and back again: each epoch has its owners, and nobody beside them', async () => {
    const by = async (name: string): Promise<readonly Named[]> => [
      await titles(first, `${name}, first`),
      await titles(guest, `${name}, second`),
    ];
    const names = [await by('epoch 1')];
    const next = async (): Promise<void> => {
      await log.rotate(guest.id);
      names.push(await by(`epoch ${String(log.epoch)}`));
    };
    await next();
    await log.transferOwnership(guest); // in epoch 2
    await next();
    await next();
    await log.transferOwnership(first); // in epoch 4
    await next();
    reader = await newcomer();
    const counted = names.flat().flatMap(({ proof }) => {
      const draft = reader.fork();
      applyForwardedName(draft, proof);
      return draft.core.roomName === null ? [] : [draft.core.roomName.name];
    });
    expect(counted).toEqual([
      'epoch 1, first',
      'epoch 2, first',
      'epoch 2, second',
      'epoch 3, second',
      'epoch 4, first',
      'epoch 4, second',
      'epoch 5, first',
    ]);
  });
});
