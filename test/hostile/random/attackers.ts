/**
 * What an attacker can read who has the relay's whole record and some secrets: every key that these lead to, by wraps,
 * grants and answers to joins, and so on from there.
 */
import { equalBytes } from '@0fc/protocol';
import {
  equalSecrets, keyHash, openJoinReply, openJoinRequest, openKeyGrant, openRotation, type RoomKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { memberIdOf } from '@0fc/crypto/verify';
import type { JoinSecrets, Secrets } from '../members/device.js';
import type { EpochSecret } from '../members/record-reader.js';
import { orNull, type RelayRecord } from './relay-record.js';

const ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };

class Reach {
  readonly keys: EpochSecret[] = [];
  readonly #record: RelayRecord;
  readonly #secrets: Secrets;

  constructor(record: RelayRecord, secrets: Secrets) {
    this.#record = record;
    this.#secrets = secrets;
    for (const key of secrets.keys) this.#add(key);
  }

  /** Whether it is a new one. */
  #add(key: EpochSecret): boolean {
    const known = this.keys.some((one) => one.epoch === key.epoch && equalSecrets(one.key, key.key));
    if (!known) this.keys.push(key);
    return !known;
  }

  async run(): Promise<readonly EpochSecret[]> {
    await this.#grants();
    await this.#joins();
    // In the order of epochs one pass is enough, but for what an owner may do wrong.
    while (await this.#rotations());
    return this.keys;
  }

  async #rotations(): Promise<boolean> {
    let more = false;
    const prekeys = new Map(this.#secrets.prekeys.map(({ k, pair }) => [k, pair]));
    for (const { roster, body: rotation, payload, wraps } of this.#record.rotations) {
      const { newEpoch } = rotation;
      const before = this.keys.filter(({ epoch }) => epoch === newEpoch - 1).map(({ key }) => key);
      const oldKeys: readonly (RoomKey | null)[] = rotation.cold ? [null] : before;
      for (const oldKey of oldKeys) {
        for (const [memberId, wrap] of wraps) {
          const opened = await orNull(() =>
            openRotation(nodeHash, { roster, rotation, payload, wrap, oldKey, memberId, prekeys }),
          );
          if (opened !== null) more = this.#add({ epoch: newEpoch, key: opened.key }) || more;
        }
      }
    }
    return more;
  }

  async #grants(): Promise<void> {
    for (const { roster, granter, body, grant, news } of this.#record.grants) {
      const { epoch, memberId } = body;
      const expectedKeyHash = this.#record.keyHash(epoch);
      if (expectedKeyHash === null) continue;
      for (const { request, pair: prekey } of this.#secrets.keyRequests) {
        const opened = await orNull(() =>
          openKeyGrant(nodeHash, {
            roster,
            granter,
            memberId,
            expectedKeyHash,
            epoch,
            request,
            prekey,
            grant,
            news,
          }),
        );
        if (opened !== null) this.#add({ epoch, key: opened.key });
      }
    }
  }

  async #joins(): Promise<void> {
    const joins = [...this.#secrets.joins, ...(await this.#joinsOfInvites())];
    for (const { epoch, payload } of this.#record.replies) {
      for (const join of joins) {
        const { roomId } = this.#secrets;
        const opened = await orNull(() => openJoinReply(nodeHash, { ...join, roomId, epoch, payload }));
        if (opened !== null) this.#add({ epoch, key: opened.key });
      }
    }
  }

  /** Requests to the owner whose invites these are, opened. */
  async #joinsOfInvites(): Promise<readonly JoinSecrets[]> {
    const found: JoinSecrets[] = [];
    const { roomId, invites } = this.#secrets;
    for (const { inviteId, token, pair: inviteKeyPair } of invites) {
      for (const { key: joinerKey, request } of this.#record.joinRequests) {
        for (const { key: ownerKey } of this.#record.roster.members.values()) {
          const place = { roomId, inviteId, ownerKey, token, inviteKeyPair, joinerKey, payload: request };
          const opened = await orNull(() => openJoinRequest(ports, place));
          if (opened === null) continue;
          const joiner = await memberIdOf(nodeHash, joinerKey);
          found.push({ inviteId, joiner, ownerKey, token, joinKey: opened.joinKey, request });
        }
      }
    }
    return found;
  }
}

/** Every room key that these secrets lead to. */
export const reached = (record: RelayRecord, secrets: Secrets): Promise<readonly EpochSecret[]> =>
  new Reach(record, secrets).run();

/** Whether it is the key that the epoch was begun with. */
export async function isTrue(record: RelayRecord, { epoch, key }: EpochSecret): Promise<boolean> {
  const committed = record.keyHash(epoch);
  return (
    committed !== null && equalBytes(await keyHash(nodeHash, record.roster.nonce, epoch, key), committed)
  );
}
