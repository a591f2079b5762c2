/** The open room’s conversation as the page is given it: plain data, one item a line. */

/**
 * 'waiting': somebody has been admitted since it was written, and its sender is asked whether it goes to them as
 * well (`confirmSend`, `discard`). 'lost': the relay has lost it, and sending it by
 * itself would open it for members that could not read it then (`sendAgain`). 'unsent': the membership has ended, or
 * the room is gone by the relay's word, before its log held the line.
 */
export type MessageState = 'sending' | 'waiting' | 'relayed' | 'read' | 'lost' | 'unsent';

/** Where a line of the timeline stands. */
interface TimelinePlace {
  /** stable over its life: of a message, from sending to relayed */
  readonly id: string;
  /** ascending order key; pending messages sort last */
  readonly order: number;
  /** of a message, when it was written, by its sender's clock; else by the relay's */
  readonly time: number;
  /** that time contradicts this device's clock, or the relay's (docs/protocol.md section 6) */
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
  /** of a waiting or lost line: names of members that could not have read it when it was written */
  readonly newcomers: readonly string[];
  /** it came after messages that its sender wrote later: the relay had withheld it */
  readonly late: boolean;
  /**
   * the first line that this client has of its sender, under a counter that does not go on from what the owner handed
   * on with the join: nobody but the owner says that there were others before it
   */
  readonly orderUnknown: boolean;
  /** other members that have read it */
  readonly readBy: number;
  /** their names */
  readonly readers: readonly string[];
  /** a content of a later version, which this client cannot show */
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

/** Something that the room agreed on: shown as a knot on the thread. */
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
     * a fresh key. `unwrapped`: members that it was not made for, since their prekeys are unusable, `mine` 1: this client
     * among them, `member` who it is where that is one. `times`: so many in a row are counted in this line
     */
    | 'rotated'
    | 'missed'
    | 'joinDropped'
    | 'name'
    /** somebody who was answered already has not come in, and a new key follows */
    | 'joinEnded'
    /** somebody came with an invite and did not prove it, or too late; `tries`: how often by now */
    | 'inviteRefused'
    /** so many did not prove it that it has ended */
    | 'inviteBurnt'
    /** somebody came with an invite, and the room has no place left */
    | 'inviteFull'
    /** this client has asked for the key of the epoch, and got it from `actor` */
    | 'keyAsked'
    | 'keyGranted'
    /** somebody asked the owner (or, for the owner, this client) for the key, and got it */
    | 'keyGiven'
    /** this client was imported from an export */
    | 'imported'
    /** the relay has an older prekey of this member than the one it published */
    | 'prekeyBehind'
    /** of earlier versions, beside 'rotated': that has no key for `member` */
    | 'unwrapped'
    /** a hand-over: offered to `member`, declined or withdrawn */
    | 'offered'
    | 'offerWithdrawn'
    /** the owner has not heard of a join in time, and rotates */
    | 'joinExpired'
    /** a wish of the owner’s that this relay takes no more: changes of the settings, places in the room, beyond `max` */
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
