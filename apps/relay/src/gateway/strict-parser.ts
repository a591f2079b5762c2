/**
 * The part of Socket.IO's packets that this relay speaks: connect and disconnect on the main
 * namespace, and the one binary event with one attachment. Everything else (text events,
 * acknowledgements, several attachments, other namespaces) ends the connection before
 * anything is parsed or kept.
 */
import { Server } from 'socket.io';
import { FRAME_EVENT } from '@0fc/protocol';

// Socket.IO's own parser, which it does not export but every server of it holds.
const { Decoder, Encoder } = new Server()._parser;

const FRAME_HEADER = `51-["${FRAME_EVENT}",{"_placeholder":true,"num":0}]`;
const CONTROL = /^(0(\{\})?|1)$/;

export class StrictDecoder extends Decoder {
  override add(packet: unknown): void {
    if (typeof packet === 'string' && packet !== FRAME_HEADER && !CONTROL.test(packet)) {
      throw new Error('not a packet of this protocol');
    }
    super.add(packet);
  }
}

export const strictParser = { Encoder, Decoder: StrictDecoder };
