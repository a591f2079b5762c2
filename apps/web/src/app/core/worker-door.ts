import type { ClientApi } from '@0fc/client/api';
import { proxy, wrap } from 'comlink';

import type { OpenClient } from './client-connection';

/** The only place of the page that makes a worker (kept small: Jest cannot load `import.meta.url`). */
export const openClient: OpenClient = (failed) => {
  const worker = new Worker(new URL('../worker/client.worker', import.meta.url), { type: 'module' });
  worker.addEventListener('error', failed);
  worker.addEventListener('messageerror', failed);
  const api = wrap<ClientApi>(worker);
  return {
    api,
    subscribe: (listener) => api.subscribe(proxy(listener)),
    exportVault: (passphrase, take) => api.exportVault(passphrase, proxy(take)),
    close: () => worker.terminate(),
  };
};
