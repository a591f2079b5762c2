/** A room whose relay is honest again: everybody is where everybody is, by itself but for what the protocol leaves to users. */
import type { Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { stageOf } from '../stage.js';
import type { RelayStory } from './relay-story.js';
import { judge, type Verdict } from './verdict.js';

/** How long a room may take to be whole again, in milliseconds: it only ends a broken run. */
const WHOLE_MS = 120_000;

/** Why not everybody is where everybody is; null: all are. */
function unrest({ people, roomId, inside }: RelayStory): string | null {
  for (const who of people.here) {
    const { room, name } = who;
    if (stageOf(who, roomId) !== 'member' || room === null) continue;
    if (room.stopped !== null) return `${name} has stopped: ${room.stopped.code}`;
    if (room.connection !== 'connected' || room.catchingUp) return `${name} is not there`;
    if (room.paused !== null) return `${name} pauses: ${room.paused}`;
    if (room.key === null || room.key.rotating) return `${name} has no key, or makes one`;
    if (room.leaving) return `${name} goes`;
    // Only the owner's client ends these. What a fork has kept from it for good stays on the others' pages: a request to
    // leave, and the acceptance of an offer that was replaced, until the next rotation.
    if (!room.owner) continue;
    if (room.members.some(({ leaving, removing }) => leaving || removing)) return 'somebody goes';
    if (room.ownershipTransfer?.accepted === true) return 'a hand-over is on its way';
  }
  const places = inside.map(({ room }) => {
    const members = room?.members.map(({ memberId, owner }) => `${memberId}${owner ? ' owns' : ''}`).sort();
    return `${String(room?.key?.epoch)} ${members?.join() ?? ''}`;
  });
  return new Set(places).size > 1 ? `different rosters or epochs: ${places.join(' | ')}` : null;
}

export async function whole(story: RelayStory): Promise<void> {
  let why: string | null = null;
  await until(
    () => `the room to be whole again: ${why ?? ''}`,
    async () => {
      await story.look();
      for (const who of story.inside) await story.remedies(who);
      why = unrest(story);
      return why === null;
    },
    WHOLE_MS,
  );
}

/** Everybody writes, and everybody reads it. Returns what was written. */
export async function talk(story: RelayStory): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const who of story.inside) {
    const text = story.people.words(who);
    texts.push(text);
    await story.writes(who, text);
    await arrives(story, text);
  }
  return texts;
}

/** Everybody who is in has it. */
export async function arrives(story: RelayStory, text: string): Promise<void> {
  const lack = (): readonly Member[] => story.inside.filter((one) => !one.texts.includes(text));
  await until(
    () =>
      `${text} to reach ${lack()
        .map(({ name }) => name)
        .join()}; ${unrest(story) ?? 'at rest'}`,
    async () => {
      for (const one of story.inside) await story.remedies(one);
      return lack().length === 0;
    },
    WHOLE_MS,
  );
}

/** By the oracle. Throws where it could not open what these texts say: it would judge what it does not see. */
export async function verdict(story: RelayStory, texts: readonly string[]): Promise<Verdict> {
  await story.look();
  const members = new Map([...story.held].map(([{ name }, secrets]) => [name, secrets]));
  const { thefts, outside, witness } = story;
  const found = await judge(story.seen, story.keys, { members, thefts, outside }, witness);
  const lines = found.trueKeys.flatMap(({ epoch, key }) => found.record.openedUnder(epoch, key));
  const readable = new Set(lines.flatMap(({ content }) => ('text' in content ? [content.text] : [])));
  const unread = texts.filter((text) => !readable.has(text));
  if (unread.length > 0) throw new Error(`the oracle does not open ${unread.join(', ')}`);
  return found;
}
