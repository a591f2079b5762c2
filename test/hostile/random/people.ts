/**
 * Honest people in a room of a hostile owner, or beside a hostile joiner: what they say, and what must hold of
 * what their clients show, whatever the others do.
 */
import type { MemberId } from '@0fc/protocol';
import type { TimelineItem } from '@0fc/client/api';
import { value, type Member } from '../../support/member.js';
import type { Stage } from '../stage.js';
import { stageOf } from '../stage.js';

/** Events of the log that only a room's owner brings about. */
const OWNERS: readonly string[] = [
  'settings',
  'removed',
  'closed',
  'rotated',
  'transferred',
  'admitted',
  'unwrapped',
];

export interface Bounds {
  /** items that one client may show beyond what was sent */
  readonly items: number;
  /** codes with which a room may wait for its user */
  readonly waits?: readonly string[];
}

export class People {
  readonly #stage: Stage;
  readonly #all: Member[];
  readonly #ids = new Map<Member, MemberId>();
  readonly #here = new Set<Member>();
  readonly #said = new Map<Member, string[]>();
  /** who has asked to leave */
  readonly #leaving = new Set<Member>();
  /** who has accepted the room, and so may be its owner */
  readonly #accepted = new Set<Member>();
  /** ids of lines that their writers have edited or deleted */
  readonly #changed = new Set<string>();

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#all = [];
  }

  /** From now on, under this id. */
  add(who: Member, id: MemberId): void {
    this.#all.push(who);
    this.#ids.set(who, id);
    this.#here.add(who);
    this.#said.set(who, []);
  }

  /** It owns the room from the beginning. */
  owns(who: Member): void {
    this.#accepted.add(who);
  }

  get here(): readonly Member[] {
    return this.#all.filter((who) => this.#here.has(who));
  }

  get all(): readonly Member[] {
    return this.#all;
  }

  idOf(who: Member): MemberId {
    return this.#ids.get(who) ?? ('' as MemberId);
  }

  async away(who: Member): Promise<void> {
    if (!this.#here.delete(who)) return;
    await who.leave();
  }

  async back(who: Member, roomId: string): Promise<void> {
    if (this.#here.has(who)) return;
    await who.comeBack();
    // Only who has come in has a room to look at.
    if (stageOf(who, roomId) !== undefined && stageOf(who, roomId) !== 'joining') await who.watch(roomId);
    this.#here.add(who);
  }

  /** A line that nobody else says; how that ended. */
  async say(who: Member, roomId: string): Promise<string> {
    const text = this.words(who);
    const outcome = await who.api.sendText(roomId, text);
    return outcome.ok ? text : outcome.error.code;
  }

  /** What nobody else says, and this one is about to say. */
  words(who: Member): string {
    const lines = this.#said.get(who) ?? [];
    const text = `line ${String(lines.length + 1)} of ${who.name}`;
    lines.push(text);
    return text;
  }

  /** A line of its own reads so from now on; null: it is deleted. */
  async changes(who: Member, roomId: string, id: string, text: string | null): Promise<string> {
    this.#changed.add(id);
    const { api } = who;
    const outcome = await (text === null ? api.deleteMessage(roomId, id) : api.editMessage(roomId, id, text));
    return outcome.ok ? 'done' : outcome.error.code;
  }

  /** Lines that ask first, because somebody has been admitted since they were written, go to everybody (G18). */
  async confirm(who: Member, roomId: string): Promise<void> {
    for (const id of who.room?.held ?? []) {
      const outcome = await who.api.confirmSend(roomId, id);
      // Another one may have been confirmed, or sent, meanwhile.
      if (!outcome.ok && outcome.error.code !== 'MESSAGE_UNKNOWN') value(outcome);
    }
  }

  async asksToLeave(who: Member, roomId: string): Promise<string> {
    this.#leaving.add(who);
    const outcome = await who.api.leaveRoom(roomId);
    return outcome.ok ? 'done' : outcome.error.code;
  }

  async accepts(who: Member, roomId: string): Promise<string> {
    this.#accepted.add(who);
    const outcome = await who.api.acceptOwnership(roomId);
    return outcome.ok ? 'done' : outcome.error.code;
  }

  /** Everything that must hold at any moment: throws with the first that does not. */
  look(roomId: string, bounds: Bounds, owned: readonly string[] = []): void {
    for (const who of this.here) {
      const fault = this.#faultOf(who, roomId, bounds, owned);
      if (fault !== null) throw new Error(`${who.name}: ${fault}\n${shown(who)}`);
    }
  }

  #faultOf(who: Member, roomId: string, bounds: Bounds, owned: readonly string[]): string | null {
    const stopped =
      who.room?.stopped ?? who.app?.rooms.find((room) => room.roomId === roomId)?.stopped ?? null;
    if (stopped !== null && !stopped.resumes && bounds.waits?.includes(stopped.code) !== true)
      return `halted for good: ${stopped.code}`;
    if ((who.app?.damaged.length ?? 0) > 0) return 'a room that is called damaged';
    const others = who.items.filter(({ type }) => type !== 'message').length;
    if (others > bounds.items) return `${String(others)} lines that nobody wrote`;
    for (const item of who.items) {
      const fault = this.#falseIn(item, owned);
      if (fault !== null) return fault;
    }
    for (const { memberId, name, me } of who.room?.members ?? []) {
      const meant = this.#all.find((one) => this.idOf(one) === memberId);
      if (meant !== undefined && name !== '' && name !== meant.name) return `${meant.name} is called ${name}`;
      if (me !== (meant === who)) return `takes ${memberId} for itself or not`;
    }
    return null;
  }

  /** What an item says of somebody honest that is not so; null: nothing. */
  #falseIn(item: TimelineItem, owned: readonly string[]): string | null {
    if (item.type === 'message') {
      const writer = this.#all.find((one) => this.idOf(one) === item.sender);
      if (writer === undefined) return null;
      const lines = this.#said.get(writer) ?? [];
      if (item.deleted && this.#changed.has(item.id)) return null;
      if (!lines.includes(item.text)) return `${writer.name} never wrote “${item.text}”`;
      // A profile that the owner's hand spoiled is no name at all, never another's.
      const edited = item.edited && !this.#changed.has(item.id);
      if (edited || item.deleted || (item.senderName !== '' && item.senderName !== writer.name))
        return `“${item.text}” is edited, deleted or of another name: ${item.senderName}`;
      const names = item.reactions.flatMap((reaction) => reaction.names);
      return this.#all.some(({ name }) => names.includes(name)) ? 'a reaction that nobody made' : null;
    }
    if (item.type !== 'system') return null;
    const { actor = '', member = '' } = item.params;
    const acting = this.#all.find(({ name }) => name === actor);
    const concerned = this.#all.find(({ name }) => name === member);
    if (OWNERS.includes(item.event) && acting !== undefined && !this.#accepted.has(acting))
      return `${item.event} by ${acting.name}, who never owned the room`;
    if (item.event === 'leaving' || item.event === 'left') {
      // Who leaves does so alone, whoever signs that it is done.
      if (actor !== '') return `${item.event} of ${member} by ${actor}`;
      if (concerned !== undefined && !this.#leaving.has(concerned))
        return `${item.event} of ${concerned.name}, who never asked`;
    }
    if (item.event === 'removed' && concerned !== undefined && !owned.includes(this.idOf(concerned)))
      return `${concerned.name} is called removed`;
    return null;
  }

  /** After a restart everybody has the lines that were there before, in their order. */
  async reopened(roomId: string): Promise<void> {
    for (const who of this.here) {
      const lines = who.texts;
      await this.away(who);
      await this.back(who, roomId);
      if (who.room?.roomId !== roomId) continue;
      await this.#stage.byItself(`${who.name} to have its lines again`, [who], () =>
        lines.every((line, at) => who.texts[at] === line),
      );
    }
  }

  /** Whoever it is, wherever it stands, even where the relay calls the room gone: it gets away from the room, and keeps nothing of it. */
  async forget(who: Member, roomId: string): Promise<void> {
    const stage = stageOf(who, roomId);
    const joining = who.app?.joins.some((join) => join.roomId === roomId) === true;
    if (joining) value(await who.api.abandonJoin(roomId));
    else if (stage === 'member' && who.room?.stopped?.code !== 'ROOM_UNKNOWN') {
      if (who.room?.owner === true) value(await who.api.closeRoom(roomId));
      else await this.asksToLeave(who, roomId);
      await this.#stage.byItself(`${who.name} to be out`, [who], () => stageOf(who, roomId) !== 'member');
    }
    if (stageOf(who, roomId) !== undefined) value(await who.api.forgetRoom(roomId));
    await this.#stage.byItself(
      `nothing of the room with ${who.name}`,
      [who],
      () =>
        stageOf(who, roomId) === undefined && who.app?.joins.every((join) => join.roomId !== roomId) === true,
    );
  }

  /** A vault from which the room was deleted opens again, and does not have it. */
  async reopensEmpty(who: Member): Promise<void> {
    await this.away(who);
    await who.comeBack();
    this.#here.add(who);
    if ((who.app?.rooms.length ?? 0) > 0) throw new Error(`${who.name} has the room again`);
  }
}

/** What a client shows, shortened, for the text of a failure. */
function shown(who: Member): string {
  const { room } = who;
  const last = who.items.slice(-12).map((item) => {
    if (item.type === 'message') return `“${item.text.slice(0, 40)}”`;
    return item.type === 'alarm' ? item.code : `${item.event} ${JSON.stringify(item.params)}`;
  });
  const state = `${room?.stage ?? 'nowhere'} ${room?.connection ?? ''} ${room?.stopped?.code ?? ''} ${room?.paused ?? ''}`;
  return `${who.name} is ${state}, ${String(room?.members.length)} members; ${last.join(' | ')}`;
}
