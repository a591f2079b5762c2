/**
 * How frames travel by Socket.IO: each is one binary message of the websocket, with nothing around it. Beside them a relay
 * and a client speak of nothing but the beginning and the end of a connection; any other packet (text events,
 * acknowledgements, attachments, other namespaces) ends it before anything of it is parsed or kept.
 */
import { Decoder, Encoder, PacketType, type Packet } from 'socket.io-parser';
import { FRAME_EVENT } from '../frames.js';

class FrameEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    const { type } = packet;
    if (type !== PacketType.EVENT && type !== PacketType.BINARY_EVENT) return super.encode(packet);
    const [event, frame, ...more] = packet.data as readonly unknown[];
    if (event !== FRAME_EVENT || more.length > 0 || packet.id !== undefined)
      throw new Error('not a packet of this protocol');
    return [frame];
  }
}

abstract class FrameDecoder extends Decoder {
  /** The packets of text that this end takes. */
  protected abstract readonly control: RegExp;

  override add(packet: unknown): void {
    if (packet instanceof Uint8Array || packet instanceof ArrayBuffer) {
      const frame: Packet = { type: PacketType.EVENT, nsp: '/', data: [FRAME_EVENT, packet] };
      super.emitReserved('decoded', frame);
    } else if (typeof packet === 'string' && this.control.test(packet)) super.add(packet);
    else throw new Error('not a packet of this protocol');
  }
}

/** From a client: it connects, and ends. */
class RelayDecoder extends FrameDecoder {
  protected override readonly control = /^(0(\{\})?|1)$/;
}

/** From a relay: it has connected, has ended, or refuses to connect. */
class ClientDecoder extends FrameDecoder {
  protected override readonly control = /^(0(\{.{0,200}\})?|1|4.{0,1000})$/;
}

/** The `parser` option of a Socket.IO server. */
export const relayParser = { Encoder: FrameEncoder, Decoder: RelayDecoder };
/** The `parser` option of a Socket.IO client. */
export const clientParser = { Encoder: FrameEncoder, Decoder: ClientDecoder };
