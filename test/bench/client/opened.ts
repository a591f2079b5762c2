/**
 * A vault unlocked in a process of its own, as a member's device does: started cold, and with nothing in memory
 * that is not the client's. Forked by {@link openedAlone}; the process ends with its one answer.
 */
import { fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { AppView, ClientApi, ClientEvent, RoomSummary } from '@0fc/client/api';
import { createNodePlatform } from '@0fc/client/node';
import { clientOver } from '../../support/platform.js';
import { value } from '../../support/member.js';
import { Meter, moment, type Moment, type Written } from './meter.js';

/** Whose vault is opened, and what its room must show in the end. */
export interface Vault {
  readonly folder: string;
  readonly relayUrl: string;
  readonly passphrase: string;
  readonly roomId: string;
  /** the newest line of the room's log */
  readonly last: string;
}

export interface Opened {
  /** milliseconds from the derived key to the list of rooms */
  readonly unlock: number;
  readonly unlockCpu: number;
  /** milliseconds from there until the newest line is read; connecting included */
  readonly catchUp: number;
  readonly catchUpCpu: number;
  /** milliseconds to the newest screens of the room's lines */
  readonly room: number;
  /** bytes held once all of that is done and nobody uses the rest: V8's heap, and buffers outside of it */
  readonly heap: number;
  readonly written: Written;
  /** everything, as one sealed file */
  readonly exported: Exported;
}

interface Exported {
  /** milliseconds, looks at the heap left out */
  readonly ms: number;
  /** bytes of the file */
  readonly bytes: number;
  /** bytes held while it is made, more than {@link Opened.heap}: at the piece where they are most */
  readonly held: number;
}

function held(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Milliseconds until an event answers; `begin` makes it come. */
class Events {
  #hear: (event: ClientEvent) => void = () => undefined;
  readonly listener = (event: ClientEvent): void => {
    this.#hear(event);
  };

  async first(answers: (event: ClientEvent) => boolean, begin: () => Promise<unknown>): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#hear = (event) => {
        if (answers(event)) resolve();
      };
    });
    await begin();
    await heard;
  }
}

/** Looks at each piece what is held, and lets it go. */
async function exportFrom(client: ClientApi, before: number): Promise<Exported> {
  const began = performance.now();
  let [looking, bytes, most] = [0, 0, before];
  const take = (piece: Uint8Array): Promise<boolean> => {
    const at = performance.now();
    bytes += piece.length;
    most = Math.max(most, held());
    looking += performance.now() - at;
    return Promise.resolve(true);
  };
  value(await client.exportVault('a passphrase of the file alone', take));
  return { ms: performance.now() - began - looking, bytes, held: most - before };
}

async function open({ folder, relayUrl, passphrase, roomId, last }: Vault): Promise<Opened> {
  const meter = new Meter();
  const events = new Events();
  const client = await clientOver(meter.over(await createNodePlatform({ folder })), relayUrl);
  await client.subscribe(events.listener);
  let app: AppView | null = null;
  const read = (room: RoomSummary | undefined): boolean =>
    room?.connection === 'connected' && room.last?.text === last;
  let unlocked: Moment | null = null;
  await events.first(
    (event) => {
      if (event.type === 'app') app = event.app;
      return read(app?.rooms[0]);
    },
    async () => {
      value(await client.unlock(passphrase));
      unlocked = moment();
    },
  );
  const caughtUp = moment();
  await events.first(
    (event) => event.type === 'timeline',
    async () => {
      value(await client.watchRoom(roomId));
    },
  );
  const shown = moment();
  const heap = held();
  const { derived } = meter;
  const ready = unlocked as Moment | null;
  if (derived === null || ready === null) throw new Error('nothing of the vault was read');
  const alarms = (app as AppView | null)?.rooms[0]?.alarms;
  if (alarms !== 0) throw new Error(`${String(alarms)} alarms in an honest room`);
  const opened = {
    unlock: ready.clock - derived.clock,
    unlockCpu: ready.cpu - derived.cpu,
    catchUp: caughtUp.clock - ready.clock,
    catchUpCpu: caughtUp.cpu - ready.cpu,
    room: shown.clock - caughtUp.clock,
    heap,
    written: meter.written,
    exported: await exportFrom(client, heap),
  };
  await client.close();
  return opened;
}

const FILE = fileURLToPath(import.meta.url);

export function openedAlone(vault: Vault): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const child = fork(FILE, [JSON.stringify(vault)]);
    child.once('message', (opened) => resolve(opened as Opened));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the unlocking process ended with ${code ?? 'a signal'}`)));
  });
}

const [, script, given] = process.argv;
if (script === FILE && given !== undefined && process.send !== undefined)
  process.send(await open(JSON.parse(given) as Vault));
