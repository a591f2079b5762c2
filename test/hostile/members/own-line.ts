/**
 * What goes to nobody by itself (G18): lines that the relay has lost after their epoch, and lines that wait
 * unsent while somebody was admitted. Their sender sees which they are, and sends or discards them by hand.
 */
import type { TimelineMessage } from '@0fc/client/api';
import type { Member } from '../../support/member.js';

/** A line of one's own, as its sender's page has it. */
export type OwnLine = Pick<TimelineMessage, 'id' | 'state' | 'newcomers'>;

/** Undefined: no such line here. */
export const ownLine = (who: Member, text: string): OwnLine | undefined =>
  who.messages.find((message) => message.mine && message.text === text);
