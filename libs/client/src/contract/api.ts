/**
 * The interface between the page and the worker: commands that the page sends, and plain data that it receives.
 *
 * The worker (apps/web/src/app/worker) implements {@link ClientApi} over libs/client and exposes it by comlink. The
 * page imports nothing else of the client. No key crosses this interface; the passphrase and the invite text do,
 * because a person types or pastes them (docs/protocol.md section 9).
 *
 * Times are Unix milliseconds; times that others sent are clamped to 2020–2100. Names are as they are drawn: without
 * invisible characters (docs/protocol.md section 6). Ids are base64url text. Fingerprints are 16 uppercase hex digits
 * (the page groups them by four).
 */
import type { TimelineItem } from './timeline-items.js';

export type * from './timeline-items.js';

/** A failure as the page sees it: a stable code to translate, and data for the sentence. */
export interface Failure {
  readonly code: string;
  /** Values for the translated sentence, never user content or secrets. */
  readonly params?: Readonly<Record<string, string | number>>;
}

/** The result of every command: comlink cannot carry a typed error. */
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

/** Why the link of a room is stopped. The page shows it until the room is live again. */
export interface StopReason extends Failure {
  /** true: the client retries by itself, with growing delays; false: only `resumeRoom` starts the link again */
  readonly resumes: boolean;
}

export interface RelayView {
  /** null until a key is known (compiled in, from the vault, from an invite, or at first use). */
  readonly fingerprint: string | null;
  readonly pinnedBy: 'build' | 'vault' | 'invite' | 'firstUse' | 'succession' | 'user' | null;
  /** the worst state over all rooms; 'connected' when there is no room and none is needed */
  readonly state: ConnectionState;
  /** why no relay may be connected to: this build's key and the vault's differ, or the vault's is damaged; null: one may */
  readonly barred: Failure | null;
  /** fingerprints of a signed succession that was followed and that the user has not dismissed; null: none */
  readonly followed: { readonly from: string; readonly to: string } | null;
}

/** Fingerprints before and after the user has pinned a relay's key. */
export interface RelayRepin {
  /** null: none was pinned */
  readonly from: string | null;
  readonly to: string;
}

export interface RoomSummary {
  readonly roomId: string;
  /** decrypted room name; empty while it is unknown (a join in progress) */
  readonly name: string;
  /** `outdated`: of an earlier version of the protocol; it is shown from the vault, and connects nowhere */
  readonly stage: 'joining' | 'member' | 'left' | 'removed' | 'closed' | 'outdated';
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

/** What the other members of each room are told of this one beside its lines. Stored in the vault; told where nothing was chosen. */
export interface Sharing {
  /** read markers, where `markRead` asks for one */
  readonly receipts: boolean;
  /** that the user is typing, where `typing` says so */
  readonly typing: boolean;
  /** that this client is here. Whoever is not told notices a difference of histories by messages alone (G7) */
  readonly presence: boolean;
}

export interface AppView {
  readonly vault: VaultState;
  /** of the open vault; while none is open, that everything is shared */
  readonly sharing: Sharing;
  readonly relay: RelayView;
  readonly rooms: readonly RoomSummary[];
  readonly joins: readonly JoinView[];
  /** rooms and joins that have an unreadable record: they are not opened, all others are */
  readonly damaged: readonly DamagedRoom[];
  /**
   * Whether what is deleted on this device is overwritten at once. false: this browser, or this window of it, has no file for that,
   * and who has the device and its passphrase may find what is gone in its files for a time
   */
  readonly overwrites: boolean;
}

/** A room with a damaged record in this device's storage; `forgetRoom` deletes what is left of it. */
export interface DamagedRoom {
  readonly roomId: string;
  /** store of the damaged record */
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
  /** 60 digits, of this device and the owner: both compare them before an approval (section 10) */
  readonly safetyNumber: string;
  readonly expires: number;
  /** steps already done, with the time each was */
  readonly done: readonly { readonly step: JoinStep; readonly time: number }[];
  /** the step that is under way, null when admitted or failed */
  readonly current: JoinStep | null;
  readonly connection: ConnectionState;
  readonly failure: Failure | null;
}

/** What an invite contains, read before anything is sent. */
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

/**
 * 'log': by an entry that it has signed since, or as nobody has departed since it came; 'presence': by a signal, in this
 * session; 'none': not known, it may still seal for who has departed.
 */
export type DepartureReceipt = 'log' | 'presence' | 'none';

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
  /** this client has received a message or signal of it in the last two minutes */
  readonly online: boolean;
  /** when this client last received a message or signal of it; null: never */
  readonly lastSeen: number | null;
  /** it has asked to leave, and can read until the owner's next rotation */
  readonly leaving: boolean;
  /** the owner's removal of it is under way */
  readonly removing: boolean;
  /** how this client knows that it has applied the last departure (G10) */
  readonly receipt: DepartureReceipt;
  /**
   * the last rotation used a prekey of this member that an earlier rotation had used already (G9); known to the owner
   * only, else false
   */
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
  /** display name of the joiner that claimed it, when known */
  readonly claimedBy: string | null;
}

