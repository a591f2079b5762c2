/**
 * `rooms stats [roomId]` and `rooms erase <roomId> --yes`: of the relay that runs on the data folder,
 * or of the store where none does: the one in the folder, or Redis.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ProtocolError } from '@0fc/protocol';
import { openStoreBackend } from '../store/store-backend.js';
import { ConfigError, systemErrorCode } from '../config/errors.js';
import { readConfig, type Environment, type RelayConfig } from '../config/environment.js';
import type { RoomStats, StoreStats } from '../rooms/port/store-upkeep.js';
import { STORE_FILE } from '../store/open.js';
import { operate, parseOperatorRequest, type OperatorReply, type OperatorRequest } from './commands.js';
import { askRunning, socketPath } from './socket.js';

export const ROOMS_USAGE = 'rooms stats [roomId] | rooms erase <roomId> --yes';

const WARNING = `Erasing a room cannot be undone here. Its members keep on their devices what they have read.
They are told that the relay has closed the room, without a word of its owner's; nobody can write to
it, enter it or bring it back to this relay.`;

export interface RoomsOptions {
  readonly environment: Environment;
  /** what follows `rooms` */
  readonly words: readonly string[];
  readonly json: boolean;
  readonly yes: boolean;
}

/** Lines for the operator, and whether it was done. Throws {@link ConfigError}. */
export async function rooms(options: RoomsOptions): Promise<{ readonly text: string; readonly ok: boolean }> {
  const request = requestOf(options.words);
  if (request.command === 'erase' && !options.yes) {
    throw new ConfigError(`${WARNING}\nNothing has been done. Add --yes to erase it.`);
  }
  const config = readConfig(options.environment, { webDir: '' });
  const reply = (await askRunning(socketPath(config.dataDir), request)) ?? (await askStore(config, request));
  return { text: options.json ? JSON.stringify(reply) : textOf(reply), ok: reply.ok };
}

function requestOf(words: readonly string[]): OperatorRequest {
  const [command, roomId, ...more] = words;
  const named = roomId === undefined ? {} : { roomId };
  try {
    if (more.length === 0 && command === 'erase') return parseOperatorRequest({ command, ...named });
    if (more.length === 0 && command === 'stats') {
      return parseOperatorRequest({ command: roomId === undefined ? 'stats' : 'room', ...named });
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ConfigError(`The room id is 22 letters, digits, - or _: ${ROOMS_USAGE}`);
  }
  throw new ConfigError(`The commands are: ${ROOMS_USAGE}`);
}

async function askStore(config: RelayConfig, request: OperatorRequest): Promise<OperatorReply> {
  if (config.redis === null) await mustHoldStore(config.dataDir);
  // What it would log, the command's own answer says.
  const backend = await openStoreBackend(config, false, { info: () => undefined, warn: () => undefined });
  try {
    return await operate(backend.store, request);
  } finally {
    await backend.close();
  }
}

async function mustHoldStore(dataDir: string): Promise<void> {
  try {
    await access(join(dataDir, STORE_FILE));
  } catch (error) {
    throw new ConfigError(`DATA_DIR is ${dataDir}, which holds no store (${systemErrorCode(error)}).`);
  }
}

function textOf(reply: OperatorReply): string {
  if (!reply.ok) {
    switch (reply.error) {
      case 'ROOM_UNKNOWN':
        return 'There is no such room.';
      case 'MALFORMED':
      case 'INTERNAL':
        return `The relay could not do it (${reply.error}); its log says why.`;
    }
  }
  if ('store' in reply) return storeText(reply.store);
  if ('room' in reply) return roomText(reply.room);
  return `${WARNING}\nThe room ${reply.erased} has been erased.`;
}

const lines = (fields: Readonly<Record<string, string | number>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name.padEnd(16)}${String(value)}`)
    .join('\n');

const storeText = ({ open, closed, erased, entries, bytes }: StoreStats): string =>
  lines({ rooms: open, closed, erased, entries, bytes });

function roomText(room: RoomStats): string {
  const { tip, trimmed, usedAt, ...rest } = room;
  return lines({
    ...rest,
    tip: `${tip.g}/${tip.s}`,
    trimmed: `${trimmed.g}/${trimmed.s}`,
    used: new Date(usedAt).toISOString(),
  });
}
