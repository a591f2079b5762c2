/**
 * Hosts the client: the only script of this app that holds keys (docs/protocol.md section 9).
 * The page ends this worker to lock, which takes every key out of memory.
 */
import type { ClientApi } from '@0fc/client/api';
import { createBrowserClient, forwardCommands } from '@0fc/client/browser';
import { expose } from 'comlink';

const starting: Promise<ClientApi> = createBrowserClient({
  themisWasmUrl: new URL('/libthemis.wasm', location.origin).href,
  relayUrl: location.origin,
  ...(RELAY_PUBLIC_KEY === '' ? {} : { relayPublicKey: RELAY_PUBLIC_KEY }),
});

// The first message is the door. What the page asks meanwhile waits in it, and is lost neither here nor there.
addEventListener(
  'message',
  ({ data }: MessageEvent<MessagePort>) => {
    expose(
      forwardCommands(async (work) => work(await starting)),
      data,
    );
  },
  { once: true },
);
