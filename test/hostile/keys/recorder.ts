/**
 * Who has recorded all that a relay ever had and one day holds private keys (G17): opens what these keys open, and with
 * each room key whatever that opens in turn, until nothing new comes.
 */
import {
  concat, ctx, decodeAs, decodeBody, decodeMessageClear, equalBytes, grantedKey, ProtocolError, signedJoinReply, joinReplyBody,
  unpad, wrapBody, wrappedKey, type Body, type Bytes, type InviteLink, type InviteId, type MemberId, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import {
  decryptHybrid, openJoinRequest, openMessage, type KemSeed, type KeyPair, type RoomKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { containerBody, CryptoError, memberIdOf, type HybridPublicKey } from '@0fc/crypto/verify';
import { openCell } from '../../../libs/crypto/src/cell.js';
import { decryptFrom } from '../../../libs/crypto/src/keys/envelope.js';
import { asHybridKey, type SymmetricKey } from '../../../libs/crypto/src/secrets.js';
import { published } from '../members/published.js';
import type { LyingRelay } from '../relay/lying-relay.js';

/** What somebody holds one day, beside the record. */
export interface Loot {
  /** pairs of the curve, whoever they were of and whenever */
  readonly curve: readonly KeyPair[];
  /** what curves say nothing of: seeds of the KEM, with the pair that each belongs to */
  readonly seeds: readonly (KeyPair & { readonly seed: KemSeed })[];
  /** links that went by another channel than the relay */
  readonly links: readonly (InviteLink & { readonly inviteId: InviteId })[];
}

export interface Opened {
  readonly epochs: readonly number[];
  readonly texts: readonly string[];
}

/** One hybrid message as it travelled, and where. */
interface Message {
  readonly kind: 'wrap' | 'cold-wrap' | 'grant';
  readonly epoch: number;
  readonly memberId: MemberId;
  readonly ephemeral: Bytes;
  readonly ct: Bytes;
  readonly sealed: Bytes;
}

/** What does not open is null; a fault of this program passes. */
async function attempt<T>(run: () => T | Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof CryptoError || error instanceof ProtocolError) return null;
    throw error;
  }
}

export class Recorder {
  readonly #relay: LyingRelay;
  readonly #roomId: RoomId;
  readonly #loot: Loot;
  readonly #keys = new Map<number, RoomKey>();

  private constructor(relay: LyingRelay, roomId: RoomId, loot: Loot) {
    this.#relay = relay;
    this.#roomId = roomId;
    this.#loot = loot;
  }

