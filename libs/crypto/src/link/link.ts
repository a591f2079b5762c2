/**
 * The link: a Themis Secure Session, and the feed that it lets its client take part in, over opaque frames
 * (docs/protocol.md section 3, G5, G12, G13). One connection, one session; it never outlives either.
 */
import { PrivateKey, SecureSession, type PublicKey } from 'wasm-themis';
import {
  decodeFeedFrame, decodeFrame, decodeSessionFrame, encodeFeedHead, encodeFrame, encodeSessionFrame, equalBytes, FEED_EVENT,
  feedGrant, FRAME_TYPES, parse, type Bytes, type FrameContent, type FrameType, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { attempt, CryptoError } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import { parsePublicKey, themisPublicKey } from '../verify/identity.js';
import { FollowedFeed, type FeedCell, type FeedTags } from './feed.js';
import { handshakeForm, type HandshakeForm } from './handshake.js';

export interface Received {
  /** a handshake frame to send back, if there is one */
  readonly reply: Bytes | null;
  readonly established: boolean;
  readonly messages: readonly SessionMessage[];
  /** values of CBOR in the frame; 0 for a handshake frame */
  readonly items: number;
}

/** The key of a peer that presents this id. Throws to refuse it. */
type Trust = (id: Bytes) => PublicKey;

/** Bytes that a Secure Session adds to what it wraps. */
const WRAP_OVERHEAD = 52;

/** What both ends share. */
abstract class Link {
  readonly #expected: readonly HandshakeForm[];
  #session: SecureSession | null;
  #peer: Bytes | null = null;
  #refusal: unknown = undefined;
  #established = false;
  #steps = 0;
  #sent = 0;
  #received = 0;

  /** @param expected forms of the handshake frames that come to this end, in their order */
  protected constructor(identity: KeyPair, expected: readonly HandshakeForm[], trust: Trust) {
    this.#expected = expected;
    this.#session = attempt('BAD_KEY', 'unusable private key', () => {
      const id = parsePublicKey(identity.publicKey);
      return new SecureSession(id, new PrivateKey(identity.privateKey), (claimed) => {
        try {
          const key = trust(Uint8Array.from(claimed));
          this.#peer = Uint8Array.from(key);
          return key;
        } catch (error) {
          // Nothing may be thrown through the frames of Themis's C code below; null refuses,
          // which the package's types do not say. #negotiate passes the reason on.
          this.#refusal = error;
          return null as unknown as PublicKey;
        }
      });
    });
  }

  /** True once the peer has proved its key; only then are there messages. */
  get established(): boolean {
    return this.#established;
  }

  /**
   * The peer's canonical public key: its identity, and null until the session is
   * established, because the first handshake message can be replayed (G12).
   */
  get peer(): Bytes | null {
    return this.#established ? this.#peer : null;
  }

  /**
   * Takes one frame from the wire.
   *
   * Throws HANDSHAKE_FAILED, RELAY_KEY_MISMATCH (a client's only), SESSION_BROKEN, OUT_OF_SEQUENCE, MALFORMED, TOO_LARGE or
   * UNSUPPORTED_VERSION; after any of them the link is dead: close the connection.
   */
  receive(frame: unknown): Received {
    try {
      const { type, body } = decodeFrame(frame);
      if (type !== FRAME_TYPES.handshake)
        return { reply: null, established: true, ...this.#open(type, body) };
      return { reply: this.#negotiate(body), established: this.#established, messages: [], items: 0 };
    } catch (error) {
      // Themis moves its counters even when a tag fails: nothing after a failure can be trusted.
      this.destroy();
      throw error;
    }
  }

  /**
   * One frame that carries these messages, with one wrap. The caller sends it or closes:
   * a frame that is wrapped and discarded is missing to the peer.
   *
   * Throws SESSION_BROKEN when there is no established session, TOO_LARGE or MALFORMED
   * for what does not fit a frame; the latter two leave the link as it was.
   */
  seal(messages: readonly SessionMessage[]): Bytes {
    const session = this.live();
    if (!this.#established) throw new CryptoError('SESSION_BROKEN', 'session not established');
    const plain = encodeSessionFrame(this.#sent + 1, messages);
    const wrapped = attempt('SESSION_BROKEN', 'wrap failed', () => session.wrap(plain));
    this.#sent++;
    return encodeFrame(FRAME_TYPES.session, wrapped);
  }

  /** The number of the next frame to the peer, which counts as sent. Throws SESSION_BROKEN. */
  protected takeNumber(): number {
    this.live();
    if (!this.#established) throw new CryptoError('SESSION_BROKEN', 'session not established');
    return ++this.#sent;
  }

  /** Frees the session's memory, which nothing else does. Idempotent. */
  destroy(): void {
    const session = this.#session;
    this.#session = null;
    this.#established = false;
    if (session !== null) attempt('INTERNAL', 'session not freed', () => session.destroy());
  }

  protected live(): SecureSession {
    if (this.#session === null) throw new CryptoError('SESSION_BROKEN', 'session is over');
    return this.#session;
  }

  /** Whether a handshake frame may come now. */
  protected abstract ready(): boolean;

  /** The content of frame `n` from the peer, which is a feed's. */
  protected abstract openFeed(n: number, body: Bytes): FrameContent;

  /** What a session frame brought, without what the link itself acts upon. */
  protected applyGrants(content: FrameContent): FrameContent {
    return content;
  }

  #negotiate(body: Bytes): Bytes | null {
    const session = this.live();
    if (this.#established) throw new CryptoError('SESSION_BROKEN', 'handshake in an established session');
    if (!this.ready() || handshakeForm(body) !== this.#expected[this.#steps++])
      throw new CryptoError('HANDSHAKE_FAILED', 'no handshake of this form and turn');
    const reply = this.#reply(session, body);
    this.#established = session.established();
    if (this.#established && this.#peer === null)
      throw new CryptoError('HANDSHAKE_FAILED', 'peer without a key');
    return reply.length === 0 ? null : encodeFrame(FRAME_TYPES.handshake, reply);
  }

  #reply(session: SecureSession, body: Bytes): Bytes {
    try {
      return session.negotiateReply(body);
    } catch (error) {
      const cause = this.#refusal ?? error;
      if (cause instanceof CryptoError && cause.code === 'RELAY_KEY_MISMATCH') throw cause;
      throw new CryptoError('HANDSHAKE_FAILED', 'handshake refused', { cause });
    }
  }

  #open(type: FrameType, body: Bytes): FrameContent {
    const session = this.live();
    if (!this.#established)
      throw new CryptoError('HANDSHAKE_FAILED', 'session or feed frame before the handshake');
    if (type === FRAME_TYPES.feed) {
      const content = this.openFeed(this.#received + 1, body);
      this.#received++;
      return content;
    }
    const plain = attempt('SESSION_BROKEN', 'unwrap failed', () => session.unwrap(body));
    // Themis takes trailing bytes too. It also carries 4 bytes beside its nonce that no tag covers: who changes
    // those changes nothing that is read, and the frame still counts once.
    if (body.length !== plain.length + WRAP_OVERHEAD)
      throw new CryptoError('SESSION_BROKEN', 'trailing bytes');
    // Themis takes sequence numbers within 8 of its own, and an exact replay: our counter
    // inside the plaintext does not.
    const opened = decodeSessionFrame(plain, this.#received);
    this.#received++;
    return this.applyGrants(opened);
  }
}

/** A member's or a stranger's end. */
export class ClientLink extends Link {
  #started = false;
  #feed: FollowedFeed | null = null;

  private constructor(identity: KeyPair, relayKey: Bytes) {
    super(identity, ['hello', 'finish'], (id) => {
      if (!equalBytes(id, relayKey)) throw new CryptoError('RELAY_KEY_MISMATCH', 'not the pinned relay');
      return themisPublicKey(id);
    });
  }

  /**
   * @param options.identity key pair of this member in this room: the id on the session
   * @param options.relayKey the pinned key; a relay with another one fails the handshake (G13)
   *
   * Throws BAD_KEY.
   */
  static open(options: { readonly identity: KeyPair; readonly relayKey: Bytes }): ClientLink {
    const relayKey = parsePublicKey(options.relayKey);
    if (equalBytes(relayKey, options.identity.publicKey))
      throw new CryptoError('BAD_KEY', 'both ends have one key');
    return new ClientLink(options.identity, relayKey);
  }

  /** The first frame to send. Throws HANDSHAKE_FAILED the second time, SESSION_BROKEN after the end. */
  start(): Bytes {
    const session = this.live();
    if (this.#started) throw new CryptoError('HANDSHAKE_FAILED', 'started twice');
    this.#started = true;
    const request = attempt('HANDSHAKE_FAILED', 'no connection request', () => session.connectionRequest());
    return encodeFrame(FRAME_TYPES.handshake, request);
  }

  override destroy(): void {
    this.#feed?.end();
    this.#feed = null;
    super.destroy();
  }

  /** A session that has not asked would answer as a server would: to anybody's request. */
  protected override ready(): boolean {
    return this.#started;
  }

  protected override openFeed(n: number, body: Bytes): FrameContent {
    if (this.#feed === null) throw new CryptoError('SESSION_BROKEN', 'no feed is followed');
    return this.#feed.open(n, decodeFeedFrame(body));
  }

  /** From its grant on it follows that feed, and none that it followed before. */
  protected override applyGrants({ messages, items }: FrameContent): FrameContent {
    const rest = messages.filter((message) => {
      if (!('e' in message) || message.e !== FEED_EVENT) return true;
      this.#feed?.end();
      this.#feed = new FollowedFeed(parse(feedGrant, message.body));
      return false;
    });
    return { messages: rest, items };
  }
}

/** The relay's end. Any key may connect (docs/protocol.md section 3); who it is counts once it is proved. */
export class RelayLink extends Link {
  private constructor(relay: KeyPair) {
    super(relay, ['hello', 'proof'], (id) => {
      // The relay's own key would let a session be reflected onto it.
      if (equalBytes(id, relay.publicKey)) throw new CryptoError('BAD_KEY', 'the key of the relay itself');
      return themisPublicKey(id);
    });
  }

  /** Throws BAD_KEY for an unusable key pair of the relay's own. */
  static accept(options: { readonly relay: KeyPair }): RelayLink {
    return new RelayLink(options.relay);
  }

  /**
   * The frame that brings a cell of the feed to the peer, which was given the key of these tags in a grant that this cell is
   * not before: its two parts, the second of which is the same for all. As with `seal`, the caller sends it or closes. Throws
   * SESSION_BROKEN.
   */
  feedFrame({ c, cell, digest }: FeedCell, tags: FeedTags): readonly [head: Bytes, cell: Bytes] {
    const n = this.takeNumber();
    return [encodeFeedHead({ n, c, tag: tags.tag(n, c, digest) }), cell];
  }

  protected override ready(): boolean {
    return true;
  }

  /** A client's frames are its session's. */
  protected override openFeed(): FrameContent {
    throw new CryptoError('MALFORMED', 'a feed from a client');
  }
}
