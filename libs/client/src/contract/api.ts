/**
 * What the page may ask of the worker, and what it is told: plain data only.
 *
 * The worker (apps/web/src/app/worker) implements {@link ClientApi} over libs/client and
 * exposes it by comlink; the page holds nothing else. No key crosses this line; the
 * passphrase and the invite text do, because a person types or pastes them
 * (docs/protocol.md section 9).
 *
 * Times are Unix milliseconds; those of others lie in 2020–2100 here, whatever was sent. Names are
 * as they are drawn: without what is not seen (docs/protocol.md section 6). Ids are base64url text.
 * Fingerprints are 16 uppercase hex digits (the page groups them by four).
 */
import type { TimelineItem } from './timeline.js';

export type * from './timeline.js';

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

/** Why a room's link stands still: shown until it is live again. */
export interface StopReason extends Failure {
  /** it is tried again by itself, less and less often; false: only after the user's own act (`resumeRoom`) */
  readonly resumes: boolean;
}

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
  /** what was typed and not sent; empty for nothing */
  readonly draft: string;
}

export interface AppView {
  readonly vault: VaultState;
  readonly relay: RelayView;
  readonly rooms: readonly RoomSummary[];
  readonly joins: readonly JoinView[];
  /** rooms and joins of which a record cannot be read: they are not opened, everything else is */
  readonly damaged: readonly DamagedRoom[];
}

/** A room that this device's storage has damaged; forgetRoom deletes what is left of it. */
export interface DamagedRoom {
  readonly roomId: string;
  /** of the record that is not what was stored */
  readonly store: string;
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
  /** of this device and the owner, 60 digits: what both compare before an approval (section 10) */
  readonly safetyNumber: string;
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
  /** another member's name looks the same: show the fingerprint beside it */
  readonly confusable: boolean;
  readonly owner: boolean;
  readonly me: boolean;
  readonly verified: boolean;
  /** heard of in the last two minutes */
  readonly online: boolean;
  /** when it was last heard of: a message or a sign of presence; null: never here */
  readonly lastSeen: number | null;
  /** it has asked to leave, and can read until the owner's next rotation */
  readonly leaving: boolean;
  /** the owner's removal of it is under way */
  readonly removing: boolean;
  /** whether it has said that it took in the newest roster entry (G10); null: not heard since */
  readonly upToDate: boolean | null;
  /** the last rotation used a prekey of it that an earlier one had used already (G9); owner only, else false */
  readonly oldPrekey: boolean;
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
  /** of this device and the joiner, 60 digits */
  readonly safetyNumber: string;
  readonly invited: number;
}

/** Why this client must not send at this moment; what is written waits in the outbox. */
export type PauseReason =
  /** somebody was removed or has left, and the rotation that follows has not arrived */
  | 'departure'
  /** the relay's log is behind what this client knows, and is being restored */
  | 'restore'
  /** there is no key of this epoch here; it has been asked for */
  | 'key';

/** A hand-over of the room that is under way. */
export interface HandOverView {
  /** 'offering': this client is the owner and waits for an answer; 'offered': this client may accept */
  readonly role: 'offering' | 'offered';
  /** the other one: whom it is offered to, or who offers */
  readonly memberId: string;
  readonly name: string;
  readonly since: number;
  /** the acceptance is given, and the signed entry is not in the log yet */
  readonly accepted: boolean;
}

/** What the owner may change of a room. */
export interface RoomSettingsView {
  /** messages until the next room key: 1 to 1,000,000 */
  readonly rotateEvery: number;
  /** the owner is asked about each join; switched off, it holds for later requests only */
  readonly approval: boolean;
  /** entries that the relay keeps for absent members: 0 to 1,000,000 */
  readonly history: number;
  /** 2 to 1,000; members who are in stay, however low it is */
  readonly maxMembers: number;
  /** milliseconds that an answered joiner has to confirm: a minute to 30 days */
  readonly joinDeadline: number;
}

