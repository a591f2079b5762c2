/**
 * Tries everything that a relay ever had with every key that each attacker can reach, and says what opens that the
 * guarantees do not allow. It knows who was in the room when, and who wrote what when; nothing of it comes from a relay.
 *
 * | attacker | may reach | by |
 * |---|---|---|
 * | late newcomer | from the epoch of its admission on | section 8, G18 |
 * | joiner answered, never admitted | the epochs of the answers to it | G2, G18 |
 * | removed or departed member | from its admission to the epoch that its departure ended | G10 |
 * | thief of one room key | that epoch | G8, G9 |
 * | thief of one request for a key | the epoch that it names | G9 |
 * | thief of a whole device | from the epoch before that of the theft, to the last of the rotations in a row that use a prekey which lay there | G8, G9 |
 *
 * Of what is sealed for an epoch that an attacker may reach, three things are not for it all the same: see `faultsIn`.
 */
import { comparePositions, type MemberId } from '@0fc/protocol';
import type { Secrets } from '../members/device.js';
import type { EpochSecret } from '../members/record-reader.js';
import { isTrue, reached } from './attackers.js';
import type { Opened, RelayRecord } from './relay-record.js';

export interface Attacker {
  readonly name: string;
  readonly secrets: Secrets;
  /** whether it may have the key of an epoch */
  may(epoch: number): boolean;
  /** somebody whom others may know to have come or to have gone */
  readonly member: MemberId | null;
}

/** A text that somebody wrote, once. */
export interface Written {
  readonly writer: MemberId;
  /** Unix ms */
  readonly time: number;
  /** whom the writer's page showed as gone, or as being removed */
  readonly gone: ReadonlySet<MemberId>;
  /** its writer has sent it to everybody of today, by hand */
  confirmed: boolean;
}

export interface Facts {
  readonly written: ReadonlyMap<string, Written>;
  /** when somebody's page first showed a member, Unix ms; undefined: never */
  noticed(by: MemberId, member: MemberId): number | undefined;
  /** when a line was first shown to its writer as one that the log holds, or has lost, by its id */
  readonly settled: ReadonlyMap<string, number>;
}

/** What was sealed before something was shown may be handed over this much later, in milliseconds: all runs in one process. */
const ON_ITS_WAY_MS = 1_000;

/** Who may reach what by its place in the roster. */
export function byRoster(name: string, secrets: Secrets, record: RelayRecord): Attacker {
  const from = record.entered.get(secrets.me) ?? Infinity;
  const to = record.gone.get(secrets.me) ?? Infinity;
  const answered = answersTo(secrets, record);
  const may = (epoch: number): boolean => (epoch >= from && epoch <= to) || answered.has(epoch);
  return { name, secrets, may, member: secrets.me };
}

/** Epochs of the answers to the joins that these secrets are of. */
function answersTo(
  { joins }: { readonly joins: readonly { readonly inviteId: string }[] },
  record: RelayRecord,
): ReadonlySet<number> {
  const invites = new Set(joins.map(({ inviteId }) => inviteId));
  return new Set(record.replies.filter(({ inviteId }) => invites.has(inviteId)).map(({ epoch }) => epoch));
}

/** Whoever was answered and is not admitted. */
export function byAnswers(name: string, secrets: Secrets, record: RelayRecord): Attacker {
  const answered = answersTo(secrets, record);
  return { name, secrets, may: (epoch) => answered.has(epoch), member: null };
}

export function byOneKey(name: string, { roomId, me }: Secrets, key: EpochSecret): Attacker {
  const secrets = {
    roomId,
    me,
    epoch: key.epoch,
    keys: [key],
    prekeys: [],
    keyRequests: [],
    joins: [],
    invites: [],
  };
  return { name, secrets, may: (epoch) => epoch === key.epoch, member: null };
}

/** Who has the secret half of one request for a key, which brings the key of its epoch. */
export function byRequest(
  name: string,
  { roomId, me }: Secrets,
  request: Secrets['keyRequests'][number],
): Attacker {
  const secrets = {
    roomId,
    me,
    epoch: 0,
    keys: [],
    prekeys: [],
    keyRequests: [request],
    joins: [],
    invites: [],
  };
  return { name, secrets, may: (epoch) => epoch === request.epoch, member: null };
}

