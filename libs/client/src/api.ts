/**
 * What the page may ask of the worker, and what it is told: plain data only.
 *
 * The worker (apps/web/src/app/worker) implements {@link ClientApi} over libs/client and
 * exposes it by comlink; the page holds nothing else. No key crosses this line; the
 * passphrase and the invite text do, because a person types or pastes them
 * (docs/protocol.md section 9).
 *
 * Times are Unix milliseconds. Ids are base64url text. Fingerprints are 16 uppercase hex
 * digits (the page groups them by four).
 */

/** A failure as the page sees it: a stable code to translate, and data for the sentence. */
export interface Failure {
  readonly code: string;
  /** Values for the translated sentence, never user content or secrets. */
  readonly params?: Readonly<Record<string, string | number>>;
}

/** Every command ends in one of these: comlink cannot carry a typed error across. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

export type VaultState =
  /** no vault on this device yet: ask for a first passphrase */
  | 'absent'
  /** there is one: ask for its passphrase */
  | 'locked'
  | 'open'
  /** another tab of this browser holds it */
  | 'elsewhere';

export type ConnectionState = 'connected' | 'connecting' | 'offline' | 'stopped';

/** Why a room's link stopped for good until the user acts. */
export type StopReason = Failure;

export interface RelayView {
  /** null until a key is known (compiled in, from the vault, from an invite, or at first use). */
  readonly fingerprint: string | null;
  readonly pinnedBy: 'build' | 'vault' | 'invite' | 'firstUse' | null;
  /** the worst state over all rooms; 'connected' when there is no room and none is needed */
  readonly state: ConnectionState;
}

export interface RoomSummary {
  readonly roomId: string;
  /** decrypted room name; empty while it is unknown (a join in progress) */
  readonly name: string;
  readonly stage: 'joining' | 'member' | 'left' | 'removed' | 'closed';
  readonly owner: boolean;
  readonly unread: number;
  readonly last: {
    readonly sender: string;
    readonly mine: boolean;
    readonly text: string;
    readonly time: number;
  } | null;
  /** time of the last activity, for sorting */
  readonly time: number;
  readonly alarms: number;
  readonly rotationDue: boolean;
  readonly connection: ConnectionState;
  readonly stopped: StopReason | null;
}

export interface AppView {
  readonly vault: VaultState;
  readonly relay: RelayView;
  readonly rooms: readonly RoomSummary[];
  readonly joins: readonly JoinView[];
}

export type JoinStep = 'claim' | 'request' | 'ownerReply' | 'keyReceived' | 'confirmed' | 'admitted';

/** A join in progress on the joiner's side (docs/protocol.md section 5). */
export interface JoinView {
  readonly roomId: string;
  readonly inviteId: string;
  readonly displayName: string;
  readonly ownerFingerprint: string;
  readonly myFingerprint: string;
  readonly relayFingerprint: string;
  readonly expires: number;
  /** steps already done, with the time each was */
  readonly done: readonly { readonly step: JoinStep; readonly time: number }[];
  /** the step that is under way, null when admitted or failed */
  readonly current: JoinStep | null;
  readonly connection: ConnectionState;
  readonly failure: Failure | null;
}

/** What an invite says before anything is sent. */
export interface InvitePreview {
  readonly roomId: string;
  readonly ownerFingerprint: string;
  readonly relayFingerprint: string;
  /** whether that relay key is the pinned one ('new': nothing was pinned before) */
  readonly relayPin: 'matches' | 'new' | 'differs';
  /** the fingerprint this device has pinned, to show beside a different one */
  readonly pinnedFingerprint: string | null;
  readonly expires: number;
  /** an earlier, unfinished join with this very invite */
  readonly resumes: boolean;
}

export interface MemberView {
  readonly memberId: string;
  /** decrypted display name; empty when unknown */
  readonly name: string;
  readonly fingerprint: string;
  readonly owner: boolean;
  readonly me: boolean;
  readonly verified: boolean;
  /** heard of in the last two minutes */
  readonly here: boolean;
  readonly lastSeen: number | null;
  readonly leaving: boolean;
}

export interface RoomKeyView {
  readonly epoch: number;
  readonly since: number;
  /** messages in this epoch so far */
  readonly messages: number;
  readonly rotateEvery: number;
  readonly rotating: boolean;
}

export interface InviteView {
  readonly inviteId: string;
  readonly made: number;
  readonly expires: number;
  readonly state: 'open' | 'claimed' | 'replied' | 'confirmed';
  /** display name of whoever claimed it, when known */
  readonly claimedBy: string | null;
}

/** A join that waits for the owner's word (approval rooms). */
export interface ApprovalView {
  readonly inviteId: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly invited: number;
}

