/** Why the system refused, in words that may be shown: its code, and no text that may hold a path or more. */
import { ConfigError } from './settings.js';

export const UNKNOWN = 'unknown error';

/** By its shape and not by its class: errors of Node's own cross realms. */
export function reason(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return UNKNOWN;
  return typeof error.code === 'string' ? error.code : UNKNOWN;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** variables that say where */
  readonly names: { readonly host: string; readonly port: string };
  /** what sets the port beside its variable, or nothing */
  readonly option: string;
}

/** Why a port cannot be listened on, in one line for the operator. */
export function listenError(error: unknown, { host, port, names, option }: Listening): Error {
  switch (reason(error)) {
    case 'EADDRINUSE':
      return new ConfigError(
        `${names.port} is ${port}, which another program uses; set ${names.port}${option} to a free one.`,
      );
    case 'EACCES':
      return new ConfigError(
        `${names.port} is ${port}, which needs more rights; set ${names.port}${option} to one above 1023.`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(
        `${names.host} is ${host}, which is no address of this machine; set it to one, or to 0.0.0.0 for all.`,
      );
    default:
      return error instanceof Error ? error : new Error('cannot listen');
  }
}
