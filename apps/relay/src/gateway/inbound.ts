/** Requests of a connection that wait for their turn, and the bytes of the frames that brought them. */
import type { RequestMessage } from '../rooms/commands/dispatch.js';

const MOST_REQUESTS = 1_024;
/** Frames' worth of bytes. */
const MOST_FRAMES = 4;

export class Inbound {
  #waiting: { readonly message: RequestMessage; readonly bytes: number }[] = [];
  #bytes = 0;

  /** One of a frame's requests, and its share of the frame's bytes: given back with it. */
  enqueue(message: RequestMessage, bytes: number): void {
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
  }

  dequeue(): RequestMessage | undefined {
    const next = this.#waiting.shift();
    this.#bytes -= next?.bytes ?? 0;
    return next?.message;
  }

  /** Whether more wait than may, where a frame has at most so many bytes. */
  isOver(frameBytes: number): boolean {
    return this.#waiting.length > MOST_REQUESTS || this.#bytes > MOST_FRAMES * frameBytes;
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }
}
