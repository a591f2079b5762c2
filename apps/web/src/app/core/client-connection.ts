import { InjectionToken } from '@angular/core';
import type { ClientApi, ClientEvent } from '@0fc/client/api';

/** One worker, and the door to it. */
export interface ClientConnection {
  readonly api: Omit<ClientApi, 'subscribe' | 'exportVault'>;
  subscribe(listener: (event: ClientEvent) => void): Promise<void>;
  /** Of the worker too, and apart from the rest as it calls back. */
  readonly exportVault: ClientApi['exportVault'];
  /** Ends the worker: every key it held goes with its memory. */
  close(): void;
}

/** Starts a worker. `failed` is called when it dies or cannot be read. */
export type OpenClient = (failed: (error: unknown) => void) => ClientConnection;

export const OPEN_CLIENT = new InjectionToken<OpenClient>('OPEN_CLIENT');