export interface RoomView {
  readonly roomId: string;
  readonly name: string;
  readonly stage: RoomSummary['stage'];
  readonly owner: boolean;
  readonly me: string;
  readonly members: readonly MemberView[];
  readonly key: RoomKeyView | null;
  readonly settings: RoomSettingsView;
  /** all of them as the owner's client has been asked to make them, while the log does not say so; null: nothing waits */
  readonly settingsWished: RoomSettingsView | null;
  readonly handOver: HandOverView | null;
  /** this client has asked to leave, and the relay has not said that it has */
  readonly leaving: boolean;
  /** the owner's client has been asked to close the room, and the log does not say so yet */
  readonly closing: boolean;
  readonly draft: string;
  /** order of the first item that has not been marked read; items at or above it are new */
  readonly unreadFrom: number;
  /** there is more in the vault than the timeline holds: loadEarlier */
  readonly earlier: boolean;
  /** for the owner */
  readonly invites: readonly InviteView[];
  readonly approvals: readonly ApprovalView[];
  readonly connection: ConnectionState;
  readonly stopped: StopReason | null;
  /** true while the log is being read after an open */
  readonly catchingUp: boolean;
  /** the log has been read to its end, and no owner's word has this member on the roster */
  readonly unlisted: boolean;
  readonly typing: readonly string[];
  readonly alarms: number;
  /** when the owner was last heard of, if that is more than two minutes ago; null: here, or oneself */
  readonly ownerAwaySince: number | null;
  readonly paused: PauseReason | null;
  /** ids of own lines that wait for an answer (MessageState 'waiting'), oldest first: what is later waits behind them */
  readonly held: readonly string[];
  /** code of what the relay refuses with for now, and is asked for again by itself; null: nothing waits */
  readonly waiting: string | null;
}

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

/** Two members' safety number (docs/protocol.md section 10). */
export interface SafetyNumberView {
  /** 60 digits; the page groups them by five */
  readonly digits: string;
  /** what a QR code of it holds */
  readonly qr: string;
  readonly myFingerprint: string;
  readonly theirFingerprint: string;
}

/** One entry of the log as the relay has it, beside what this device reads in it. */
export interface RelayRow {
  readonly position: { readonly g: number; readonly s: number };
  readonly kind: 'message' | 'rotation' | 'roster' | 'leaveRequest';
  /** member id: the relay knows no name */
  readonly sender: string;
  /** the relay's number, whatever it is: not clamped */
  readonly time: number;
  /** it lies more than a day ahead of this device's clock, or outside of 2020–2100 */
  readonly timeDoubtful: boolean;
  readonly clearBytes: number;
  readonly payloadBytes: number;
  /** the first bytes of the sealed payload, lower-case hex */
  readonly sample: string;
  /** on this device only: the sender's name, and what it says ('' when nothing to read) */
  readonly senderName: string;
  readonly says: string;
  /** content type of a message, event of the others */
  readonly what: string;
}

/** How far an export has come, in records; once it is whole, both are the same. */
export interface ExportProgress {
  readonly done: number;
  /** about how many there will be: what is written meanwhile comes on top */
  readonly total: number;
}

/** Takes the next piece of an export's file; the one after it is made once this resolves. False ends the export. */
export type TakePiece = (piece: Uint8Array, progress: ExportProgress) => Promise<boolean>;

/** Why a passphrase would be guessed: common words or names, repetition, rows and sequences, a date, or no more than its length. */
export type PassphraseWeakness = 'common' | 'repeated' | 'pattern' | 'date' | 'short';

export interface PassphraseRating {
  /** it may be a new one */
  readonly acceptable: boolean;
  /** 0: nothing typed; 1 and 2 are refused; 3 and 4 are accepted */
  readonly strength: 0 | 1 | 2 | 3 | 4;
  /** null: acceptable */
  readonly weakness: PassphraseWeakness | null;
}

