/**
 * Every limit of version 2, in bytes, entries or milliseconds as the name says
 * (docs/protocol.md section 2). Both sides check them on receipt.
 */
export const LIMITS = {
  /** a canonical public key: UEC2 container, compressed point */
  publicKeyBytes: 45,
  /** of ML-KEM-768 (FIPS 203): an encapsulation key, a ciphertext, and a private key as its seed */
  kemKeyBytes: 1_184,
  kemCiphertextBytes: 1_088,
  kemSeedBytes: 64,
  /** a hash, a head, a transcript value, a room key, a token, a join key */
  hashBytes: 32,
  /** one frame on the wire, before it is unwrapped */
  frameBytes: 1_048_576,
  /** messages in one frame */
  frameMessages: 256,
  /** values of CBOR in one frame, keys of maps included */
  frameItems: 8_192,
  /** a frame that a client sends before it has named its room: holds the largest entry that can be restored */
  unboundFrameBytes: 131_072,
  /** a frame that a client sends before its session is established */
  handshakeBytes: 4_096,
  /** messages in one append, and in flight per member */
  appendMessages: 32,
  /** a sealed message */
  payloadBytes: 32_768,
  /** one that is sent again inside another: the longest line fits, and the other does not outgrow its own limit */
  againBytes: 24_576,
  /** the text of a message, UTF-8 */
  textBytes: 16_384,
  /** maps and lists inside each other in the content of a message, the content itself included */
  contentDepth: 4,
  /** a display name, a room name: UTF-16 units, and bytes of UTF-8 */
  nameChars: 64,
  nameBytes: 256,
  emojiBytes: 64,
  /** any signed container that is not a message */
  containerBytes: 4_096,
  /** the clear part of an entry: a rotation lists its unwrapped members */
  clearBytes: 32_768,
  /** values of CBOR in a signed body: a rotation lists its unwrapped members */
  bodyItems: 2_048,
  /** a hybrid wrap has 1,347, and 16 more for the longest numbers (docs/decisions/0027) */
  wrapBytes: 1_408,
  /** the number of a prekey: what can be counted on from there on stays exact */
  prekeyNumber: 2 ** 40 - 1,
  joinRequestBytes: 8_192,
  joinReplyBytes: 786_432,
  joinConfirmBytes: 1_024,
  keyGrantBytes: 786_432,
  /** members whose grants one request may name as failed */
  failedGranters: 8,
  signalBytes: 2_048,
  inviteLinkBytes: 512,
  /** members of a room: the most a genesis may ask for; their wraps go in one frame */
  maxMembers: 500,
  rotateEvery: 1_000_000,
  /** bounds of what a relay may promise in hello: milliseconds between two of its frames */
  leastHeartbeatMs: 500,
  mostHeartbeatMs: 60_000,
  /** entries in one page of the log, and of the chain */
  pageEntries: 128,
  pageBytes: 262_144,
  chainPage: 128,
  generationsPage: 64,
  restoreEntries: 64,
  /** an invite lives at most this long */
  inviteLifetimeMs: 30 * 86_400_000,
  /** and as much more by the clock of whoever reads its link: clocks may be a day apart */
  inviteClockMs: 86_400_000,
  joinDeadlineMs: 30 * 86_400_000,
  minJoinDeadlineMs: 60_000,
  historyEntries: 1_000_000,
  /**
   * rotations of a room with no message since the last one that go at once, and how many milliseconds bring one more:
   * who goes takes a key along in its own command, and a message makes room for a rotation
   */
  idleRotations: 32,
  idleRotationMs: 60_000,
  /** rotations that a store which has lost something takes back for a room at once, and milliseconds that bring one more */
  restoredRotations: 256,
  restoredRotationMs: 250,
  /** the version of a room: each upgrade raises it, and the chain is never trimmed */
  roomVersion: 1_000,
  /** settings entries in the life of a room: the chain is never trimmed */
  settingsEntries: 1_000,
  invitesOpen: 64,
  /** statements of succession that a relay publishes, and the address that each names: config.json holds them all */
  successions: 16,
  originBytes: 128,
} as const;
