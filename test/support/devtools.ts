/**
 * The protocols that a browser is inspected and driven by over a socket, for what no library drives: Chromium's own (the memory
 * of workers, restored sessions), and WebDriver BiDi, whose messages have the same form.
 */
import { once } from 'node:events';

export interface Target {
  readonly type: string;
  readonly url: string;
}

type Params = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: unknown;
  /** BiDi: a code, with its `message` beside it */
  readonly error?: { readonly message: string } | string;
  readonly message?: string;
}

export class Devtools {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Message) => void>();
  readonly #listeners = new Map<string, (params: Params, sessionId: string) => void>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      const { id, method, params = {}, sessionId = '' } = message;
      if (id !== undefined) this.#waiting.get(id)?.(message);
      else if (method !== undefined) this.#listeners.get(method)?.(params, sessionId);
    });
  }

  /** `address`: host, port and path of the browser’s own target. */
  static async open(address: string): Promise<Devtools> {
    const socket = new WebSocket(`ws://${address}`);
    await once(socket, 'open');
    return new Devtools(socket);
  }

  /** One listener an event: the last one set. */
  on(event: string, listener: (params: Params, sessionId: string) => void): void {
    this.#listeners.set(event, listener);
  }

  /** Rejects with the browser’s refusal. `sessionId`: of an attached target; without one, the browser’s. */
  async send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#count;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error, message = '' } = await answered;
    this.#waiting.delete(id);
    if (error !== undefined)
      throw new Error(`${method}: ${typeof error === 'string' ? `${error}: ${message}` : error.message}`);
    return result as T;
  }

  close(): void {
    this.#socket.close();
  }
}
