/**
 * The room at rest: everybody is back, nothing is held, and nothing is left to be done. Reached by
 * waiting for just that; a room that never comes to rest is a fault.
 */
import { until } from '../support/wait.js';
import type { Fate, Model } from './model.js';
import type { Person } from './person.js';
import type { Room } from './world.js';

const DEADLINE_MS = 45_000;
/** Looks in a row that must all find nothing to do and nothing moved. */
const LOOKS = 3;

/** Why the room is not at rest; null: it is. */
async function unrest(model: Model, room: Room): Promise<string | null> {
  const [asked] = room.asked.values();
  if (asked !== undefined) return `no answer to: ${asked}`;
  await room.glance();
  const fates = fatesOf(room);
  for (const [at, fate] of fates.entries()) {
    const may = model.people[at]?.may ?? new Set();
    if (room.people[at] !== null && !may.has(fate))
      return `${room.nameOf(at)} is ${fate}, to be ${[...may].join(' or ')}`;
  }
  const members = room.here.filter((person) => person.fate(room.roomId) === 'member');
  for (const person of members) {
    const asked = await answered(room, person);
    if (asked) return `${person.name} was asked whether a line goes to newcomers too`;
  }
  return busy(room, members) ?? waiting(model, room, members, fates) ?? (await apart(room, members));
}

export const fatesOf = (room: Room): readonly Fate[] =>
  room.people.map((person) => person?.fate(room.roomId) ?? 'out');

/** Everybody says yes to a line that waited over an admission (G18). False: nobody was asked. */
async function answered(room: Room, { member }: Person): Promise<boolean> {
  const held = member.messages.filter(({ state }) => state === 'waiting');
  for (const { id } of held) await member.api.confirmSend(room.roomId, id);
  return held.length > 0;
}

/** Somebody has something to do yet. */
function busy(room: Room, members: readonly Person[]): string | null {
  for (const { name, member } of members) {
    const view = member.room;
    if (view === null) return `${name} sees no room`;
    if (view.stopped !== null) return `${name} has stopped: ${view.stopped.code}`;
    if (view.connection !== 'connected' || view.catchingUp) return `${name} is not there`;
    if (view.paused !== null) return `${name} pauses: ${view.paused}`;
    if (view.key === null || view.key.rotating) return `${name} has no key, or makes one`;
    if (view.closing || view.leaving) return `${name} is closing or leaving`;
    if (view.key.messages >= view.key.rotateEvery) return 'a rotation is due';
    if (member.messages.some(({ state }) => state === 'sending')) return `${name} is sending`;
    const odd = view.members.find((one) => one.leaving || one.removing || one.name === '');
    if (odd !== undefined) return `${name} sees ${odd.name || odd.memberId} on its way`;
    if (member.room?.roomId !== room.roomId) return `${name} looks at another room`;
  }
  return null;
}

/** A hand-over, or a join, that is on its way. */
function waiting(
  model: Model,
  room: Room,
  members: readonly Person[],
  fates: readonly Fate[],
): string | null {
  if (members.length === 0) return null;
  const owners = members.filter(({ member }) => member.room?.owner);
  const [owner] = owners;
  if (owner === undefined || owners.length > 1) return `${String(owners.length)} owners`;
  const view = owner.member.room;
  const { ownershipTransfer } = view ?? { ownershipTransfer: null };
  if (ownershipTransfer?.accepted === true) return 'an acceptance is being carried out';
  const taker = members.find(({ id }) => id === ownershipTransfer?.memberId)?.member.room?.ownershipTransfer;
  if (ownershipTransfer !== null && taker?.accepted === true) return 'an acceptance is on its way';
  const joins = fates.filter((fate) => fate === 'waiting').length;
  const asked = view?.approvals.length ?? 0;
  if (joins !== asked) return `${String(joins)} wait to be admitted, the owner is asked for ${String(asked)}`;
  const open = view?.invites.filter(({ state }) => state === 'replied' || state === 'confirmed') ?? [];
  return open.length > 0 ? 'a join is being answered' : null;
}

/** They are at different places. */
async function apart(room: Room, members: readonly Person[]): Promise<string | null> {
  const places = new Set<string>();
  for (const person of members) {
    await person.look(room.roomId);
    const { position, epoch, pending, tasks } = person.core ?? {};
    if (pending !== null || (tasks?.removals.length ?? 0) > 0)
      return `${person.name} has a command in flight`;
    const roster = person.member.room?.members.map(({ memberId }) => memberId).sort() ?? [];
    places.add(JSON.stringify([position, epoch, person.member.room?.key?.epoch, roster]));
  }
  return places.size > 1 ? `different places: ${[...places].join(' ')}` : null;
}

/** Brings everybody back and lets everything go. */
export async function gather(model: Model, room: Room): Promise<void> {
  await room.relay.frames.calm();
  for (const [at, persona] of model.people.entries()) {
    if (persona.online) continue;
    await room.person(at).comeBack(room.roomId);
    persona.online = true;
  }
}

/** Resolves at rest; rejects with why it is not. */
export async function untilRest(model: Model, room: Room): Promise<void> {
  let why: string | null = 'not looked at yet';
  let quiet = 0;
  let passed = -1;
  await until(
    () => `rest; ${why ?? 'traffic'}`,
    async () => {
      for (const person of room.here) await person.watch(room.roomId);
      why = await unrest(model, room);
      quiet = why === null && passed === room.relay.passed ? quiet + 1 : 0;
      ({ passed } = room.relay);
      return quiet >= LOOKS;
    },
    DEADLINE_MS,
  );
}
