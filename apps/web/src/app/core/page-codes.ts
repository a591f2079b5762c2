import type { Failure } from '@0fc/client/api';

/** Failures that the page itself can meet, beside those of @0fc/protocol. Each has its sentence in `errors`. */
export const PAGE_CODES = {
  /** the worker died, or does not answer in a form that can be read */
  CLIENT_STOPPED: 'CLIENT_STOPPED',
  /** its files could not be had as this page names them */
  CLIENT_NOT_LOADED: 'CLIENT_NOT_LOADED',
  PASSPHRASES_DIFFER: 'PASSPHRASES_DIFFER',
  CLIPBOARD_REFUSED: 'CLIPBOARD_REFUSED',
  /** the screen was asked for a room that this device does not know */
  ROOM_NOT_HERE: 'ROOM_NOT_HERE',
  /** the browser refused to hand an export to the disk */
  EXPORT_UNSAVED: 'EXPORT_UNSAVED',
  /** a chosen file could not be read */
  FILE_UNREADABLE: 'FILE_UNREADABLE',
} as const;

/** A room that the worker does not know is one that this device does not have; the relay was not asked. */
export function roomFailure(failure: Failure | null): Failure | null {
  return failure?.code === 'ROOM_UNKNOWN' ? { code: PAGE_CODES.ROOM_NOT_HERE } : failure;
}
