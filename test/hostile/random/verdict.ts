/** Who attacks a room at the end of a story, and what is open to them that the guarantees do not allow. */
import { rotationPrekeys } from '@0fc/crypto/keys';
import type { MemberId } from '@0fc/protocol';
import type { EpochSecret } from '../members/record-reader.js';
import type { Secrets } from '../members/device.js';
import type { Seen } from '../relay/lying-relay.js';
import { isTrue } from './attackers.js';
import {
  byAnswers,
  byDevice,
  byOneKey,
  byRequest,
  byRoster,
  faults,
  type Attacker,
  type Facts,
  type PrekeysUsed,
} from './oracle.js';
import { keysById, RelayRecord } from './relay-record.js';

export interface Suspects {
  /** everything that lay in a member's vault at some moment, by the member's name */
  readonly members: ReadonlyMap<string, Secrets>;
  /** whole devices, each at one moment */
  readonly thefts: readonly { readonly name: string; readonly secrets: Secrets }[];
  /** joiners that went no further than their request */
  readonly outside: readonly { readonly name: string; readonly secrets: Secrets }[];
}

export interface Verdict {
  readonly faults: readonly string[];
  readonly attackers: readonly Attacker[];
  readonly record: RelayRecord;
  /** the key of each epoch that any of them has */
  readonly trueKeys: readonly EpochSecret[];
}

/** `keys`: public keys of connections. */
export async function judge(
  seen: readonly Seen[],
  keys: ReadonlySet<Uint8Array>,
  { members, thefts, outside }: Suspects,
  facts: Facts,
): Promise<Verdict> {
  const record = await RelayRecord.read(seen, await keysById([...keys].map((key) => Uint8Array.from(key))));
  const trueKeys = new Map<number, EpochSecret>();
  for (const { keys: held } of [...members.values(), ...thefts.map(({ secrets }) => secrets)])
    for (const key of held)
      if (!trueKeys.has(key.epoch) && (await isTrue(record, key))) trueKeys.set(key.epoch, key);
  record.unfold([...trueKeys.values()]);
  const used = prekeysUsed(record, trueKeys);
  const thief = [...members.values()][0];
  const attackers = [
    ...[...members].map(([name, secrets]) =>
      record.entered.has(secrets.me) ? byRoster(name, secrets, record) : byAnswers(name, secrets, record),
    ),
    ...outside.map(({ name, secrets }) => byAnswers(name, secrets, record)),
    ...thefts.map(({ name, secrets }) => byDevice(name, secrets, record, used)),
    ...[...members].flatMap(([name, secrets]) =>
      secrets.keyRequests.map((request) =>
        byRequest(
          `thief of a request of ${name}’s for the key of epoch ${String(request.epoch)}`,
          secrets,
          request,
        ),
      ),
    ),
    ...(thief === undefined
      ? []
      : [...trueKeys.values()].map((key) =>
          byOneKey(`thief of the key of epoch ${String(key.epoch)}`, thief, key),
        )),
  ];
  return {
    faults: await faults(attackers, record, facts),
    attackers,
    record,
    trueKeys: [...trueKeys.values()],
  };
}

/** As the rotations themselves say it, to who holds the key before. */
function prekeysUsed(record: RelayRecord, trueKeys: ReadonlyMap<number, EpochSecret>): PrekeysUsed {
  const byEpoch = new Map<number, ReadonlyMap<MemberId, number>>();
  for (const { roster, body: rotation, payload } of record.rotations) {
    const before = trueKeys.get(rotation.newEpoch - 1);
    if (before === undefined && !rotation.cold) continue;
    const oldKey = rotation.cold ? null : (before?.key ?? null);
    byEpoch.set(rotation.newEpoch, rotationPrekeys({ roster, rotation, payload, oldKey }));
  }
  return (newEpoch, member) => byEpoch.get(newEpoch)?.get(member);
}