  /** Epochs whose key comes out, and lines that are read with them. */
  static async opens(relay: LyingRelay, roomId: RoomId, loot: Loot): Promise<Opened> {
    const recorder = new Recorder(relay, roomId, loot);
    await recorder.#joins();
    for (let before = -1; before < recorder.#keys.size;) {
      before = recorder.#keys.size;
      for (const message of [...recorder.#grants(), ...(await recorder.#wraps())])
        await recorder.#open(message);
    }
    return { epochs: [...recorder.#keys.keys()].toSorted((a, b) => a - b), texts: await recorder.#texts() };
  }

  #take(epoch: number, key: RoomKey): void {
    if (!this.#keys.has(epoch)) this.#keys.set(epoch, key);
  }

  /** With the link of an invite, the invite's private key opens the request, and what is in that the reply. */
  async #joins(): Promise<void> {
    for (const link of this.#loot.links)
      for (const { memberId: joiner, body } of this.#relay.requests('joinRequest'))
        for (const inviteKeyPair of this.#loot.curve) {
          const { roomId, inviteId, ownerKey, token } = link;
          const joinerKey = await this.#keyOf(joiner);
          if (inviteId !== body.inviteId || joinerKey === undefined) continue;
          if (!equalBytes(inviteKeyPair.publicKey, link.inviteKey)) continue;
          const asked = {
            roomId,
            inviteId,
            ownerKey,
            token,
            inviteKeyPair,
            joinerKey,
            payload: body.request,
          };
          const ports = { hash: nodeHash, random: nodeRandom, clock: systemClock };
          const opened = await attempt(() => openJoinRequest(ports, asked));
          if (opened === null) continue;
          const hash = await nodeHash.sha256(body.request);
          for (const { body: reply } of this.#relay.requests('joinReply')) {
            const context = ctx('join-reply', roomId, reply.epoch, token, hash);
            const key = await attempt(() => {
              const plain = openCell(opened.joinKey, reply.payload, context, { code: 'MALFORMED' });
              return decodeAs(joinReplyBody, decodeAs(signedJoinReply, unpad(plain))[1]).key;
            });
            if (key !== null) this.#take(reply.epoch, key);
          }
        }
  }

  #grants(): readonly Message[] {
    return this.#relay.requests('keyGrant').map(({ body: { grant } }) => {
      const body: Body<'keyGrant'> = decodeBody(containerBody(grant), 'keyGrant').body;
      return { kind: 'grant', ...body };
    });
  }

  /** Those in wraps of cold rotations, and of rotations out of an epoch whose key is here. */
  async #wraps(): Promise<readonly Message[]> {
    const commands = [
      ...this.#relay.requests('rotate').map(({ body }) => body),
      ...this.#relay.requests('roster').flatMap(({ body: { rotation } }) => rotation ?? []),
    ];
    const found = commands.flatMap(({ clear, wraps }) => {
      const { newEpoch: epoch, ephemeral, cold } = decodeBody(containerBody(clear), 'rotation').body;
      const oldKey = this.#keys.get(epoch - 1);
      return (Object.entries(wraps) as [MemberId, Bytes][]).map(([memberId, wrap]) =>
        attempt((): Message | null => {
          if (!cold && oldKey === undefined) return null;
          const context = ctx('wrap', this.#roomId, epoch, memberId);
          const body =
            cold || oldKey === undefined ? wrap : openCell(oldKey, wrap, context, { code: 'MALFORMED' });
          const { ct, sealed } = decodeAs(wrapBody, body);
          return { kind: cold ? 'cold-wrap' : 'wrap', epoch, memberId, ephemeral, ct, sealed };
        }),
      );
    });
    return (await Promise.all(found)).filter((message) => message !== null);
  }

  /** By every key that is here, and by whatever may stand in for a shared secret that is not. */
  async #open(message: Message): Promise<void> {
    if (this.#keys.has(message.epoch)) return;
    const { kind, epoch, memberId, ephemeral, ct, sealed } = message;
    const place = { kind, roomId: this.#roomId, epoch, memberId };
    for (const pair of this.#loot.seeds) {
      const plain = await attempt(() =>
        decryptHybrid(nodeHash, { pair, ephemeral, place, message: { ct, sealed } }),
      );
      if (plain !== null) this.#found(message, plain);
    }
    for (const inner of await this.#withoutSecret(message))
      for (const { privateKey } of this.#loot.curve) {
        const plain = await attempt(() => decryptFrom(privateKey, ephemeral, inner));
        if (plain !== null) this.#found(message, plain);
      }
  }

  /** What the Secure Message could be: the bytes themselves, or what a key opens that is made of public things alone. */
  async #withoutSecret({ kind, epoch, memberId, ephemeral, ct, sealed }: Message): Promise<readonly Bytes[]> {
    const encapsulation = await nodeHash.sha256(concat(ephemeral, ct));
    const all = [sealed];
    for (const { key, ek } of await this.#publicKeys()) {
      const place = [
        kind,
        this.#roomId,
        epoch,
        memberId,
        await nodeHash.sha256(concat(key, ek)),
        encapsulation,
      ];
      const context = ctx('hybrid', ...place);
      const secrets = [[], [new Uint8Array(32)], [new Uint8Array(0)]];
      for (const secret of secrets) {
        const kk: SymmetricKey = asHybridKey(await nodeHash.sha256(ctx('hybrid', ...place, ...secret)));
        const inner = await attempt(() => openCell(kk, sealed, context, { code: 'MALFORMED' }));
        if (inner !== null) all.push(inner);
      }
    }
    return all;
  }

  /** Every hybrid key that was ever published, or sent with a request. */
  async #publicKeys(): Promise<readonly HybridPublicKey[]> {
    const prekeys = (await published(this.#relay)).map(({ prekey, ek }) => {
      const { key } = decodeBody(containerBody(prekey), 'prekey').body;
      return { key, ek };
    });
    const asked = this.#relay.requests('needKey').map(({ body: { request } }) => {
      const { prekey: key, ek } = decodeBody(containerBody(request), 'needKey').body;
      return { key, ek };
    });
    return [...prekeys, ...asked];
  }

  #found({ kind, epoch }: Message, plain: Bytes): void {
    const [, , , , key] = decodeAs(kind === 'grant' ? grantedKey : wrappedKey, plain);
    this.#take(epoch, key);
  }

  async #keyOf(memberId: MemberId): Promise<Bytes | undefined> {
    const genesis = this.#relay
      .requests('create')
      .map(({ body }) => decodeBody(containerBody(body.genesis), 'genesis'));
    const admits = this.#relay
      .requests('roster')
      .flatMap(({ body: { entry, ek } }) =>
        ek === undefined ? [] : [decodeBody(containerBody(entry), 'admit')],
      );
    for (const key of [...genesis.map(({ body }) => body.ownerKey), ...admits.map(({ body }) => body.key)])
      if ((await memberIdOf(nodeHash, key)) === memberId) return key;
    return undefined;
  }

  async #texts(): Promise<readonly string[]> {
    const texts: string[] = [];
    for (const { memberId: sender, body } of this.#relay.requests('append')) {
      const senderKey = await this.#keyOf(sender);
      if (senderKey === undefined) throw new Error('a line of nobody');
      for (const { clear, payload } of body.messages) {
        const epoch = decodeMessageClear(clear);
        const roomKey = this.#keys.get(epoch);
        if (roomKey === undefined) continue;
        const { content } = openMessage({
          roomKey,
          roomId: this.#roomId,
          epoch,
          sender,
          senderKey,
          payload,
        }).body;
        if (content.type === 'text' && typeof content.text === 'string') texts.push(content.text);
      }
    }
    return [...new Set(texts)];
  }
}

/** Public keys of the curve that anything recorded was encrypted to: all of which must be among what was broken. */
export async function encryptedTo(relay: LyingRelay): Promise<readonly Bytes[]> {
  const prekeys = (await published(relay)).map(
    ({ prekey }) => decodeBody(containerBody(prekey), 'prekey').body.key,
  );
  const asked = relay
    .requests('needKey')
    .map(({ body: { request } }) => decodeBody(containerBody(request), 'needKey').body.prekey);
  return [...prekeys, ...asked];
}
