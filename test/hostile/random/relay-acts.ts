/** What anybody may do in the story of a random relay, and what the relay does on its own. */
import type { Member } from '../../support/member.js';
import type { Dice } from '../../support/random.js';
import { codeOf } from '../stage.js';
import type { RelayStory } from './relay-story.js';

/** One act of somebody's, or of the relay's; in words what it was, and what it came to. */
export async function act(story: RelayStory, dice: Dice): Promise<string> {
  const chosen = dice.of(WEIGHTED);
  const { inside } = story;
  const done = inside.length === 0 ? null : await ACTS[chosen](story, dice.of(inside), dice);
  return `${chosen}: ${done ?? 'not now'}`;
}

type Act = (story: RelayStory, who: Member, dice: Dice) => Promise<string | null>;

const ofOwner =
  (act: (story: RelayStory, owner: Member, dice: Dice) => Promise<string | null>): Act =>
  async (story, _, dice) =>
    story.owner === undefined ? null : act(story, story.owner, dice);

const ownLines = (who: Member) =>
  who.messages.filter(({ mine, deleted, state }) => mine && !deleted && state === 'relayed');

const ACTS = {
  writes: (story, who) => story.writes(who, story.people.words(who)),
  async edits(story, who, dice) {
    const lines = ownLines(who);
    if (lines.length === 0) return null;
    const text = story.people.words(who);
    story.witness.writes(who, text);
    return `${who.name} ${await story.people.changes(who, story.roomId, dice.of(lines).id, text)}`;
  },
  async deletes(story, who, dice) {
    const lines = ownLines(who);
    if (lines.length === 0) return null;
    return `${who.name} ${await story.people.changes(who, story.roomId, dice.of(lines).id, null)}`;
  },
  async resends(story, who) {
    const line = who.messages.find(({ mine, state }) => mine && state === 'lost');
    if (line === undefined) return null;
    const outcome = await who.api.resend(story.roomId, line.id);
    // From here on it is another line of the same text, and for everybody of today.
    if (outcome.ok) story.witness.confirms(who, line.id);
    return `${who.name} ${line.text}: ${codeOf(outcome)}`;
  },
  async confirms(story, who) {
    await story.remedies(who);
    return who.name;
  },
  rotates: ofOwner((story, owner) => {
    // Resolves once the log holds it: which it may never under this relay.
    void owner.api.rotateNow(story.roomId);
    return Promise.resolve(owner.name);
  }),
  sets: ofOwner(async (story, owner, dice) =>
    codeOf(await owner.api.changeSettings(story.roomId, { rotateEvery: 5 + dice.below(50) })),
  ),
  newcomer: ofOwner((story, owner) => story.newcomer(owner)),
  joinsHalf: ofOwner((story, owner) => story.joinsHalf(owner)),
  removes: ofOwner(async (story, owner, dice) => {
    const others = (owner.room?.members ?? []).filter(({ me, removing }) => !me && !removing);
    if (others.length < 3 || !story.mayGo()) return null;
    const { memberId, name } = dice.of(others);
    story.removed.push(memberId);
    return `${name}: ${codeOf(await owner.api.removeMember(story.roomId, memberId))}`;
  }),
  async leaves(story, who) {
    if ((who.room?.members.length ?? 0) < 4 || who.room?.owner === true || !story.mayGo()) return null;
    return `${who.name}: ${await story.people.asksToLeave(who, story.roomId)}`;
  },
  offers: ofOwner(async (story, owner, dice) => {
    const others = (owner.room?.members ?? []).filter(
      ({ me, removing, leaving }) => !me && !removing && !leaving,
    );
    if (others.length === 0) return null;
    return codeOf(await owner.api.offerOwnership(story.roomId, dice.of(others).memberId));
  }),
  async accepts(story, who) {
    return who.room?.ownershipTransfer?.role === 'offered'
      ? `${who.name}: ${await story.people.accepts(who, story.roomId)}`
      : null;
  },
  async restarts(story, who) {
    await story.people.away(who);
    await story.people.back(who, story.roomId);
    return who.name;
  },
  async goes(story, who) {
    await story.people.away(who);
    return who.name;
  },
  async comes(story) {
    const away = story.people.all.find((one) => !story.people.here.includes(one));
    if (away === undefined) return null;
    await story.people.back(away, story.roomId);
    return away.name;
  },
  steals: (story, who) => story.steals(who),
  says: (story, _, dice) => Promise.resolve(story.relay.says(dice)),
  cuts(story, who) {
    story.cuts(who);
    return Promise.resolve(who.name);
  },
  keepsCopy(story) {
    story.snapshot();
    return Promise.resolve('of its store');
  },
  loses: (story, _, dice) => story.loses(dice),
  forks: (story, who, dice) => Promise.resolve(story.forks([who], dice.once(2))),
  async reunites(story) {
    await story.reunites();
    return 'all';
  },
} satisfies Readonly<Record<string, Act>>;

const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  writes: 12, edits: 2, deletes: 1, resends: 1, confirms: 2, rotates: 4, sets: 1, newcomer: 2, joinsHalf: 1, removes: 1, leaves: 1,
  offers: 2, accepts: 4, restarts: 2, goes: 1, comes: 3, steals: 2, says: 4, cuts: 2, keepsCopy: 2, loses: 1, forks: 1, reunites: 2,
}; // prettier-ignore

const WEIGHTED = (Object.keys(ACTS) as (keyof typeof ACTS)[]).flatMap((name) =>
  Array.from({ length: WEIGHTS[name] }, () => name),
);
