/** Commands on a room: its beginning, its state, its log. */
import type { MemberId, Position, Role, RoomId } from '@0fc/protocol';
import type {
  AppendRoster,
  LogPage,
  ReadEntry,
  ReadLog,
  ReadRotation,
  RoomStore,
  StoreChange,
  StoreRotation,
} from '../../rooms/port/room-store.js';
import { decodeDepartureNotice, decodeRecord } from './feed/events.js';
import { factsOf, placed, plain, withRest, wrapArguments } from './facts.js';
import type { Reply } from './scripts/reply.js';
import { resultOf } from './scripts/reply.js';
import type { Argument, RunScript } from './connection/runner.js';
import { scripts } from './scripts/scripts.js';

type SettingsChange = Extract<StoreChange, { readonly kind: 'settings' }>;

export type RoomCommands = Pick<
  RoomStore,
  | 'createRoom' | 'readRoom' | 'readLog' | 'readChain' | 'append' | 'appendRoster' | 'rotate' | 'addWraps' | 'findRoster' | 'findRotation' | 'leave' | 'acknowledge' | 'announce' | 'signal'
>; // prettier-ignore

const flag = (yes: boolean): Argument => (yes ? 1 : 0);

const rotationArguments = ({ newEpoch, hash, clear, payload, wraps }: StoreRotation): Argument[] => [
  newEpoch,
  hash,
  clear,
  payload,
  ...wrapArguments(wraps),
];

export function roomCommands(run: RunScript): RoomCommands {
  const found = (reply: Reply) => ({ placed: reply.placementOrNull() });
  return {
    createRoom: async ({ roomId, version, genesis, head, owner, history, restored }) =>
      withRest(
        await run(scripts.createRoom, roomId, [genesis, head, owner, history, flag(restored), version]),
        placed,
      ),

    readRoom: async (roomId, memberId) =>
      withRest(await run(scripts.readRoom, roomId, [memberId]), (reply) => ({
        room: factsOf(reply.list(), roomId),
        role: reply.text() as Role,
      })),

    readLog: async (command) =>
      withRest(await run(scripts.readLog, command.roomId, readArguments(command)), (reply) => ({
        page: pageOf(reply, command.roomId),
      })),

    readChain: async (roomId, from, limit, reader = '' as MemberId) =>
      withRest(await run(scripts.readChain, roomId, [from, limit, reader]), (reply) => ({
        length: reply.number(),
        entries: reply.list().map((entries) => entries.bytes()),
      })),

    append: async ({ roomId, sender, messages: list, rate }) =>
      withRest(
        await run(scripts.append, roomId, [
          sender,
          rate.perSecond,
          rate.burst,
          ...list.flatMap(({ epoch, clear, payload, id }) => [epoch, clear, payload, id]),
        ]),
        (reply) => {
          const refused = reply.text() as '' | 'STALE_EPOCH' | 'EPOCH_AHEAD' | 'RATE_LIMITED';
          const retryMs = reply.number();
          return {
            placed: reply.map((rest) => rest.placement()),
            ...(refused === '' ? {} : { refused }),
            ...(refused === 'RATE_LIMITED' ? { retryMs } : {}),
          };
        },
      ),

    appendRoster: async (command) =>
      withRest(await run(scripts.appendRoster, command.roomId, rosterArguments(command)), (reply) => {
        const entry = reply.placement();
        const rotation = reply.placementOrNull();
        return { placed: entry, ...(rotation === null ? {} : { rotation }) };
      }),

    rotate: async ({ roomId, signer, head, rotation }) =>
      withRest(await run(scripts.rotate, roomId, [signer, head, ...rotationArguments(rotation)]), placed),

    addWraps: async ({ roomId, by, newEpoch, hash, wraps }) =>
      withRest(await run(scripts.addWraps, roomId, [by, newEpoch, hash, ...wrapArguments(wraps)]), found),

    findRoster: async (roomId, head) => withRest(await run(scripts.findRoster, roomId, [head]), found),

    findRotation: async (roomId, newEpoch, hash) =>
      withRest(await run(scripts.findRotation, roomId, [newEpoch, hash]), found),

    leave: async ({ roomId, memberId, request }) =>
      withRest(await run(scripts.leave, roomId, [memberId, request]), placed),

    acknowledge: async (roomId, memberId, { g, s }) =>
      plain(await run(scripts.acknowledge, roomId, [memberId, g, s])),

    announce: async (roomId, memberId, connectionId) =>
      plain(await run(scripts.announce, roomId, [memberId, connectionId])),

    signal: async (roomId, sender, epoch, payload) =>
      plain(await run(scripts.signal, roomId, [sender, epoch, payload])),
  };
}

