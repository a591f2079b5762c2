/** What a view shows of a room beyond what is in memory is read before it is drawn. */
import { ERROR_CODES } from '@0fc/protocol';
import { ClientError, failureOf } from '../contract/errors.js';
import type { ClientEvent } from '../contract/api.js';
import { hasEnded } from './summary.js';
import type { Room } from '../room/room.js';
import type { MemberIdentities } from './member-identities.js';
import type { TimelineFeed } from './timeline-feed.js';
import { roomViewOf } from './room-view.js';
import { sourceOf } from './timeline.js';

/** `feed`: of the room, where it is watched. A vault that cannot be read stops the room, which says so. */
export async function prepare(
  room: Room,
  identities: MemberIdentities,
  feed: TimelineFeed | null,
): Promise<void> {
  const { state, composer } = room;
  // What nobody looks at need not stay in memory.
  if (feed === null) state.hold(Infinity);
  try {
    await identities.load(state);
    await (feed?.prepare({ state, conversation: composer.conversation }) ?? composer.conversation.prepare());
  } catch (error) {
    // A vault that was locked meanwhile shows nothing any more.
    if (ClientError.from(error).code !== ERROR_CODES.VAULT_LOCKED) room.halt(failureOf(error));
  }
}

/** The events for a watched room that was prepared. `now`: this device's clock, Unix ms. */
export function drawn(
  room: Room,
  identities: MemberIdentities,
  feed: TimelineFeed,
  { draft, now }: { readonly draft: string; readonly now: number },
): readonly ClientEvent[] {
  const { earlier, event } = feed.step(
    sourceOf(room.state, room.composer.conversation, identities, now, hasEnded(room)),
  );
  const view = { type: 'room', room: roomViewOf(room, identities, { draft, earlier }) } as const;
  return event === null ? [view] : [view, event];
}
