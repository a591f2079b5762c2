/**
 * How an operator's command reaches a relay that runs: a Unix socket in its data folder, which only
 * its own user may open. One line of JSON each way. The store's file is the running relay's alone.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { chmod, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemErrorCode } from '../config/errors.js';
import { parseOperatorRequest, type OperatorReply, type OperatorRequest } from './commands.js';

export const socketPath = (dataDir: string): string => join(dataDir, 'relay.sock');

const MOST_BYTES = 4_096;

export interface OperatorSocketOptions {
  readonly path: string;
  readonly operate: (request: OperatorRequest) => Promise<OperatorReply>;
  readonly failed: (error: unknown) => void;
}

export class OperatorSocket {
  readonly #server: Server;
  readonly #options: OperatorSocketOptions;
  readonly #open = new Set<Socket>();

  private constructor(options: OperatorSocketOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#take(socket);
    });
  }

  /** Rejects where the folder cannot hold a socket. */
  static async listen(options: OperatorSocketOptions): Promise<OperatorSocket> {
    const made = new OperatorSocket(options);
    // One that a killed relay left behind; this process holds the store, so nobody listens there.
    await rm(options.path, { force: true });
    const listening = once(made.#server, 'listening');
    made.#server.listen(options.path);
    await listening;
    made.#server.on('error', options.failed);
    await chmod(options.path, 0o600);
    return made;
  }

  async end(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #take(socket: Socket): void {
    this.#open.add(socket);
    let text = '';
    let taken = false;
    socket.setEncoding('utf8');
    socket.on('error', this.#options.failed);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('data', (part: string) => {
      if (taken) return;
      text += part;
      const end = text.indexOf('\n');
      if (end === -1 && text.length <= MOST_BYTES) return;
      taken = true;
      void this.#answer(text.slice(0, Math.max(0, end))).then((reply) => {
        socket.end(`${JSON.stringify(reply)}\n`);
      });
    });
  }

  async #answer(line: string): Promise<OperatorReply> {
    let request: OperatorRequest;
    try {
      request = parseOperatorRequest(JSON.parse(line));
    } catch (error) {
      this.#options.failed(error);
      return { ok: false, error: 'MALFORMED' };
    }
    try {
      return await this.#options.operate(request);
    } catch (error) {
      this.#options.failed(error);
      return { ok: false, error: 'INTERNAL' };
    }
  }
}

/** Asks the relay that runs on this data folder; null: none does. */
export async function askRunning(path: string, request: OperatorRequest): Promise<OperatorReply | null> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED'].includes(systemErrorCode(error))) return null;
    throw error;
  }
  socket.setEncoding('utf8').write(`${JSON.stringify(request)}\n`);
  let text = '';
  for await (const part of socket) text += String(part);
  return JSON.parse(text) as OperatorReply;
}
