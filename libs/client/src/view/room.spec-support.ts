/** A room with real state, talk and signals over ports in memory. */
import type { Content, Entry } from '@0fc/protocol';
import { nodeHash } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from '../room/outgoing/part.spec-support.js';
import { change, RoomLog, readEntry, type Person } from '../room/log/log.spec-support.js';
import { set } from '../room/state/draft.js';
import { Outbox } from '../room/member/outbox.js';
import type { Room } from '../room/room.js';
import { Signals } from '../room/member/signals.js';
import { Composer } from '../room/member/composer.js';
import { MemberIdentities } from './member-identities.js';
import { sourceOf, type Source } from './timeline.js';

export const START = 1_700_000_000_000;

export interface Stage {
  readonly log: RoomLog;
  readonly guest: Person;
  readonly clock: FakeClock;
  readonly fake: FakeRoom;
  readonly room: Room;
  readonly identities: MemberIdentities;
  readonly source: Source;
  take(...entries: readonly Entry[]): Promise<void>;
  send(person: Person, content: Content): Promise<Entry>;
  /** Names a member as a profile would. */
  name(person: Person, name: string): Promise<void>;
}

/** A room of its owner and a guest, seen by one of the two. */
export async function stage(by: 'owner' | 'guest' = 'guest'): Promise<Stage> {
  const log = await RoomLog.begin();
  const { person: guest, entry } = await log.admit();
  const clock = new FakeClock(START);
  const state = await log.reader(by === 'guest' ? guest : log.owner);
  const fake = new FakeRoom(state, clock);
  const outbox = new Outbox(fake);
  const composer = new Composer(fake, (content, more) => outbox.submit(content, more));
  const signal = (): void => undefined;
  const extras = {
    signals: new Signals(fake, () => true),
    signal,
    composer,
    connectionState: 'connected',
    stopped: null,
  };
  const room = Object.assign(fake, extras) as unknown as Room;
  const identities = new MemberIdentities(nodeHash);
  const take = async (...entries: readonly Entry[]): Promise<void> => {
    for (const each of entries) await readEntry(state, each);
    composer.conversation.sync();
    await identities.load(state);
  };
  await take(entry);
  return {
    log, guest, clock, fake, room, identities, take,
    get source() {
      return sourceOf(state, composer.conversation, identities, clock.now(), state.core.stage !== 'member');
    },
    async send(person, content) {
      const sealed = log.seal(person, log.body(person, { ...content }));
      return log.add('message', person.id, sealed.payload, sealed.clear);
    },
    name(person, name) {
      const people = [...state.core.people, { memberId: person.id, name, proof: null }];
      return change(state, set({ people }));
    },
  }; // prettier-ignore
}
