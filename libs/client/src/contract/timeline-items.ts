/** The conversation of the watched room as plain data for the page, one item per line. */

/**
 * 'sending': in the outbox. 'waiting': a member was admitted after the line was written, and the user decides whether
 * that member receives it too (`confirmSend`, `discard`). 'relayed': the log holds it. 'read': another member has
 * read it. 'lost': the relay has lost it; resending it by itself would open it to members that could not read it then
 * (`resend`). 'unsent': the membership ended, or the relay lost the room, before the log held the line.
 */
export type MessageState = 'sending' | 'waiting' | 'relayed' | 'read' | 'lost' | 'unsent';

/** Identity and position of a line of the timeline. */
interface TimelinePlace {
  /** stable: a message keeps its id from sending to relayed */
  readonly id: string;
  /** ascending order key; pending messages sort last */
  readonly order: number;
  /** Unix ms: when a message was written, by its sender's clock; for other items, by the relay's clock */
  readonly time: number;
  /** `time` contradicts the clock of this device or of the relay (docs/protocol.md section 6) */
  readonly timeDoubtful: boolean;
}

export interface TimelineMessage extends TimelinePlace {
  readonly type: 'message';
  readonly sender: string;
  readonly senderName: string;
  readonly fingerprint: string;
  /** another member's name looks the same: show the fingerprint beside it */
  readonly confusable: boolean;
  readonly verified: boolean;
  readonly mine: boolean;
  readonly text: string;
  readonly state: MessageState;
  /** of a waiting or lost line: names of members that were admitted after it was written */
  readonly newcomers: readonly string[];
  /** received after messages that its sender wrote later: the relay had withheld it */
  readonly late: boolean;
  /** sent again after a loss for those who had the key of its epoch: who came since cannot read it */
  readonly again: boolean;
  /**
   * the first line of its sender on this client, with a counter that does not follow the one in the join reply: only
   * the owner claims that there were earlier lines
   */
  readonly orderUnknown: boolean;
  /** other members that have read it */
  readonly readBy: number;
  /** their names */
  readonly readers: readonly string[];
  /** a content type of a later version, which this client cannot show */
  readonly unsupported: boolean;
  /** what it answers; `id` null: not on this device */
  readonly replyTo: {
    readonly id: string | null;
    readonly senderName: string;
    readonly text: string;
  } | null;
  readonly reactions: readonly ReactionView[];
  readonly edited: boolean;
  /** deleted by its sender: `text` is empty */
  readonly deleted: boolean;
}

export interface ReactionView {
  readonly emoji: string;
  readonly count: number;
  readonly mine: boolean;
  readonly names: readonly string[];
}

/** An event of the room: the page shows it as a knot on the thread. */
export interface TimelineSystem extends TimelinePlace {
  readonly type: 'system';
  readonly event:
    | 'created'
    | 'admitted'
    | 'removed'
    | 'leaving'
    | 'left'
    | 'transferred'
    | 'settings'
    | 'closed'
    /**
     * a new room key. `unwrapped`: number of members without a wrap, because their prekeys are unusable; `mine` 1:
     * this client is among them; `member`: that member, where it is one. `times`: number of rotations in a row that
     * this line counts
     */
    | 'rotated'
    /** beside 'rotated': the owner did not have the key before, so that this one rests on prekeys alone */
    | 'rotatedCold'
    | 'missed'
    /** `actor` has sent a line of `epoch` again, for those who were there: this client has no key of it */
    | 'closedAgain'
    | 'joinDropped'
    | 'name'
    /** a joiner that had a join reply was not admitted, and a rotation follows */
    | 'joinEnded'
    /** somebody claimed an invite without proving its token, or too late; `tries`: number of attempts so far */
    | 'inviteRefused'
    /** the invite ended after too many unproven attempts */
    | 'inviteBurnt'
    /** somebody had been sent another link than the owner had made: the invite ended, and nothing was given out */
    | 'inviteAltered'
    /** somebody claimed an invite while the room was full */
    | 'inviteFull'
    /** this client requested the key of the epoch, or received it from `actor` */
    | 'keyAsked'
    | 'keyGranted'
    /** a member requested the key from the owner (for the owner: from this client), and received it */
    | 'keyGiven'
    /** this client was imported from an export */
    | 'imported'
    /** the relay has an older prekey of this member than the one it published */
    | 'prekeyBehind'
    /** written by earlier versions, beside 'rotated': the rotation has no wrap for `member` */
    | 'unwrapped'
    /** an ownership transfer: offered to `member`, declined or withdrawn */
    | 'offered'
    | 'offerWithdrawn'
    /** the deadline of a join has passed, and the owner rotates */
    | 'joinExpired'
    /** a change that the relay refuses by its limits: of the settings, or of the number of members beyond `max` */
    | 'settingsRefused'
    | 'placesRefused';
  /** the actor and the member concerned, as names ('' when unknown); numbers as they are */
  readonly params: Readonly<Record<string, string | number>>;
  /** the member concerned is this client */
  readonly me: boolean;
}

export interface TimelineAlarm extends TimelinePlace {
  readonly type: 'alarm';
  /** an alarm code of libs/protocol, e.g. ALARM_FORK */
  readonly code: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly settled: boolean;
}

export type TimelineItem = TimelineMessage | TimelineSystem | TimelineAlarm;
