/** Errors for the operator, in words that may be shown. */

/** A setting that cannot be used; `message` is the whole line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export const UNKNOWN_ERROR = 'unknown error';

/**
 * Why the system refused: the code of its error, without its text, which may hold a path or more.
 * By the shape of the error and not by its class: those of Node's own cross realms.
 */
export function systemErrorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return UNKNOWN_ERROR;
  return typeof error.code === 'string' ? error.code : UNKNOWN_ERROR;
}

/** One line for the operator where a file of the build is missing; null for any other error of loading it. */
export function loadProblem(error: unknown): string | null {
  if (!['ENOENT', 'ERR_MODULE_NOT_FOUND'].includes(systemErrorCode(error))) return null;
  const { path, url } = error as { readonly path?: unknown; readonly url?: unknown };
  const file = [path, url].find((name) => typeof name === 'string') ?? 'a package';
  return `The relay cannot be loaded: ${file} is missing. Build it again: npm run build.`;
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
