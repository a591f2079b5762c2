/** What people may do, and what may befall their connections: when, and how the model sees it. */
import { missedOf } from './histories.js';
import type { Model } from './model.js';
import { settle } from './settle.js';
import type { Room } from './world.js';

export interface Sort {
  /** how often it is chosen, relative to others */
  readonly weight: number;
  /** whom it can be done by or to; nobody: not now */
  readonly who: (model: Model) => readonly number[];
  /** Begins it; false: there was nothing that it could be done to. */
  readonly run: (model: Model, room: Room, at: number, pick: number) => Promise<boolean> | boolean;
}

/** The room had changed hands, or was closed, before the owner's word was heard. */
const NOT_OWNER = ['NOT_OWNER', 'FORBIDDEN', 'ROOM_CLOSED', 'ROOM_UNKNOWN', 'NOT_MEMBER'] as const;
const NOT_MEMBER = ['NOT_MEMBER', 'ROOM_CLOSED', 'ROOM_UNKNOWN'] as const;
const HOUR_MS = 3_600_000;

const online =
  (who: (model: Model) => readonly number[]) =>
  (model: Model): readonly number[] =>
    model.closing ? [] : who(model).filter((at) => model.people[at]?.online === true);
/** Done by the owner to one of these. */
const owners =
  (who: (model: Model) => readonly number[]) =>
  (model: Model): readonly number[] =>
    model.ownerOnline ? who(model) : [];

const any = (): readonly number[] => [0];

