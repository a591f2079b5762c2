/** What must hold of a room at rest (docs/protocol.md, G1 to G16 as far as the model can state them). */
import { decodeMessageClear, toBase64Url, type Bytes, type Entry, type MemberId } from '@0fc/protocol';
import { equalSecrets, openMessage, type RoomKey } from '@0fc/crypto/keys';
import { messageIdOf } from '../../libs/client/src/vault/content.js';
import { expectSound } from '../support/checker.js';
import { historyOf } from './histories.js';
import type { Person } from './person.js';
import { demand, follow, type Line, type Told } from './told.js';
import type { Room } from './world.js';

/** G10, G16: what members have sealed, whether or not the relay has taken it. */
function sealed(
  room: Room,
  log: readonly Entry[],
  told: Told,
): { readonly opened: number; readonly lines: readonly Line[] } {
  const keys = new Map(room.here.flatMap(({ keys: held }) => [...held]));
  const open = (sender: MemberId, clear: Bytes, payload: Bytes) => {
    const epoch = decodeMessageClear(clear);
    const roomKey = keys.get(epoch);
    const senderKey = told.identities.get(sender);
    if (roomKey === undefined || senderKey === undefined) return null;
    const roomId = room.roomId as Parameters<typeof openMessage>[0]['roomId'];
    return openMessage({ roomKey, roomId, epoch, sender, senderKey, payload }).body;
  };
  let opened = 0;
  const lives = room.relay.lineage();
  for (const { sender, clear, payload } of room.relay.appended().slice(room.losses.judged)) {
    const body = open(sender, clear, payload);
    if (body === null) continue;
    opened += 1;
    const { s } = body.seen.position;
    // Sent again as it was sealed at a place that is lost: judged by the log of then.
    if (room.relay.lossy && !lives(body.seen.position)) continue;
    const what = `message ${String(body.n)} of ${sender}, sealed at ${String(s)} for epoch ${String(body.epoch)}`;
    demand(told.between[s] === false, `${what}, between a departure and its rotation`);
    demand(told.epochs[s] === body.epoch, `${what}, which had ended there`);
  }
  const counters = new Map<string, number>();
  const lines: Line[] = [];
  for (const { kind, sender, clear, payload, position } of log) {
    const body = kind === 'message' ? open(sender, clear, payload) : null;
    if (body === null) continue;
    const of = `${sender} ${toBase64Url(body.instance)}`;
    const before = counters.get(of);
    demand(
      before === undefined || body.n === before + 1,
      `${sender}: ${String(body.n)} after ${String(before)}`,
    );
    counters.set(of, body.n);
    lines.push({ id: messageIdOf(sender, body.mid), position, epoch: body.epoch });
  }
  return { opened, lines };
}

/** Keys: one for all, ended ones forgotten (G8), none for who has gone (G10). */
function keysOf(room: Room, told: Told, members: readonly Person[]): void {
  const known = new Map<number, RoomKey>();
  const held = room.here.filter(({ id }) => id !== null && told.identities.has(id));
  for (const { name, keys, id } of held) {
    for (const [epoch, key] of keys) {
      const same = known.get(epoch);
      demand(
        same === undefined || equalSecrets(same, key),
        `${name} has another key of epoch ${String(epoch)}`,
      );
      known.set(epoch, key);
      const last = id === null ? undefined : told.gone.get(id);
      demand(
        last === undefined || epoch <= last,
        `${name} is gone, and has the key of epoch ${String(epoch)}`,
      );
    }
  }
  for (const { name, core } of members) {
    const epochs = core?.keys.map(({ epoch }) => epoch) ?? [];
    demand(epochs.includes(told.epoch), `${name} lacks the key of epoch ${String(told.epoch)}`);
    const old = epochs.filter((epoch) => epoch < told.epoch - 1);
    demand(old.length === 0, `${name} keeps the key of epoch ${old.join(', ')} in ${String(told.epoch)}`);
  }
}

/** Every law; throws at the first that is broken. Returns what the log says, and how much was opened. */
export async function hold(
  room: Room,
): Promise<Told & { readonly opened: number; readonly lines: readonly Line[] }> {
  demand(room.relay.failures.length === 0, `in the relay: ${room.relay.failures.map(String).join(', ')}`);
  const log = room.relay.log();
  const told = await follow(log, { dead: room.dead, lossy: room.relay.lossy });
  const members = room.here.filter((person) => person.fate(room.roomId) === 'member');
  const ids = members.map(({ id }) => id ?? '').sort();
  if (told.closed === null) {
    demand(
      JSON.stringify(ids) === JSON.stringify([...told.members].sort()),
      `members by the log: ${[...told.members].join(', ')}; by themselves: ${ids.join(', ')}`,
    );
  } else demand(ids.length === 0, 'members of a closed room');
  for (const { name, core, member } of members) {
    demand(core?.epoch === told.epoch, `${name} is in epoch ${String(core?.epoch)} of ${String(told.epoch)}`);
    const owner = member.room?.members.find((one) => one.owner)?.memberId;
    demand(owner === told.owner, `${name} takes ${String(owner)} for the owner`);
  }
  keysOf(room, told, members);
  const { opened, lines } = sealed(room, log, told);
  expectSound({
    histories: await Promise.all(
      room.here.filter(({ id }) => id !== null).map((one) => historyOf(room, told, lines, one)),
    ),
    sent: [...room.sent.values()],
    displaced: room.losses.displaced,
  });
  return { ...told, opened, lines };
}