/** `used`: which prekeys the rotations have used. */
export function byDevice(name: string, secrets: Secrets, record: RelayRecord, used: PrekeysUsed): Attacker {
  const { me, keys, prekeys, joins, invites, keyRequests } = secrets;
  // Who holds the secrets of a join or an invite that goes on gets the answers to it.
  const answered = answersTo({ joins: [...joins, ...invites] }, record);
  const recent = keys.map(({ epoch }) => epoch).filter((epoch) => epoch >= secrets.epoch - 1);
  const allowed = new Set([...recent, ...answered, ...keyRequests.map(({ epoch }) => epoch)]);
  // G9: on from each of them, as long as the rotations use prekeys that lay there.
  const held = new Set(prekeys.map(({ k }) => k));
  for (const { body } of [...record.rotations].sort((a, b) => a.body.newEpoch - b.body.newEpoch)) {
    const { newEpoch, cold } = body;
    const k = used(newEpoch, me);
    if ((cold || allowed.has(newEpoch - 1)) && k !== undefined && held.has(k)) allowed.add(newEpoch);
  }
  return { name, secrets, may: (epoch) => allowed.has(epoch), member: null };
}

/** Number of the prekey of somebody that the rotation to an epoch uses; undefined: it has none. */
export type PrekeysUsed = (newEpoch: number, member: MemberId) => number | undefined;

/** In words, everything that is open to somebody for whom it is not. */
export async function faults(
  attackers: readonly Attacker[],
  record: RelayRecord,
  facts: Facts,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const attacker of attackers) {
    for (const key of await reached(record, attacker.secrets)) {
      if (!(await isTrue(record, key))) continue;
      if (!attacker.may(key.epoch)) {
        const opens = record.openedUnder(key.epoch, key.key).length;
        found.push(
          `${attacker.name} has the key of epoch ${String(key.epoch)}, which opens ${String(opens)}`,
        );
      } else found.push(...faultsIn(attacker, record.openedUnder(key.epoch, key.key), record, facts));
    }
  }
  return [...new Set(found), ...sealedTwice(linesOf(attackers, record), facts)];
}

const textIn = ({ content }: Opened): string | null =>
  'text' in content && typeof content.text === 'string' ? content.text : null;

/** Of what is sealed for an epoch that the attacker has a part in. */
function faultsIn(
  { name, member }: Attacker,
  opened: readonly Opened[],
  record: RelayRecord,
  facts: Facts,
): readonly string[] {
  const first = new Map<string, Opened>();
  // What was lost in its own epoch is sealed for it again: who could read the first could read all of them.
  for (const line of [...opened].sort((a, b) => a.time - b.time))
    if (!first.has(line.id)) first.set(line.id, line);
  return [...first.values()].flatMap((line) => {
    const text = textIn(line);
    if (text === null) return [];
    const written = facts.written.get(text);
    if (written?.writer !== line.sender) return [`${name} opens “${text}”, which nobody wrote`];
    if (member === null || member === line.sender) return [];
    const what = `${name} opens “${text}”, sealed for epoch ${String(line.epoch)}`;
    // G10: whoever has gone, by the writer's own page.
    const left = record.gone.has(member) && written.gone.has(member) && !record.handedOver.has(line.sender);
    if (left) return [`${what}: its writer knew that it had gone`];
    // G18: whoever came after it was written, and before it was sealed, without the writer's word.
    const noticed = facts.noticed(line.sender, member);
    const admitted = record.admittedAt.get(member);
    const late =
      !written.confirmed &&
      noticed !== undefined &&
      admitted !== undefined &&
      noticed > written.time + ON_ITS_WAY_MS &&
      line.time > noticed + ON_ITS_WAY_MS &&
      comparePositions(line.seen, admitted) >= 0;
    return late ? [`${what}: its writer knew that it had come since`] : [];
  });
}

/** Whatever opens under any key that any of them has. */
function linesOf(attackers: readonly Attacker[], record: RelayRecord): readonly Opened[] {
  const all = attackers.flatMap(({ secrets }) => secrets.keys);
  const epochs = new Map(all.map((key) => [key.epoch, key]));
  return [...epochs.values()].flatMap(({ epoch, key }) => record.openedUnder(epoch, key));
}

/**
 * G18: a line that the log had held, as its writer has seen, is sealed for no epoch for which it was not sealed before, and
 * comes back in the next one at most. One that an epoch ended for before the log took it was sealed for two until then.
 */
export function sealedTwice(
  lines: readonly Opened[],
  { settled }: Pick<Facts, 'settled'>,
): readonly string[] {
  const before = new Map<string, Set<number>>();
  return [...lines]
    .sort((a, b) => a.time - b.time)
    .flatMap((line) => {
      const text = textIn(line);
      if (text === null) return [];
      const { id, epoch, within } = line;
      if (within !== null && within !== epoch + 1)
        return [`“${text}” of epoch ${String(epoch)} comes back in epoch ${String(within)}`];
      const epochs = before.get(id) ?? new Set();
      before.set(id, epochs);
      const free = epochs.size === 0 || line.time <= (settled.get(id) ?? Infinity) + ON_ITS_WAY_MS;
      if (free) epochs.add(epoch);
      if (epochs.has(epoch)) return [];
      return [
        `a thief of the key of epoch ${String(epoch)} opens “${text}”, which was sealed for epoch ${[...epochs].join()}`,
      ];
    });
}