/** A join that waits for the decision of the owner (rooms with approval). */
export interface ApprovalView {
  readonly inviteId: string;
  readonly name: string;
  readonly fingerprint: string;
  /** of this device and the joiner, 60 digits */
  readonly safetyNumber: string;
  readonly invited: number;
}

/** Why this client does not send at the moment. New messages wait in the outbox. */
export type PauseReason =
  /** a member was removed or has left, and this client has not read the rotation that follows */
  | 'departure'
  /** the relay's log lacks entries that this client holds, and they are being restored */
  | 'restore'
  /** this client has no key of the current epoch; it has requested one */
  | 'key'
  /** the room has a version or fields that this client does not know: it takes a newer one */
  | 'version';

/** An ownership transfer in progress. */
export interface OwnershipTransferView {
  /** 'offering': this client is the owner and waits for an answer; 'offered': this client may accept */
  readonly role: 'offering' | 'offered';
  /** the other member: the one it is offered to, or the one that offers */
  readonly memberId: string;
  readonly name: string;
  readonly since: number;
  /** accepted, and the signed entry is not in the log yet */
  readonly accepted: boolean;
}

/** What the owner may change of a room. */
export interface RoomSettingsView {
  /** messages until the next room key: 1 to 1,000,000 */
  readonly rotateEvery: number;
  /** the owner approves each join; switched off, that holds for later requests only */
  readonly approval: boolean;
  /** entries that the relay keeps for absent members: 0 to 1,000,000 */
  readonly history: number;
  /** 2 to 500; a value below the number of members removes nobody */
  readonly maxMembers: number;
  /** milliseconds that a joiner has to confirm the join reply: one minute to 30 days */
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
  /** all settings as the user has requested them, until the log holds the change; null: no change is pending */
  readonly settingsWished: RoomSettingsView | null;
  readonly ownershipTransfer: OwnershipTransferView | null;
  /** this client has stored a leave request, and the log does not hold it yet */
  readonly leaving: boolean;
  /** the owner has requested closing, and the log does not hold the entry yet */
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
  /** the log has been read to its end, and the roster does not list this member */
  readonly unlisted: boolean;
  readonly typing: readonly string[];
  readonly alarms: number;
  /**
   * when this client last received anything of the owner, if that is more than two minutes ago; null: the owner is
   * online, or is this client
   */
  readonly ownerAwaySince: number | null;
  readonly paused: PauseReason | null;
  /**
   * ids of own lines that wait for a decision of the user (MessageState 'waiting'), oldest first; later lines wait
   * behind them
   */
  readonly held: readonly string[];
  /** code of the refusal that the client is retrying by itself; null: none */
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

/** One entry of the log as the relay stores it, with what this device reads in it. */
export interface RelayRow {
  readonly position: { readonly g: number; readonly s: number };
  readonly kind: 'message' | 'rotation' | 'roster' | 'leaveRequest';
  /** member id: the relay knows no name */
  readonly sender: string;
  /** the relay's time, not clamped */
  readonly time: number;
  /** the time is more than a day ahead of the clock of this device, or outside 2020–2100 */
  readonly timeDoubtful: boolean;
  readonly clearBytes: number;
  readonly payloadBytes: number;
  /** the first bytes of the sealed payload, lower-case hex */
  readonly sample: string;
  /** known on this device only: the sender's name, and the text ('' for an entry without text) */
  readonly senderName: string;
  readonly says: string;
  /** content type of a message, event of the others */
  readonly what: string;
}

/** Progress of an export, in records. At the end `done` equals `total`. */
export interface ExportProgress {
  readonly done: number;
  /** estimated number of records; writes during the export add to it */
  readonly total: number;
}

/**
 * Receives the next piece of the export file. The client makes the following piece once this resolves. False cancels
 * the export.
 */
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

/**
 * The API of the worker. Every method resolves; failures are values ({@link Outcome}) with a code of docs/protocol.md
 * section 11. Every method that needs the vault fails with VAULT_LOCKED while it is locked; those of a room with
 * ROOM_UNKNOWN where the vault does not have it.
 */
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
  /**
   * Pins the key that the relay proves, by the user's own explicit act. `fingerprint`: typed, as the operator told it
   * by another way. FINGERPRINT_MALFORMED; RELAY_UNREACHABLE; RELAY_KEY_MISMATCH with `pinned` and `other`, the one
   * that the relay names, where that is not the one that was typed, or is not proved. The key before is never pinned
   * again but by this act.
   */
  repinRelay(fingerprint: string): Promise<Outcome<RelayRepin>>;
  /** The user has seen RelayView.followed. */
  dismissRelayChange(): Promise<Outcome<void>>;
  /**
   * Reads a link or its fragment. Of the deployment it may read where its relay's key has come from; it sends nothing.
   */
  previewInvite(text: string): Promise<Outcome<InvitePreview>>;
  /** Starts or resumes the join; progress arrives as `app` events. */
  join(text: string, displayName: string): Promise<Outcome<{ readonly roomId: string }>>;
  /** Abandons a join before its admission, or removes a failed one. */
  abandonJoin(roomId: string): Promise<Outcome<void>>;
  /** Watches one room (the open one), or none. */
  watchRoom(roomId: string | null): Promise<Outcome<void>>;
  /** Marks everything in the room as read. `tell`: also send a read marker to the other members, where {@link Sharing} lets it. */
  markRead(roomId: string, tell: boolean): Promise<Outcome<void>>;
  /** Adds older items of the vault to the watched timeline. */
  loadEarlier(roomId: string): Promise<Outcome<void>>;
  /** Resolves once the message is stored in the outbox. */
  sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>>;
  /** `to`, `message`: ids of timeline messages. MESSAGE_UNKNOWN when they are not on this device. */
  reply(roomId: string, to: string, text: string): Promise<Outcome<{ readonly id: string }>>;
  react(roomId: string, to: string, emoji: string, on: boolean): Promise<Outcome<void>>;
  /** Sends a waiting line to all current members. MESSAGE_UNKNOWN for a line that does not wait. */
  confirmSend(roomId: string, message: string): Promise<Outcome<void>>;
  /** Discards a waiting line: it is never sent. MESSAGE_UNKNOWN for a line that does not wait. */
  discard(roomId: string, message: string): Promise<Outcome<void>>;
  /** Sends the text of a lost line as a new one. MESSAGE_UNKNOWN for one that is not lost. */
  resend(roomId: string, message: string): Promise<Outcome<{ readonly id: string }>>;
  /** Own messages only: NOT_YOURS. */
  editMessage(roomId: string, message: string, text: string): Promise<Outcome<void>>;
  deleteMessage(roomId: string, message: string): Promise<Outcome<void>>;
  /**
   * The user is typing: the client sends a sealed signal, at most one every few seconds, where {@link Sharing} lets it; it is never
   * stored.
   */
  typing(roomId: string): Promise<Outcome<void>>;
  /**
   * Chooses what the other members are told, from now on; what is not named stays. Resolves once the vault has stored it. Before a
   * vault is open, the choice is that of the next one to be opened, from its first moment on.
   */
  share(changes: Partial<Sharing>): Promise<Outcome<void>>;
  /** Kept in the vault until sent or replaced. */
  setDraft(roomId: string, text: string): Promise<Outcome<void>>;
  renameMe(roomId: string, name: string): Promise<Outcome<void>>;
  /** Owner only. */
  renameRoom(roomId: string, name: string): Promise<Outcome<void>>;
  /** The safety number with a member, or with the joiner of an invite that waits for approval. */
  safetyNumber(roomId: string, memberOrInvite: string): Promise<Outcome<SafetyNumberView>>;
  setVerified(roomId: string, memberId: string, verified: boolean): Promise<Outcome<void>>;
  /** The newest entries of the log as the relay stores them, newest last; `limit` at most 500. */
  relaySees(roomId: string, limit: number): Promise<Outcome<readonly RelayRow[]>>;
  /** Owner only. `lifetimeMs`: how long the link can be claimed. */
  createInvite(roomId: string, lifetimeMs: number): Promise<Outcome<CreatedInvite>>;
  revokeInvite(roomId: string, inviteId: string): Promise<Outcome<void>>;
  decideJoin(roomId: string, inviteId: string, admit: boolean): Promise<Outcome<void>>;
  /**
   * Owner only (else NOT_OWNER): rotates the room key; without the key of the epoch it begins one without it, which everybody
   * is shown. Resolves when the log holds the rotation; OFFLINE where the relay is not there.
   */
  rotateNow(roomId: string): Promise<Outcome<void>>;
  /**
   * Owner only, and never oneself (CANNOT_REMOVE_SELF). Resolves once the removal is stored. The client sends it,
   * with a new room key, when it can reach the relay; MemberView.removing is true until then.
   */
  removeMember(roomId: string, memberId: string): Promise<Outcome<void>>;
  /**
   * Resolves once the leave request is stored. The owner cannot leave: OWNER_MUST_HAND_OVER. While this member takes part
   * in a hand-over (it has accepted the room, or has just handed it over) the request waits to be sent.
   */
  leaveRoom(roomId: string): Promise<Outcome<void>>;
  /**
   * Owner only: offers the room to a member; a new offer replaces the last one. NOT_OWNER, too, once a transfer is signed.
   */
  offerOwnership(roomId: string, memberId: string): Promise<Outcome<void>>;
  /** Withdraws the offer (owner), or declines it (member). NO_OFFER when there is none, or it was accepted in this epoch. */
  endOwnershipOffer(roomId: string): Promise<Outcome<void>>;
  /**
   * Accepts the offer. Holds until the room changes hands or its key: then it may be accepted once more, or declined.
   * NO_OFFER when there is none.
   */
  acceptOwnership(roomId: string): Promise<Outcome<void>>;
  /** Owner only. Settings that are left out keep their values. OUT_OF_RANGE with `min` and `max`; SETTINGS_LIMIT. */
  changeSettings(roomId: string, settings: Partial<RoomSettingsView>): Promise<Outcome<void>>;
  /** Owner only: closes the room; its log takes no more entries. Idempotent. */
  closeRoom(roomId: string): Promise<Outcome<void>>;
  /** Restarts the link of a stopped room, for example after "in use elsewhere" or a full disk. */
  resumeRoom(roomId: string): Promise<Outcome<void>>;
  /**
   * The page is shown again, or the network is back: what waits for its next attempt makes it now, and a link that died while
   * the device slept is known within three seconds. Nothing for what is stopped, or where the vault is locked.
   */
  wake(): Promise<Outcome<void>>;
  /** For a room that the relay no longer has: restores its roster and rotations from this device. */
  restoreRoom(roomId: string): Promise<Outcome<void>>;
  /**
   * Deletes from this device a room that this member has left or was removed from, or that is closed or unknown to
   * the relay; STILL_MEMBER otherwise. `unconfirmed`: also a room with a leave request that the log does not hold
   * yet. If the log never receives that request, the other members go on listing this one and do not rotate.
   */
  forgetRoom(roomId: string, unconfirmed?: boolean): Promise<Outcome<void>>;
  /**
   * Exports the vault into one sealed file, piece by piece, while the rooms stay live. `passphrase` is that of the
   * file (PASSPHRASE_WEAK). EXPORT_CANCELLED once `take` resolves with false: the pieces so far are no valid file.
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
