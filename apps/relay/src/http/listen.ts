/** Why a port cannot be listened on, in one line for the operator. */
import { ConfigError, systemErrorCode } from '../config/errors.js';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** variables that say where */
  readonly names: { readonly host: string; readonly port: string };
  /** what sets the port beside its variable, or nothing */
  readonly option: string;
}

export function listenError(error: unknown, { host, port, names, option }: Listening): Error {
  switch (systemErrorCode(error)) {
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