export const SORTS = {
  invite: {
    weight: 5,
    who: owners((model) => model.who(({ place }) => place === 'out')),
    run(model, room, at) {
      model.invite(at);
      const by = room.person(room.ownerNow(model));
      const link = Promise.withResolvers<Awaited<ReturnType<typeof by.member.invite>> | null>();
      room.links.set(at, link.promise);
      return room.ask(
        `invite for ${room.nameOf(at)}`,
        NOT_OWNER,
        () => by.member.api.createInvite(room.roomId, HOUR_MS),
        (_, invite) => {
          if (invite === null) model.uninvited(at);
          link.resolve(invite);
        },
      );
    },
  },
  join: {
    weight: 8,
    who: (model) => (model.closing ? [] : model.who(({ place, online }) => place === 'invited' && online)),
    async run(model, room, at) {
      model.join(at);
      const link = room.links.get(at) ?? Promise.resolve(null);
      const person = await room.arrive(at);
      return room.ask<unknown>(
        `join of ${person.name}`,
        // Whoever has no pin yet asks the relay for its key, which may be down.
        ['RELAY_UNREACHABLE'],
        async () => {
          const invite = await link;
          if (invite === null) return { ok: true, value: undefined };
          return person.member.api.join(invite.link, person.name);
        },
        (result) => {
          if (result !== 'done') model.unjoined(at);
        },
      );
    },
  },
  admit: {
    weight: 4,
    who: owners((model) => (model.approval ? model.who(({ place }) => place === 'joining') : [])),
    run: (model, room, at) => decide(model, room, at, true),
  },
  decline: {
    weight: 3,
    who: owners((model) => (model.approval ? model.who(({ place }) => place === 'joining') : [])),
    run: (model, room, at) => decide(model, room, at, false),
  },
  revoke: {
    weight: 4,
    who: owners((model) => model.who(({ place }) => place === 'invited' || place === 'joining')),
    async run(model, room, at) {
      model.revoke(at);
      const by = room.person(room.ownerNow(model));
      const known = by.member.room?.invites ?? [];
      const invite =
        known.find(({ claimedBy }) => claimedBy === room.nameOf(at)) ?? (await linkNow(room, at));
      if (invite === null) return false;
      return room.ask(
        `revoke of ${room.nameOf(at)}`,
        ['INVITE_UNKNOWN', ...NOT_OWNER],
        () => by.member.api.revokeInvite(room.roomId, invite.inviteId),
        (result) => {
          if (result !== 'done') return;
          room.dead.add(invite.inviteId);
          model.revoked(at);
        },
      );
    },
  },
  say: {
    weight: 12,
    who: online((model) => model.members),
    run(_model, room, at) {
      const { member, name } = room.person(at);
      const text = room.words(at);
      return room.ask(
        `${text} said`,
        NOT_MEMBER,
        () => member.api.sendText(room.roomId, text),
        (_, said) => {
          if (said !== null) room.sent.set(said.id, { id: said.id, sender: name, text, acknowledged: false });
        },
      );
    },
  },
  rotate: {
    weight: 3,
    who: owners((model) => [model.owner]),
    run(model, room) {
      const { member } = room.person(room.ownerNow(model));
      return room.ask('rotation', NOT_OWNER, () => member.api.rotateNow(room.roomId));
    },
  },
  unwrap: {
    weight: 5,
    who: online((model) => model.others),
    run(_model, room, at) {
      const { id } = room.person(at);
      return id !== null && room.relay.wraps.keepNext(id);
    },
  },
  settings: {
    weight: 2,
    who: owners((model) => [model.owner]),
    run(model, room, _at, pick) {
      const { member } = room.person(room.ownerNow(model));
      const settings = { rotateEvery: 3 + (pick % 4), approval: model.approval };
      return room.ask('settings', NOT_OWNER, () => member.api.changeSettings(room.roomId, settings));
    },
  },
  remove: {
    weight: 3,
    who: owners((model) => model.others),
    run(model, room, at) {
      const by = room.person(room.ownerNow(model));
      const { id } = room.person(at);
      if (id === null || by === room.person(at)) return false;
      model.remove(at);
      return room.ask(
        `removal of ${room.nameOf(at)}`,
        // It has asked to leave, and the log says so already.
        ['MEMBER_UNKNOWN', ...NOT_OWNER],
        () => by.member.api.removeMember(room.roomId, id),
        (result) => {
          if (result === 'done') model.removed(at);
        },
      );
    },
  },
  leave: {
    weight: 3,
    who: online((model) => model.others),
    run(model, room, at) {
      const { member } = room.person(at);
      model.leave(at);
      return room.ask(
        `departure of ${room.nameOf(at)}`,
        ['OWNER_MUST_HAND_OVER', ...NOT_MEMBER],
        () => member.api.leaveRoom(room.roomId),
        (result) => {
          if (result === 'done') model.left(at);
        },
      );
    },
  },
  offer: {
    weight: 5,
    who: owners((model) => model.others),
    run(model, room, at) {
      const by = room.person(room.ownerNow(model));
      const { id } = room.person(at);
      if (id === null || by === room.person(at)) return false;
      const offer = model.offerTo(at);
      return room.ask(
        `offer to ${room.nameOf(at)}`,
        ['MEMBER_UNKNOWN', ...NOT_OWNER],
        () => by.member.api.offerOwnership(room.roomId, id),
        (result) => {
          if (result !== 'done') offer.spoiled = true;
        },
      );
    },
  },
  accept: {
    weight: 5,
    who: online(takers),
    run(model, room, at) {
      const { offer } = model;
      if (offer === null) return false;
      model.accept(offer);
      return room.ask(
        `acceptance by ${room.nameOf(at)}`,
        ['NO_OFFER', ...NOT_MEMBER],
        () => room.person(at).member.api.acceptOwnership(room.roomId),
        (result) => {
          const view = room.person(at).member.room;
          if (result === 'done' && view?.ownershipTransfer?.role === 'offered')
            offer.acceptedIn ??= view.key?.epoch ?? null;
        },
      );
    },
  },
  refuse: {
    weight: 3,
    who: online(takers),
    run(model, room, at) {
      if (model.offer !== null) model.offer.spoiled = true;
      return room.ask(`refusal by ${room.nameOf(at)}`, ['NO_OFFER', ...NOT_MEMBER], () =>
        room.person(at).member.api.endOwnershipOffer(room.roomId),
      );
    },
  },
  withdraw: {
    weight: 4,
    who: owners((model) => (model.offer === null ? [] : [model.owner])),
    run(model, room) {
      const { offer } = model;
      if (offer === null) return false;
      const by = room.person(room.ownerNow(model));
      offer.spoiled = true;
      const owned = by.member.room?.owner === true;
      return room.ask(
        'withdrawal',
        ['NO_OFFER', ...NOT_OWNER],
        () => by.member.api.endOwnershipOffer(room.roomId),
        (result) => {
          if (result === 'done' && owned && by === room.person(model.owner)) model.withdrawn(offer);
        },
      );
    },
  },
  close: {
    weight: 0.3,
    who: owners((model) => [model.owner]),
    run(model, room) {
      const { member } = room.person(room.ownerNow(model));
      model.close();
      return room.ask('closing', NOT_OWNER, () => member.api.closeRoom(room.roomId));
    },
  },
  offline: {
    weight: 4,
    who: (model) =>
      model.who(({ online: here, place }) => here && (place === 'member' || place === 'joining')),
    async run(model, room, at) {
      const persona = model.people[at];
      if (persona === undefined) return false;
      persona.online = false;
      await room.person(at).leave();
      return true;
    },
  },
  online: {
    weight: 10,
    who: (model) => model.who(({ online: here }) => !here),
    async run(model, room, at) {
      const persona = model.people[at];
      if (persona === undefined) return false;
      await room.person(at).comeBack(room.roomId);
      persona.online = true;
      return true;
    },
  },
  import: {
    weight: 2,
    who: online((model) => model.members),
    async run(model, room, at) {
      await room.person(at).move(room.roomId);
      model.imported(at);
      return true;
    },
  },
  cut: {
    weight: 3,
    who: any,
    run: (_model, room, _at, pick) => {
      const client = pickOf(room.relay.frames.free, pick);
      if (client === undefined) return false;
      client.cut();
      return true;
    },
  },
  hold: {
    weight: 3,
    who: any,
    run(_model, room, _at, pick) {
      const client = pickOf(room.relay.frames.free, pick);
      if (client === undefined) return false;
      room.relay.frames.hold(client, Math.floor(pick / 7) % 6);
      return true;
    },
  },
  between: {
    weight: 3,
    who: any,
    run(_model, room, _at, pick) {
      const client = pickOf(room.relay.frames.free, pick);
      if (client === undefined) return false;
      room.relay.frames.holdAtDeparture(client);
      return true;
    },
  },
  release: {
    weight: 4,
    who: any,
    async run(_model, room, _at, pick) {
      const { frames } = room.relay;
      const client = pickOf(frames.held, pick);
      if (client === undefined) return false;
      await frames.release(client);
      return true;
    },
  },
  lose: {
    weight: 3,
    who: any,
    run(_model, room, _at, pick) {
      const client = pickOf(room.relay.frames.free, pick);
      if (client === undefined) return false;
      room.relay.frames.breakAt(client, Math.floor(pick / 7) % 8);
      return true;
    },
  },
  restart: {
    weight: 1.5,
    who: any,
    async run(_model, room) {
      await room.relay.restart();
      return true;
    },
  },
  keep: {
    weight: 3,
    who: (model) => (model.closing || model.closed ? [] : any()),
    async run(model, room) {
      await room.relay.keep();
      model.kept = true;
      return true;
    },
  },
  rollback: {
    weight: 1.5,
    who: (model) => (model.kept && !model.closing && !model.closed ? any() : []),
    async run(model, room) {
      // At rest, so that all that was sealed is judged by the log that was there then.
      const { lines, ...told } = await settle(model, room);
      if (told.closed !== null) return false;
      const judged = room.relay.appended().length;
      const { roomId, here, sent } = room;
      const missed = new Map(here.map((person) => [person.name, missedOf(room, lines, person)]));
      const end = await room.relay.goBack(roomId, told.owner);
      room.losses.note(end, { roomId, here, sent, missed, told, lines, judged });
      model.wentBack();
      return true;
    },
  },
} satisfies Readonly<Record<string, Sort>>;

export type SortName = keyof typeof SORTS;

function takers(model: Model): readonly number[] {
  const to = model.offer?.to;
  return to === undefined || to === model.owner || model.people[to]?.place !== 'member' ? [] : [to];
}

const pickOf = <T>(list: readonly T[], pick: number): T | undefined => list[pick % list.length];

/** The link of an invite if it has been made by now. */
async function linkNow(room: Room, at: number): Promise<{ readonly inviteId: string } | null> {
  return Promise.race([room.links.get(at) ?? null, Promise.resolve(null)]);
}

function decide(model: Model, room: Room, at: number, admit: boolean): boolean {
  const by = room.person(room.ownerNow(model));
  const asked = by.member.room?.approvals.find(({ name }) => name === room.nameOf(at));
  if (asked === undefined) return false;
  model.decide(at, admit);
  return room.ask(
    `${admit ? 'admission' : 'refusal'} of ${room.nameOf(at)}`,
    ['INVITE_UNKNOWN', ...NOT_OWNER],
    () => by.member.api.decideJoin(room.roomId, asked.inviteId, admit),
    (result) => {
      if (result === 'done') model.decided(at);
    },
  );
}
