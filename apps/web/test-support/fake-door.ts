import type { ClientConnection, OpenClient } from '../src/app/core/client-connection';
import { FakeClient } from './fake-client';

/** Stands in for worker-door.ts in the `fake` configuration: the screens without a worker or a relay. */
export const openClient: OpenClient = (): ClientConnection => {
  const client = new FakeClient(new URLSearchParams(location.search).get('fake') ?? 'rooms');
  return {
    api: client,
    subscribe: (listener) => client.subscribe(listener),
    exportVault: (passphrase, take) => client.exportVault(passphrase, take),
    close: () => client.close(),
  };
};