/** Where a room's log ends, in the generation of this server; null: it is unknown, or has ended. */
export async function readTip(run: RunScript, roomId: RoomId): Promise<Position | null> {
  const result = resultOf(await run(scripts.readTip, roomId, []));
  return result.ok ? result.reply.position() : null;
}

const readArguments = (command: ReadLog): Argument[] => [
  command.memberId,
  command.after?.g ?? '',
  command.after?.s ?? '',
  command.maxEntries,
  command.maxBytes,
  command.maxGenerations,
];

function pageOf(reply: Reply, roomId: RoomId): LogPage {
  const role = reply.text() as LogPage['role'];
  if (role === 'departed') {
    const notice = reply.bytesOrNull();
    const head = reply.bytes();
    return {
      role,
      entry: notice === null ? null : decodeDepartureNotice(Buffer.from(notice)),
      head,
      epoch: reply.number(),
    };
  }
  return {
    role,
    room: factsOf(reply.list(), roomId),
    generations: reply.list().map((starts) => generationStart(starts.bytes())),
    rotation: rotationOf(reply.listOrNull()),
    entries: reply.list().map((entries) => entryOf(entries.list())),
    end: reply.number() === 1,
    prekey: reply.bytesOrNull(),
  };
}

export function generationStart(bytes: Uint8Array) {
  const at = Buffer.from(bytes);
  return {
    generation: at.readUIntBE(0, 6),
    from: { g: at.readUIntBE(6, 6), s: at.readUIntBE(12, 6) },
  };
}

/** `generation-seq`, as streams have it. */
export function positionOf(id: string): Position {
  const [g = Number.NaN, s = Number.NaN] = id.split('-').map(Number);
  return { g, s };
}

const rotationOf = (reply: Reply | null): ReadRotation | null =>
  reply === null ? null : { ...entryOf(reply), kind: 'rotation' };

function entryOf(item: Reply): ReadEntry {
  const position = positionOf(item.text());
  const record = decodeRecord(Buffer.from(item.bytes()));
  const wrap = item.bytesOrNull();
  return { position, ...record, ...(wrap === null ? {} : { wrap }) };
}

const settingsArguments = ({ history, limits: { entries, rate } }: SettingsChange): Argument[] => [
  history,
  entries,
  rate.perSecond,
  rate.burst,
];

/** As the header of scripts/append-roster.lua lists them. */
function rosterArguments(command: AppendRoster): Argument[] {
  const { change, reply, rotation } = command;
  const who: MemberId | '' =
    'member' in change ? change.member : change.kind === 'transfer' ? change.from : '';
  const key = change.kind === 'admit' ? change.key : change.kind === 'transfer' ? change.to : '';
  return [
    command.signer,
    command.before,
    command.head,
    command.container,
    flag(command.restored),
    change.kind,
    who,
    key,
    change.kind === 'admit' ? change.inviteId : '',
    command.epoch,
    ...(change.kind === 'settings'
      ? settingsArguments(change)
      : [(change.kind === 'admit' ? change.firstPrekey : undefined) ?? '', '', '', '']),
    ...(reply === undefined ? [0, '', ''] : [1, reply.epoch, reply.payload]),
    ...(rotation === undefined ? [0] : [1, ...rotationArguments(rotation)]),
  ];
}