/** The worker's door. Every method resolves; failures are values. */
export interface ClientApi {
  /** One listener per page; called at once with the current `app`. */
  subscribe(listener: (event: ClientEvent) => void): Promise<void>;
  /** Whether a passphrase may be a new one, here or of an export; nothing is kept of it. */
  ratePassphrase(passphrase: string): Promise<Outcome<PassphraseRating>>;
  /** PASSPHRASE_WEAK with `weakness`, here and wherever a passphrase is new. */
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
  /** Everything up to now is read. `tell`: let the others know, by a read marker. */
  markRead(roomId: string, tell: boolean): Promise<Outcome<void>>;
  /** Adds older items of the vault to the watched timeline. */
  loadEarlier(roomId: string): Promise<Outcome<void>>;
  /** Resolves once the message is stored in the outbox. */
  sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>>;
  /** `to`, `message`: ids of timeline messages. MESSAGE_UNKNOWN when they are not on this device. */
  reply(roomId: string, to: string, text: string): Promise<Outcome<{ readonly id: string }>>;
  react(roomId: string, to: string, emoji: string, on: boolean): Promise<Outcome<void>>;
  /** Sends a waiting line to everybody who is a member now. MESSAGE_UNKNOWN for one that does not wait. */
  confirmSend(roomId: string, message: string): Promise<Outcome<void>>;
  /** Gives a waiting line up: it is never sent. MESSAGE_UNKNOWN for one that does not wait. */
  discard(roomId: string, message: string): Promise<Outcome<void>>;
  /** Sends the text of a lost line as a new one. MESSAGE_UNKNOWN for one that is not lost. */
  sendAgain(roomId: string, message: string): Promise<Outcome<{ readonly id: string }>>;
  /** Own messages only: NOT_YOURS. */
  editMessage(roomId: string, message: string, text: string): Promise<Outcome<void>>;
  deleteMessage(roomId: string, message: string): Promise<Outcome<void>>;
  /** Somebody is typing here: told to the others at most every few seconds, sealed, never stored. */
  typing(roomId: string): Promise<Outcome<void>>;
  /** Kept in the vault until sent or replaced. */
  setDraft(roomId: string, text: string): Promise<Outcome<void>>;
  renameMe(roomId: string, name: string): Promise<Outcome<void>>;
  /** Owner only. */
  renameRoom(roomId: string, name: string): Promise<Outcome<void>>;
  /** The safety number with a member, or with the joiner of an invite that waits for approval. */
  safetyNumber(roomId: string, memberOrInvite: string): Promise<Outcome<SafetyNumberView>>;
  setVerified(roomId: string, memberId: string, verified: boolean): Promise<Outcome<void>>;
  /** The newest entries of the log as the relay has them, newest last; `limit` at most 500. */
  relaySees(roomId: string, limit: number): Promise<Outcome<readonly RelayRow[]>>;
  /** Owner only. `lifetimeMs`: how long the link can be claimed. */
  createInvite(roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>>;
  revokeInvite(roomId: string, inviteId: string): Promise<Outcome<void>>;
  decideJoin(roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>>;
  /** Owner only: a fresh room key now. Resolves when the log holds it. */
  rotateNow(roomId: string): Promise<Outcome<void>>;
  /**
   * Owner only, and never oneself (CANNOT_REMOVE_SELF). Stored at once; carried out, with a
   * fresh key, as soon as the relay can be reached: MemberView.removing until then.
   */
  removeMember(roomId: string, memberId: string): Promise<Outcome<void>>;
  /** Stored at once. The owner cannot: OWNER_MUST_HAND_OVER. */
  leaveRoom(roomId: string): Promise<Outcome<void>>;
  /** Owner only: offers the room to a member; a new offer replaces the last one. */
  offerRoom(roomId: string, memberId: string): Promise<Outcome<void>>;
  /** Takes the offer back (owner), or declines it. NO_OFFER when none stands, or once it was accepted. */
  endOffer(roomId: string): Promise<Outcome<void>>;
  acceptRoom(roomId: string): Promise<Outcome<void>>;
  /** Owner only. What is not named stays as it is. OUT_OF_RANGE with `min` and `max`; SETTINGS_LIMIT. */
  changeSettings(roomId: string, settings: Partial<RoomSettingsView>): Promise<Outcome<void>>;
  /** Owner only: the room's last entry, for ever. Closing twice succeeds. */
  closeRoom(roomId: string): Promise<Outcome<void>>;
  /** Starts the link of a stopped room again: after "in use elsewhere", or a full disk. */
  resumeRoom(roomId: string): Promise<Outcome<void>>;
  /** The relay says the room is gone: brings its roster and keys back from this device. */
  restoreRoom(roomId: string): Promise<Outcome<void>>;
  /**
   * Deletes a room that is left, removed, closed or gone from this device; STILL_MEMBER otherwise. `unconfirmed`: also
   * one that this client has asked to leave, before the log holds the request. Where it never does, the others go on
   * seeing a member, and their keys do not change.
   */
  forgetRoom(roomId: string, unconfirmed?: boolean): Promise<Outcome<void>>;
  /**
   * One sealed file with everything, piece by piece, while the rooms go on; its own passphrase (PASSPHRASE_WEAK).
   * EXPORT_CANCELLED once `take` has answered false: what it has taken is no whole file.
   */
  exportVault(passphrase: string, take: TakePiece): Promise<Outcome<void>>;
  /**
   * Only on a device without a vault (VAULT_EXISTS). `filePassphrase` opens the file
   * (WRONG_PASSPHRASE, EXPORT_DAMAGED), `passphrase` is the new vault's own.
   */
  importVault(file: Uint8Array, filePassphrase: string, passphrase: string): Promise<Outcome<void>>;
  changePassphrase(current: string, next: string): Promise<Outcome<void>>;
  /** Links closed, keys wiped. In the browser the page then ends the worker. */
  lock(): Promise<Outcome<void>>;
}
