import type { ClientApi } from '@0fc/client/api';
import { proxy, wrap } from 'comlink';

import type { OpenClient } from './client-connection';
import { after, KeptFiles } from './kept-files';

/** Commands that judge a new passphrase, for which the worker loads words. */
const JUDGING = ['ratePassphrase', 'createVault', 'importVault', 'changePassphrase', 'exportVault'] as const;

/** The only place of the page that makes a worker (kept small: Jest cannot load `import.meta.url`). */
export const openClient: OpenClient = (failed) => {
  const files = KeptFiles.of(document);
  // What is asked of a worker that is still being checked waits here.
  const { port1: door, port2: inside } = new MessageChannel();
  door.addEventListener('messageerror', failed);
  let worker: Worker | null = null;
  let closed = false;
  const start = (): void => {
    if (closed) return;
    worker = new Worker(new URL('../worker/client.worker', import.meta.url), { type: 'module' });
    worker.addEventListener('error', failed);
    worker.postMessage(inside, [inside]);
  };
  files.atStart().then(start).catch(failed);
  const api = after(wrap<ClientApi>(door), JUDGING, () => files.later());
  return {
    api,
    subscribe: (listener) => api.subscribe(proxy(listener)),
    exportVault: (passphrase, take) => api.exportVault(passphrase, proxy(take)),
    close: () => {
      closed = true;
      worker?.terminate();
      door.close();
    },
  };
};
