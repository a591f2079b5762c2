/**
 * All that anybody has handed to a relay for one room, taken apart as far as it is in clear: who was in when, and what
 * there is to be opened. It was handed over, so the relay has it, whatever it did with it; what it makes itself of
 * that opens nothing more.
 */
import {
  decodeBody, ProtocolError, ROSTER_KINDS, toBase64Url, type AnyContent, type Body, type Bytes, type Content, type Entry, type InviteId,
  type MemberId, type Position, type RequestBody, type RequestKind, type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import { exposeSecret, openMessage, openSignal, type RoomKey } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import {
  applyRoster, bodyHash, containerBody, memberIdOf, startRoster, verifyKeyGrant, verifyRotation, type Roster,
} from '@0fc/crypto/verify'; // prettier-ignore
import { isRefusal } from '../../../libs/crypto/src/errors.js';
import { messageIdOf } from '../../../libs/client/src/vault/content.js';
import type { EpochSecret } from '../members/record-reader.js';
import type { Seen } from '../relay/lying-relay.js';

export interface Rotation {
  readonly roster: Roster;
  readonly body: Body<'rotation'>;
  readonly payload: Bytes;
  readonly wraps: Map<MemberId, Bytes>;
}

export interface Grant {
  readonly roster: Roster;
  readonly granter: MemberId;
  readonly body: Body<'keyGrant'>;
  readonly grant: Bytes;
  readonly news: Bytes;
}

/** A message under one key, as it was first handed over. */
export interface Opened {
  /** as the timeline names it */
  readonly id: string;
  readonly sender: MemberId;
  readonly epoch: number;
  readonly content: AnyContent;
  readonly seen: Position;
  /** when it was handed over, Unix ms */
  readonly time: number;
  /** epoch of the message that it was inside; null: of none */
  readonly within: number | null;
}

/** What may be sealed, with who handed it over first. */
interface Part {
  readonly bytes: Bytes;
  readonly sender: MemberId;
  readonly time: number;
  readonly within: number | null;
}

const textOf = (bytes: Bytes): string => Buffer.from(bytes).toString('base64url');

/** What refuses to be opened or read gives null; anything else is a fault of the test. */
export async function orNull<T>(open: () => T | Promise<T>): Promise<T | null> {
  try {
    return await open();
  } catch (error) {
    if (isRefusal(error) || error instanceof ProtocolError) return null;
    throw error;
  }
}

function* bytesIn(value: unknown): Generator<Bytes> {
  if (value instanceof Uint8Array) yield Uint8Array.from(value);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* bytesIn(part);
}

export class RelayRecord {
  readonly rotations: Rotation[] = [];
  readonly grants: Grant[] = [];
  readonly replies: RequestBody<'joinReply'>[] = [];
  readonly joinRequests: { readonly inviteId: InviteId; readonly key: Bytes; readonly request: Bytes }[] = [];
  /** epoch of each one's admission; of its maker, 1 */
  readonly entered = new Map<MemberId, number>();
  /** epoch that each one's departure ended */
  readonly gone = new Map<MemberId, number>();
  /** where anybody was ever told that somebody's admission stands: the earliest of the places */
  readonly admittedAt = new Map<MemberId, Position>();
  /** who has signed a hand-over */
  readonly handedOver = new Set<MemberId>();
  readonly #rosters = new Map<string, Roster>();
  readonly #admits = new Map<string, MemberId>();
  readonly #identities = new Map<MemberId, Bytes>();
  readonly #parts = new Map<string, Part>();
  readonly #opened = new Map<string, readonly Opened[]>();
  #last: Roster | null = null;

  /** `keys`: public keys of who has no part in the roster, and claims */
  static async read(seen: readonly Seen[], keys: ReadonlyMap<MemberId, Bytes>): Promise<RelayRecord> {
    const record = new RelayRecord();
    for (const one of seen) {
      if (one.way === 'toClient') record.#placed(one);
      else await record.#handed(one, keys);
    }
    return record;
  }

  get roster(): Roster {
    if (this.#last === null) throw new Error('no room was ever made');
    return this.#last;
  }

  async #handed(
    { memberId: sender, message, time }: Seen,
    keys: ReadonlyMap<MemberId, Bytes>,
  ): Promise<void> {
    if (!('q' in message)) return;
    for (const bytes of bytesIn(message.body)) {
      const name = textOf(bytes);
      if (!this.#parts.has(name)) this.#parts.set(name, { bytes, sender, time, within: null });
    }
    const { kind, body } = message as { readonly kind: RequestKind; readonly body: unknown };
    switch (kind) {
      case 'create':
        this.#begun(await startRoster(nodeHash, (body as RequestBody<'create'>).genesis));
        return;
      case 'roster': {
        const { entry, rotation, reply } = body as RequestBody<'roster'>;
        if (reply !== undefined) this.replies.push(reply);
        await this.#entry(entry);
        return rotation === undefined ? undefined : this.#rotated(rotation);
      }
      case 'rotate':
        return this.#rotated(body as RequestBody<'rotate'>);
      case 'restore':
        return this.#restored((body as RequestBody<'restore'>).entries, sender);
      case 'keyGrant':
        return this.#granted(body as RequestBody<'keyGrant'>, sender);
      case 'joinReply':
        this.replies.push(body as RequestBody<'joinReply'>);
        return;
      case 'joinRequest': {
        const { inviteId, request } = body as RequestBody<'joinRequest'>;
        const key = keys.get(sender);
        if (key !== undefined) this.joinRequests.push({ inviteId, key, request });
        return;
      }
      default:
    }
  }

  #begun(roster: Roster): void {
    this.#add(roster);
    this.entered.set(roster.owner, 1);
  }

  #add(roster: Roster): void {
    this.#rosters.set(textOf(roster.head), roster);
    for (const { memberId, key } of roster.members.values()) this.#identities.set(memberId, key);
    if ((this.#last?.length ?? 0) < roster.length) this.#last = roster;
  }

  async #entry(container: Bytes): Promise<void> {
    const decoded = await orNull(() => decodeBody(containerBody(container), ...ROSTER_KINDS));
    if (decoded === null || decoded.kind === 'genesis') return;
    const before = this.#rosters.get(textOf(decoded.body.head));
    const after = before === undefined ? null : await orNull(() => applyRoster(nodeHash, before, container));
    if (after === null) return;
    const { roster, change } = after;
    this.#add(roster);
    if (change.kind === 'admit') {
      this.entered.set(change.member, change.epoch);
      this.#admits.set(textOf(container), change.member);
    } else if (change.kind === 'remove' || change.kind === 'leave')
      this.gone.set(change.member, change.epoch);
    else if (change.kind === 'transfer') this.handedOver.add(change.from);
  }

  async #rotated({
    clear,
    payload,
    wraps,
  }: Omit<RotationCommand, 'wraps'> & { wraps: Record<string, Bytes> }): Promise<void> {
    const body = await orNull(() => decodeBody(containerBody(clear), 'rotation').body);
    const roster = body === null ? undefined : this.#rosters.get(textOf(body.head));
    if (body === null || roster === undefined) return;
    const { newEpoch } = body;
    if ((await orNull(() => verifyRotation(nodeHash, roster, newEpoch - 1, clear, payload))) === null) return;
    const hash = textOf(await bodyHash(nodeHash, clear));
    const same = await Promise.all(
      this.rotations.map(async (one) => textOf(await nodeHash.sha256(one.payload)) === textOf(body.payload)),
    );
    const known = this.rotations.find((_, at) => same[at]);
    const added = Object.entries(wraps) as [MemberId, Bytes][];
    if (known === undefined) {
      const before = this.rotations.find((one) => one.body.newEpoch === newEpoch);
      if (before !== undefined)
        throw new Error(`two rotations to epoch ${String(newEpoch)}, the second ${hash}`);
      this.rotations.push({ roster, body, payload, wraps: new Map(added) });
    } else for (const [memberId, wrap] of added) known.wraps.set(memberId, wrap);
  }

  async #restored(entries: readonly Entry[], by: MemberId): Promise<void> {
    for (const { kind, clear, payload, wrap } of entries) {
      if (kind === 'roster') await this.#entry(payload);
      if (kind === 'rotation')
        await this.#rotated({ clear, payload, wraps: wrap === undefined ? {} : { [by]: wrap } });
    }
  }

  async #granted({ grant, news }: RequestBody<'keyGrant'>, granter: MemberId): Promise<void> {
    const { roster } = this;
    const body = await orNull(() => verifyKeyGrant(roster, granter, grant));
    if (body !== null) this.grants.push({ roster, granter, body, grant, news });
  }

  /** Where entries were served. */
  #placed({ message }: Seen): void {
    const entries = 'body' in message ? message.body.entries : undefined;
    for (const entry of Array.isArray(entries) ? (entries as readonly (Entry | Uint8Array)[]) : []) {
      if (entry instanceof Uint8Array) continue;
      const member = this.#admits.get(textOf(entry.payload));
      if (member === undefined) continue;
      const known = this.admittedAt.get(member);
      const { g, s } = entry.position;
      if (known === undefined || g < known.g || (g === known.g && s < known.s))
        this.admittedAt.set(member, entry.position);
    }
  }

  /** Commitment to the key of an epoch; null: nothing that was handed over began it. */
  keyHash(epoch: number): Bytes | null {
    if (epoch === 1) return this.roster.genesisKeyHash;
    return this.rotations.find(({ body }) => body.newEpoch === epoch)?.body.keyHash ?? null;
  }

  /** Everything that a key of an epoch opens, of all bytes that were ever handed over, under the name of who did. */
  openedUnder(epoch: number, roomKey: RoomKey): readonly Opened[] {
    const name = `${String(epoch)} ${textOf(exposeSecret(roomKey))}`;
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const found = [...this.#parts.values()].flatMap((part) => this.#open(part, epoch, roomKey));
    this.#opened.set(name, found);
    return found;
  }

  /**
   * What messages hold of others that they bring back (G18) is there to be opened, too, as if it had been handed over by
   * itself: whoever lacks the key outside is taken to have it. `keys`: all that there are.
   */
  unfold(keys: readonly EpochSecret[]): void {
    const outside = keys.flatMap(({ epoch, key }) => this.openedUnder(epoch, key));
    for (const { content, sender, time, epoch: within } of outside)
      if (content.type === 'again') {
        const bytes = Uint8Array.from((content as Extract<Content, { type: 'again' }>).payload);
        this.#parts.set(textOf(bytes), { bytes, sender, time, within });
      }
    this.#opened.clear();
  }

  #open({ bytes: payload, sender, time, within }: Part, epoch: number, roomKey: RoomKey): readonly Opened[] {
    const senderKey = this.#identities.get(sender);
    if (senderKey === undefined) return [];
    const { roomId } = this.roster;
    const place = { roomKey, roomId, epoch, sender, senderKey, payload };
    const message = opening(() => openMessage(place).body);
    if (message !== null) {
      const { mid, content, seen } = message;
      return [{ id: messageIdOf(sender, mid), sender, epoch, content, seen: seen.position, time, within }];
    }
    const signal = opening(() => openSignal(place));
    return signal === null
      ? []
      : [
          {
            id: `signal ${toBase64Url(payload.slice(-16))}`,
            sender,
            epoch,
            content: { type: signal.content.type },
            seen: { g: 0, s: 0 },
            time,
            within,
          },
        ];
  }
}

function opening<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (isRefusal(error) || error instanceof ProtocolError) return null;
    throw error;
  }
}

/** By their ids, public keys that the relay knows of connections: who a claim is by. */
export async function keysById(keys: Iterable<Bytes>): Promise<ReadonlyMap<MemberId, Bytes>> {
  const named = [...keys].map(async (key) => [await memberIdOf(nodeHash, key), key] as const);
  return new Map(await Promise.all(named));
}
