/**
 * The client's end of a websocket that costs as little as there is: a generator that takes each message apart as a client does
 * would be the limit, and not the server. It speaks Engine.IO 4 and the beginning of Socket.IO, and nothing else of them.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** RFC 6455, section 5.2 */
const OPCODES = { text: 1, binary: 2, close: 8, ping: 9 } as const;
const FINAL = 0x80;
const MASKED = 0x80;

export interface RawMessages {
  /** connected by Socket.IO as well */
  readonly opened: () => void;
  /** a packet of Socket.IO, without the digit of Engine.IO */
  readonly text: (packet: string) => void;
  readonly binary: (message: Buffer) => void;
  readonly closed: (reason: string) => void;
}

export class RawWebSocket {
  readonly socket: Socket;
  readonly #messages: RawMessages;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  /** bytes that have come, for whether more is still coming */
  received = 0;
  /** milliseconds of performance.now */
  lastReceived = 0;

  constructor(url: string, messages: RawMessages) {
    const { hostname, port } = new URL(url);
    this.#messages = messages;
    this.socket = connect(Number(port), hostname);
    this.socket.setNoDelay(true);
    this.socket.write(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        `Host: ${hostname}:${port}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Version: 13',
        '\r\n',
      ].join('\r\n'),
    );
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.socket.on('error', (error) => messages.closed(error.message));
    this.socket.on('close', () => messages.closed('closed'));
  }

  /** A packet of Socket.IO. */
  text(packet: string): void {
    this.#send(OPCODES.text, Buffer.from(`4${packet}`));
  }

  binary(message: Uint8Array): void {
    this.#send(OPCODES.binary, message);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #send(opcode: number, data: Uint8Array): void {
    const long = data.length > 125;
    const head = Buffer.alloc(long ? 12 : 6);
    head[0] = FINAL | opcode;
    if (long && data.length > 0xff_ff) {
      const larger = Buffer.alloc(14);
      larger[0] = head[0];
      larger[1] = MASKED | 127;
      larger.writeBigUInt64BE(BigInt(data.length), 2);
      this.socket.write(Buffer.concat([larger, data]));
      return;
    }
    if (long) {
      head[1] = MASKED | 126;
      head.writeUInt16BE(data.length, 2);
    } else head[1] = MASKED | data.length;
    // A mask of zeros is one: what it is for are proxies, and there is none.
    this.socket.write(Buffer.concat([head.subarray(0, long ? 8 : 6), data]));
  }

  #take(chunk: Buffer): void {
    this.received += chunk.length;
    this.lastReceived = performance.now();
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = data;
        return;
      }
      const [status = ''] = data.toString('latin1', 0, end).split('\r\n');
      if (!status.includes(' 101 ')) {
        this.#messages.closed(status);
        this.destroy();
        return;
      }
      this.#upgraded = true;
      data = data.subarray(end + 4);
    }
    let at = 0;
    for (;;) {
      const next = this.#one(data, at);
      if (next === at) break;
      at = next;
    }
    this.#rest = data.subarray(at);
  }

  /** Takes the message that begins there; returns where the next one does, or the same place where it is not whole. */
  #one(data: Buffer, at: number): number {
    if (data.length < at + 2) return at;
    const [first, second] = [data[at] ?? 0, data[at + 1] ?? 0];
    let from = at + 2;
    let length = second & 0x7f;
    if (length === 126) {
      if (data.length < at + 4) return at;
      length = data.readUInt16BE(at + 2);
      from = at + 4;
    } else if (length === 127) {
      if (data.length < at + 10) return at;
      length = Number(data.readBigUInt64BE(at + 2));
      from = at + 10;
    }
    if (data.length < from + length) return at;
    if ((first & FINAL) === 0) throw new Error('a message in parts');
    this.#message(first & 0x0f, data.subarray(from, from + length));
    return from + length;
  }

  #message(opcode: number, body: Buffer): void {
    if (opcode === OPCODES.binary) this.#messages.binary(body);
    else if (opcode === OPCODES.text) this.#engine(body.toString());
    else if (opcode === OPCODES.close) this.destroy();
    else if (opcode !== OPCODES.ping) throw new Error(`an opcode that nobody sends here: ${String(opcode)}`);
  }

  #engine(packet: string): void {
    // Engine.IO: 0 open, 2 ping, 4 message; Socket.IO in it: 0 connected.
    if (packet.startsWith('0')) this.text('0');
    else if (packet === '2') this.#send(OPCODES.text, Buffer.from('3'));
    else if (packet.startsWith('40')) this.#messages.opened();
    else if (packet.startsWith('4')) this.#messages.text(packet.slice(1));
  }
}
