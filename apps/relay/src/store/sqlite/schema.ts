/**
 * Tables of the embedded store. `user_version` counts the steps below that a file has been
 * through; a file of a later version is refused rather than guessed at.
 */
import type { DatabaseSync } from 'node:sqlite';

const STEPS: readonly string[] = [
  `
  CREATE TABLE rooms (
    room_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    epoch_g INTEGER NOT NULL,
    epoch_s INTEGER NOT NULL,
    epoch_messages INTEGER NOT NULL,
    head BLOB NOT NULL,
    length INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    trimmed_g INTEGER NOT NULL,
    trimmed_s INTEGER NOT NULL,
    trimmed_t BLOB,
    boot TEXT NOT NULL,
    closed INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE members (
    room_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    standing TEXT NOT NULL,
    floor_g INTEGER NOT NULL,
    floor_s INTEGER NOT NULL,
    ack_g INTEGER NOT NULL,
    ack_s INTEGER NOT NULL,
    prekey_k INTEGER NOT NULL,
    prekey BLOB,
    gone_g INTEGER,
    gone_s INTEGER,
    gone_epoch INTEGER,
    gone_head BLOB,
    PRIMARY KEY (room_id, member_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE log (
    room_id TEXT NOT NULL,
    g INTEGER NOT NULL,
    s INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    time INTEGER NOT NULL,
    clear BLOB NOT NULL,
    payload BLOB NOT NULL,
    id BLOB,
    PRIMARY KEY (room_id, g, s)
  ) STRICT;
  CREATE UNIQUE INDEX log_sent ON log (room_id, sender, id) WHERE id IS NOT NULL;

  CREATE TABLE chain (
    room_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    head BLOB NOT NULL,
    g INTEGER NOT NULL,
    s INTEGER NOT NULL,
    time INTEGER NOT NULL,
    container BLOB NOT NULL,
    PRIMARY KEY (room_id, idx)
  ) STRICT;
  CREATE UNIQUE INDEX chain_head ON chain (room_id, head);

  CREATE TABLE rotations (
    room_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    hash BLOB NOT NULL,
    g INTEGER NOT NULL,
    s INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (room_id, epoch)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE wraps (
    room_id TEXT NOT NULL,
    g INTEGER NOT NULL,
    s INTEGER NOT NULL,
    member_id TEXT NOT NULL,
    wrap BLOB NOT NULL,
    PRIMARY KEY (room_id, g, s, member_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE generations (
    room_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    from_g INTEGER NOT NULL,
    from_s INTEGER NOT NULL,
    PRIMARY KEY (room_id, generation)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE invites (
    room_id TEXT NOT NULL,
    invite_id TEXT NOT NULL,
    expires INTEGER NOT NULL,
    state TEXT NOT NULL,
    joiner TEXT,
    joiner_key BLOB,
    claimed_at INTEGER,
    request BLOB,
    reply_epoch INTEGER,
    reply BLOB,
    confirm_epoch INTEGER,
    confirm BLOB,
    confirmed_at INTEGER,
    reason TEXT,
    PRIMARY KEY (room_id, invite_id)
  ) STRICT;
  CREATE INDEX invites_joiner ON invites (room_id, joiner);

  CREATE TABLE key_requests (
    room_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    request BLOB NOT NULL,
    PRIMARY KEY (room_id, member_id)
  ) STRICT;
  CREATE TABLE key_grants (
    room_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    granter TEXT NOT NULL,
    granted BLOB NOT NULL,
    news BLOB NOT NULL,
    PRIMARY KEY (room_id, member_id, granter)
  ) STRICT;

  CREATE TABLE offers (
    room_id TEXT PRIMARY KEY,
    member_id TEXT NOT NULL,
    offer BLOB NOT NULL,
    acceptance BLOB
  ) STRICT;
  `,
  // Trimming, departure notices (farewells), idle rooms. A room of before says nothing of its history limit: it has the
  // widest until its next settings entry.
  `
  ALTER TABLE rooms ADD COLUMN history INTEGER NOT NULL DEFAULT 1000000;
  ALTER TABLE rooms ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rooms ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rooms ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX rooms_used ON rooms (used_at);
  ALTER TABLE log ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE farewells (
    room_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    g INTEGER NOT NULL,
    s INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    time INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (room_id, member_id)
  ) STRICT;

  CREATE TABLE sent (
    room_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    id BLOB NOT NULL,
    g INTEGER NOT NULL,
    s INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (room_id, sender, g, s)
  ) STRICT;

  UPDATE log SET bytes = length(clear) + length(payload) + coalesce(
    (SELECT sum(length(wrap)) FROM wraps
     WHERE wraps.room_id = log.room_id AND wraps.g = log.g AND wraps.s = log.s), 0);
  UPDATE rooms SET
    entries = (SELECT count(*) FROM log WHERE log.room_id = rooms.room_id),
    bytes = coalesce((SELECT sum(bytes) FROM log WHERE log.room_id = rooms.room_id), 0);
  INSERT INTO farewells
    SELECT members.room_id, members.member_id, log.g, log.s, log.kind, log.sender, log.time, log.payload
    FROM members JOIN log ON log.room_id = members.room_id AND log.g = members.gone_g AND log.s = members.gone_s;
  `,
  // The last rotation outlives its place in the log. Of one that was trimmed before, there is none.
  `
  ALTER TABLE rotations ADD COLUMN sender TEXT;
  ALTER TABLE rotations ADD COLUMN clear BLOB;
  ALTER TABLE rotations ADD COLUMN payload BLOB;
  UPDATE rotations SET (sender, clear, payload) = (
    SELECT sender, clear, payload FROM log
    WHERE log.room_id = rotations.room_id AND log.g = rotations.g AND log.s = rotations.s)
  WHERE epoch = (SELECT epoch FROM rooms WHERE rooms.room_id = rotations.room_id);
  `,
  // Settings entries have a quota. Containers say what they are only to who decodes them: the count begins here.
  `
  ALTER TABLE rooms ADD COLUMN settings INTEGER NOT NULL DEFAULT 0;
  `,
  // Rooms of several versions of the protocol lie side by side; those of before are of the first.
  `
  ALTER TABLE rooms ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
  `,
];

/** Brings a file to this version (or to an earlier one), step by step. Throws for a file of a later one. */
export function migrate(database: DatabaseSync, target: number = STEPS.length): void {
  const row = database.prepare('PRAGMA user_version').get();
  const version = Number(row?.user_version ?? 0);
  if (version > STEPS.length) {
    throw new Error(`the data folder was written by a later version of the relay (schema ${version})`);
  }
  for (const [index, step] of STEPS.slice(0, target).entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