export interface RoomView {
  readonly roomId: string;
  readonly name: string;
  readonly stage: RoomSummary['stage'];
  readonly owner: boolean;
  readonly me: string;
  readonly members: readonly MemberView[];
  readonly key: RoomKeyView | null;
  /** for the owner */
  readonly invites: readonly InviteView[];
  readonly approvals: readonly ApprovalView[];
  readonly connection: ConnectionState;
  readonly stopped: StopReason | null;
  /** true while the log is being read after an open */
  readonly catchingUp: boolean;
  readonly typing: readonly string[];
  readonly alarms: number;
  readonly ownerAwaySince: number | null;
  /** true while this client must not send (a removal without its rotation yet) */
  readonly sendingPaused: boolean;
}

export type MessageState = 'sending' | 'relayed' | 'read';

export interface TimelineMessage {
  readonly type: 'message';
  /** stable over its life, from sending to relayed */
  readonly id: string;
  /** ascending order key; pending messages sort last */
  readonly order: number;
  readonly time: number;
  readonly sender: string;
  readonly senderName: string;
  readonly fingerprint: string;
  readonly verified: boolean;
  readonly mine: boolean;
  readonly text: string;
  readonly state: MessageState;
  readonly readBy: number;
  /** null or the code of a content this client cannot show, e.g. NEWER_CLIENT_NEEDED */
  readonly unsupported: boolean;
}

/** Something that the room agreed on: shown as a knot on the thread. */
export interface TimelineSystem {
  readonly type: 'system';
  readonly id: string;
  readonly order: number;
  readonly time: number;
  readonly event:
    | 'created'
    | 'admitted'
    | 'removed'
    | 'leaving'
    | 'left'
    | 'transferred'
    | 'settings'
    | 'closed'
    | 'rotated'
    | 'missed'
    | 'joinDropped'
    | 'name'
    | 'inviteRefused';
  /** the actor and the member concerned, as names ('' when unknown); numbers as they are */
  readonly params: Readonly<Record<string, string | number>>;
  /** the member concerned is this client */
  readonly me: boolean;
}

export interface TimelineAlarm {
  readonly type: 'alarm';
  readonly id: string;
  readonly order: number;
  readonly time: number;
  /** an alarm code of libs/protocol, e.g. ALARM_FORK */
  readonly code: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly settled: boolean;
}

export type TimelineItem = TimelineMessage | TimelineSystem | TimelineAlarm;

/** Pushed to the page, in this order after watchRoom: one `room`, one `timeline` reset, then changes. */
export type ClientEvent =
  | { readonly type: 'app'; readonly app: AppView }
  | { readonly type: 'room'; readonly room: RoomView }
  | {
      readonly type: 'timeline';
      readonly roomId: string;
      /** true: items replace everything the page has of this room */
      readonly reset: boolean;
      /** inserted, or replacing the item with the same id */
      readonly items: readonly TimelineItem[];
      readonly removed: readonly string[];
    };

export interface CreateRoomOptions {
  readonly name: string;
  readonly displayName: string;
  /** 1 to 1,000,000; default 100 */
  readonly rotateEvery: number;
  readonly approval: boolean;
}

export interface CreatedInvite {
  readonly inviteId: string;
  /** the whole link; its fragment is the secret */
  readonly link: string;
  readonly expires: number;
}

/** The worker's door. Every method resolves; failures are values. */
export interface ClientApi {
  /** One listener per page; called at once with the current `app`. */
  subscribe(listener: (event: ClientEvent) => void): Promise<void>;
  createVault(passphrase: string): Promise<Outcome<void>>;
  unlock(passphrase: string): Promise<Outcome<void>>;
  /** Erases everything on this device. Only the user's own, explicit act calls this. */
  eraseVault(): Promise<Outcome<void>>;
  createRoom(options: CreateRoomOptions): Promise<Outcome<{ readonly roomId: string }>>;
  /** Reads a link or its fragment; sends nothing. */
  previewInvite(text: string): Promise<Outcome<InvitePreview>>;
  /** Starts or resumes the join; progress arrives as `app` events. */
  join(text: string, displayName: string): Promise<Outcome<{ readonly roomId: string }>>;
  /** Gives up a join that has not been admitted, or clears away a failed one. */
  abandonJoin(roomId: string): Promise<Outcome<void>>;
  /** Watches one room (the open one), or none. */
  watchRoom(roomId: string | null): Promise<Outcome<void>>;
  markRead(roomId: string): Promise<Outcome<void>>;
  /** Resolves once the message is stored in the outbox. */
  sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>>;
  /** Owner only. `lifetimeMs`: how long the link can be claimed. */
  createInvite(roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>>;
  revokeInvite(roomId: string, inviteId: string): Promise<Outcome<void>>;
  decideJoin(roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>>;
  /** Owner only: a fresh room key now. Resolves when the log holds it. */
  rotateNow(roomId: string): Promise<Outcome<void>>;
}
