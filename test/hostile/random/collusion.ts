/**
 * A relay in league with an owner: what the rules of a relay refuse, and a client could take, goes into the log and
 * to its readers all the same. Rates, limits, invites that nobody claimed, wraps that are missing, removals
 * without a key, entries of an old epoch.
 */
import {
  type Bytes, type MemberId, type RequestBody, type RequestKind, type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import { nodeHash } from '@0fc/crypto/node';
import { applyRoster, bodyHash, verifyRotation, type Roster } from '@0fc/crypto/verify';
import { isRefusal } from '../../../libs/crypto/src/errors.js';
import { storeChange } from '../../../apps/relay/src/rooms/commands/roster-changes.js';
import type { RoomFacts, StoreRotation } from '../../../apps/relay/src/rooms/port/room-store.js';
import type { World } from '../relay/world.js';
import type { OwnerHand, Passed } from './owner-hand.js';

export class Collusion {
  readonly #world: World;
  readonly #hand: OwnerHand;

  constructor(world: World, hand: OwnerHand) {
    this.#world = world;
    this.#hand = hand;
  }

  readonly pass: Passed = async (kind, body) => {
    const refusal = await this.#hand.pass(kind, body);
    if (refusal === 'done') return refusal;
    try {
      return (await this.#force(kind, body)) ? `${refusal}, passed on` : refusal;
    } catch (error) {
      // What no client would take either.
      if (isRefusal(error)) return refusal;
      throw error;
    }
  };

  async #force(kind: RequestKind, body: Record<string, unknown>): Promise<boolean> {
    const { store } = this.#world;
    const { roomId, me } = { roomId: this.#hand.roster.roomId, me: this.#hand.me };
    const read = await store.readRoom(roomId, me);
    if (!read.ok || read.room.closed) return false;
    switch (kind) {
      case 'roster':
        return this.#roster(read.room, body as RequestBody<'roster'>);
      case 'rotate':
        return this.#rotate(read.room, body as RequestBody<'rotate'>);
      case 'append': {
        const { messages } = body as RequestBody<'append'>;
        const placed = await store.append({
          roomId,
          sender: me,
          messages: await Promise.all(
            messages.map(async ({ clear, payload }) => {
              return { epoch: read.room.epoch, clear, payload, id: await nodeHash.sha256(payload) };
            }),
          ),
          rate: { perSecond: 1_000, burst: 10_000 },
        });
        return placed.ok;
      }
      case 'signal': {
        const { payload } = body as RequestBody<'signal'>;
        return (await store.signal(roomId, me, read.room.epoch, payload)).ok;
      }
      case 'transferOffer': {
        const { to, offer } = body as RequestBody<'transferOffer'>;
        return (await store.putOffer(roomId, to, offer)).ok;
      }
      default:
        return false;
    }
  }

  async #roster(room: RoomFacts, { entry, rotation }: RequestBody<'roster'>): Promise<boolean> {
    const before = await this.#world.context.rosters.at(room);
    const { roster, change } = await applyRoster(nodeHash, before, entry);
    const also = rotation === undefined ? null : await verified(roster, room.epoch, rotation);
    const done = await this.#world.store.appendRoster({
      roomId: room.roomId,
      signer: before.owner,
      before: before.head,
      epoch: change.epoch,
      head: await bodyHash(nodeHash, entry),
      container: entry,
      change: storeChange(this.#world.context, change, true),
      restored: true,
      ...(also === null ? {} : { rotation: also }),
    });
    return done.ok;
  }

  async #rotate(room: RoomFacts, command: RotationCommand): Promise<boolean> {
    const roster = await this.#world.context.rosters.at(room);
    const rotation = await verified(roster, room.epoch, command);
    const { roomId } = room;
    const { owner: signer, head } = roster;
    return (await this.#world.store.rotate({ roomId, signer, head, rotation })).ok;
  }
}

/** With whatever wraps there are. */
async function verified(
  roster: Roster,
  epoch: number,
  { clear, payload, wraps }: RotationCommand,
): Promise<StoreRotation> {
  const { newEpoch } = await verifyRotation(nodeHash, roster, epoch, clear, payload);
  return {
    newEpoch,
    hash: await bodyHash(nodeHash, clear),
    clear,
    payload,
    wraps: new Map(Object.entries(wraps) as [MemberId, Bytes][]),
  };
}
