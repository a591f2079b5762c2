/**
 * A long log in a member's vault without the hours that it takes to write one: the records of so many lines, encoded
 * and sealed as the client's own, put where it would have put them. The relay has none of them: all stand at the last
 * position that the member has read, so that it goes on from there.
 */
import { toBase64Url, type MemberId } from '@0fc/protocol';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { decodeRoster } from '@0fc/crypto/verify';
import { FileStorage } from '../../../libs/client/src/node/storage.js';
import { loadCore } from '../../../libs/client/src/room/state/load.js';
import { IndexKeys } from '../../../libs/client/src/vault/index-keys.js';
import { quickPassphrases } from '../../../libs/client/src/vault/quick-passphrases.spec-support.js';
import {
  encodeRecord, keyOf, logRecord, messageIndex, sliceKey, SLICES, STORES, type LogRecord, type RoomCore, type StoredMessage,
} from '../../../libs/client/src/vault/records.js'; // prettier-ignore
import { Vault } from '../../../libs/client/src/vault/vault.js';
import type { Member } from '../../support/member.js';

/** Lines in one write. */
const BATCH = 2_000;
/** As the relay stores a line of that length, and the part of it that a log keeps, in bytes. */
const RELAYED = { clearBytes: 50, payloadBytes: 478, sampleBytes: 48 };

/** The vault of a member that has left, opened with quickPassphrases; its room reads on as if it had read the lines. */
export async function fill(member: Member, roomId: string, lines: number): Promise<void> {
  const storage = FileStorage.open(member.folder);
  const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
  const vault = await Vault.unlock({ crypto, passphrases: quickPassphrases, storage }, member.passphrase);
  try {
    const found = await loadCore(vault, roomId);
    if (found === null) throw new Error('there is no such room');
    await write(vault, found.core, [...decodeRoster(found.roster).members.keys()], lines);
  } finally {
    await vault.close();
    await storage.close();
  }
}

async function write(
  vault: Vault,
  core: RoomCore,
  members: readonly MemberId[],
  lines: number,
): Promise<void> {
  const keys = await IndexKeys.of(nodeHash, core);
  // As of one who has been here before under another instance: no counter of today's is among them.
  const instance = nodeRandom.bytes(core.instance.length);
  const first = core.nextIndex;
  let others = 0;
  for (let from = 0; from < lines; from += BATCH) {
    const changes = [];
    for (let line = from; line < Math.min(lines, from + BATCH); line++) {
      const sender = members[line % members.length] ?? core.me;
      if (sender !== core.me) others++;
      const item = lineOf(core, { sender, instance, n: line + 1 });
      const index = first + line;
      const value = encodeRecord(logRecord, recordOf(core, index, item));
      const at = encodeRecord(messageIndex, { index, mid: item.mid });
      changes.push({ store: STORES.log, key: keyOf(core.roomId, index), value });
      changes.push({ store: STORES.messages, key: await keys.message(item), value: at });
    }
    await vault.write(changes);
  }
  const end = first + lines;
  const now = {
    ...core,
    nextIndex: end,
    others: core.others + others,
    shownIndex: end - 1,
    lineIndex: end - 1,
    readIndex: end,
    othersRead: core.others + others,
  };
  const slice = (name: 'place' | 'reading') => {
    const schema = SLICES[name];
    const fields = Object.entries(now).filter(([field]) => field in schema.entries);
    const value = encodeRecord<unknown>(schema, Object.fromEntries(fields));
    return { store: STORES.slices, key: sliceKey(core.roomId, name), value };
  };
  await vault.write([slice('place'), slice('reading')]);
}

function lineOf(core: RoomCore, by: Pick<StoredMessage, 'sender' | 'instance' | 'n'>): StoredMessage {
  const mid = nodeRandom.bytes(16);
  const text = `Line ${String(by.n)}: the bus was late, so we walked the rest of the way ${toBase64Url(mid.slice(0, 3))}`;
  const sealedIn = by.sender === core.me ? { sealedIn: core.epoch } : {};
  return { type: 'message', ...by, mid, sentAt: core.lastTime, content: { type: 'text', text }, ...sealedIn };
}

function recordOf({ position, t, lastTime: time }: RoomCore, index: number, item: StoredMessage): LogRecord {
  const { sampleBytes, ...sizes } = RELAYED;
  const sample = nodeRandom.bytes(sampleBytes);
  const relayed = { kind: 'message', sender: item.sender, ...sizes, sample } as const;
  return { index, at: { position, t, relayed }, time, items: [item] };
}
