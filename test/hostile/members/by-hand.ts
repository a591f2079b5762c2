/**
 * What goes to nobody by itself (G18): lines that the relay has lost after their epoch, and lines that wait
 * unsent while somebody was admitted. Their sender sees which they are, and sends or discards them by hand.
 */
import type { Outcome, TimelineMessage } from '@0fc/client/api';
import type { Member } from '../../support/member.js';

/** A line of one's own, as its sender's page has it. */
export interface OwnLine {
  readonly id: string;
  /** 'lost': the relay had it and lost it, in an epoch that is over; 'waiting': never sent, it asks first */
  readonly state: TimelineMessage['state'] | 'lost' | 'waiting';
  /** names of the members that could not read it when it was written, and could if it went now */
  readonly couldNotRead: readonly string[];
}

interface ByHand {
  /** Sends a lost line once more, as a new message with the same content. */
  sendAgain(roomId: string, message: string): Promise<Outcome<{ readonly id: string }>>;
  /** A waiting line goes all the same. */
  confirmSend(roomId: string, message: string): Promise<Outcome<void>>;
  /** A waiting line is never sent; a void takes its counter. */
  discardMessage(roomId: string, message: string): Promise<Outcome<void>>;
}

export const byHand = ({ api }: Member): ByHand => api as unknown as ByHand;

/** Undefined: no such line here. */
export function ownLine(who: Member, text: string): OwnLine | undefined {
  const line = who.messages.find((message) => message.mine && message.text === text);
  if (line === undefined) return undefined;
  const { id, state } = line;
  const couldNotRead = 'couldNotRead' in line ? (line.couldNotRead as readonly string[]) : [];
  return { id, state, couldNotRead };
}
