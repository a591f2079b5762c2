/** To rest, and there every law, and the model brought up to what has come about. */
import { hold } from './laws.js';
import type { Model } from './model.js';
import { fatesOf, gather, untilRest } from './rest.js';
import type { Room } from './world.js';

export async function settle(model: Model, room: Room): Promise<Awaited<ReturnType<typeof hold>>> {
  await gather(model, room);
  await untilRest(model, room);
  const told = await hold(room);
  const fates = fatesOf(room);
  const at = room.people.findIndex((person) => person?.id === told.owner);
  if (told.closed === null && !model.owners(told.epoch).has(at)) {
    const allowed = [...model.owners(told.epoch)].map((one) => room.nameOf(one)).join(' or ');
    throw new Error(`the room is ${room.nameOf(at)}'s, to be ${allowed}'s`);
  }
  const taker = told.closed !== null ? undefined : room.person(at).member.room?.ownershipTransfer?.memberId;
  const to = room.people.findIndex((person) => taker !== undefined && person?.id === taker);
  for (const [who, fate] of fates.entries()) {
    if (fate === 'failed') await room.person(who).member.api.abandonJoin(room.roomId);
  }
  model.rest(told.closed !== null ? model.owner : at, fates, to < 0 ? null : to);
  const granted = room.here.some(({ member }) =>
    member.items.some((item) => item.type === 'system' && item.event === 'keyGranted'),
  );
  if (granted) room.count('granted');
  room.count('settle');
  room.note('settle', `in epoch ${String(told.epoch)}, ${String(told.opened)} messages opened`);
  return told;
}
