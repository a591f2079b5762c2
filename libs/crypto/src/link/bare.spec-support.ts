/** A client's end of a session without our link around it: it sends what a link would not. */
import { PrivateKey, PublicKey, SecureSession } from 'wasm-themis';
import { encodeFrame, FRAME_TYPES, type Bytes } from '@0fc/protocol';
import { generateKeyPair } from '../keys/index.js';

export class BareSession {
  readonly #session: SecureSession;

  constructor() {
    const { publicKey, privateKey } = generateKeyPair();
    this.#session = new SecureSession(publicKey, new PrivateKey(privateKey), (id) => new PublicKey(id));
  }

  start(): Bytes {
    return encodeFrame(FRAME_TYPES.handshake, this.#session.connectionRequest());
  }

  /** What to answer a frame with; null: nothing, or the handshake is over. */
  answer(frame: Bytes): Bytes | null {
    if (frame[1] !== FRAME_TYPES.handshake) return null;
    const reply = this.#session.negotiateReply(Uint8Array.from(frame.subarray(2)));
    return reply.length === 0 ? null : encodeFrame(FRAME_TYPES.handshake, reply);
  }

  seal(plain: Bytes): Bytes {
    return encodeFrame(FRAME_TYPES.session, this.#session.wrap(plain));
  }

  destroy(): void {
    this.#session.destroy();
  }
}
