/** A socket that can be made to swallow what a client sends, as a network that falls in one direction does. */
import type { Platform } from '@0fc/client';

export class HeldSocket {
  /** frames that were swallowed, in bytes each */
  readonly swallowed: number[] = [];
  held = false;

  over = (platform: Platform): Platform => ({
    ...platform,
    socket: {
      connect: (url, events) => {
        const handle = platform.socket.connect(url, events);
        return {
          send: (data) => {
            if (this.held) this.swallowed.push(data.length);
            else handle.send(data);
          },
          close: () => {
            handle.close();
          },
        };
      },
    },
  });
}
