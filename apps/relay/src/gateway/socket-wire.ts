/**
 * The wire of a connection: its websocket. What goes out is written to the socket below it as one message: on its way through
 * Socket.IO, Engine.IO and the websocket library a frame costs more than the kernel takes for it (docs/decisions/0048). What
 * they send themselves, pings and closing, goes to the same socket, in order.
 */
import type { Socket } from 'socket.io';
import type { Bytes } from '@0fc/protocol';
import type { Wire } from './wire.js';

/** RFC 6455, section 5.2: the last part of a binary message; a length in 16 bits, and in 64. */
const FINAL_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

const NOTHING = Buffer.alloc(0);

interface LibrarySocket {
  readonly readyState: number;
  pause(): void;
  resume(): void;
}
const OPEN = 1;

/** A binary message of a server's, whole: unmasked. */
function binaryMessage(frame: Bytes, rest: Bytes | undefined): Buffer {
  const length = frame.length + (rest?.length ?? 0);
  const from = length < LENGTH_16 ? 2 : length < 0x1_00_00 ? 4 : 10;
  const message = Buffer.allocUnsafe(from + length);
  message[0] = FINAL_BINARY;
  message[1] = from === 2 ? length : from === 4 ? LENGTH_16 : LENGTH_64;
  if (from === 4) message.writeUInt16BE(length, 2);
  if (from === 10) message.writeBigUInt64BE(BigInt(length), 2);
  message.set(frame, from);
  if (rest !== undefined) message.set(rest, from + frame.length);
  return message;
}

/** @param drained called when what had to wait for the other side has left the process */
export function socketWire(socket: Socket, address: string, drained: () => void): Wire {
  // Of the websocket library; Engine.IO's types leave it out.
  const { socket: websocket } = socket.conn.transport as unknown as {
    readonly socket: LibrarySocket;
  };
  const { socket: below } = socket.request;
  let holding: NodeJS.Timeout | undefined;
  let behind = false;
  const goOn = (): void => {
    clearTimeout(holding);
    websocket.resume();
  };
  /**
   * Whether all that was written, by whomever, has been taken by the kernel. Only where it was not is a callback asked for: one for
   * each write would cost more than the write.
   */
  const isIdle = (): boolean => {
    if (below.writableLength === 0) return true;
    if (!behind && below.writable) {
      behind = true;
      below.write(NOTHING, () => {
        behind = false;
        drained();
      });
    }
    return false;
  };
  // The other side's goodbye is read as well.
  socket.once('disconnect', goOn);
  return {
    id: socket.id,
    address,
    send: (frame, rest) => {
      // Behind a closing of the websocket nothing may come.
      if (websocket.readyState !== OPEN || !below.writable) return;
      below.write(binaryMessage(frame, rest));
      isIdle();
    },
    idle: isIdle,
    close: () => {
      socket.disconnect(true);
    },
    destroy: () => {
      below.destroy();
    },
    hold: (ms) => {
      websocket.pause();
      clearTimeout(holding);
      holding = setTimeout(goOn, ms);
    },
  };
}
