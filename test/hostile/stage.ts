/** A lying relay, and members of its rooms: real clients, told apart by their names. */
import { Member, value } from '../support/member.js';
import { isSent } from '../support/sent.js';
import type { OpenClient } from '../support/platform.js';
import { until } from '../support/wait.js';
import type { MemberId } from '@0fc/protocol';
import { Peer } from '../integration/relay-peer.js';
import { Stolen } from './members/stolen.js';
import { LyingRelay } from './relay/lying-relay.js';

export const idOf = (who: Member): MemberId => (who.room?.me ?? '') as MemberId;
export const epochOf = (who: Member): number => who.room?.key?.epoch ?? 0;
export const stageOf = (who: Member, roomId: string): string | undefined =>
  who.app?.rooms.find((room) => room.roomId === roomId)?.stage;
export const failureOf = (who: Member): string | undefined => who.app?.joins.at(-1)?.failure?.code;
export const namesIn = (who: Member): readonly string[] => (who.room?.members ?? []).map(({ name }) => name);

/** Why a room does not go on, as its page shows it; undefined where it does. */
export const troubleOf = (who: Member): string | undefined =>
  who.room?.stopped?.code ?? who.room?.waiting ?? undefined;

/** How long, in milliseconds, what must come about by itself may take: it only ends a broken run. */
const BY_ITSELF_MS = 60_000;

export interface Company {
  readonly owner: Member;
  readonly tomas: Member;
  readonly ines: Member;
  readonly roomId: string;
}

export class Stage {
  readonly relay: LyingRelay;
  readonly #members: Member[] = [];

  readonly #open: OpenClient | undefined;

  private constructor(relay: LyingRelay, open: OpenClient | undefined) {
    this.relay = relay;
    this.#open = open;
  }

  /** `open`: how the clients of its members are opened, see openOver. */
  static async open(open?: OpenClient): Promise<Stage> {
    return new Stage(await LyingRelay.start(), open);
  }

  async close(): Promise<void> {
    await this.dismiss();
    await this.relay.stop();
  }

  /** After a test: no lie, no fork, nobody left. */
  async dismiss(): Promise<void> {
    this.relay.honest();
    await Promise.all(this.#members.splice(0).map((member) => member.remove()));
    await this.relay.reunite();
    this.relay.forget();
  }

  async member(name: string, url = this.relay.url, open = this.#open): Promise<Member> {
    const made = await Member.create(name, url, open);
    this.#members.push(made);
    return made;
  }

  /** Somebody else's, to be removed at the end. */
  keep(member: Member): Member {
    this.#members.push(member);
    return member;
  }

  async joined(owner: Member, roomId: string, name: string): Promise<Member> {
    const guest = await this.member(name);
    const { link, inviteId } = await owner.invite(roomId);
    // An invite that is made while the link is down is registered later, and unknown until then.
    await until('the relay to know the invite', () =>
      this.relay.requests('invite').some(({ body }) => body.inviteId === inviteId),
    );
    value(await guest.api.join(link, name));
    await guest.admitted(roomId);
    return guest;
  }

  async two(rotateEvery = 100): Promise<Omit<Company, 'ines'>> {
    const owner = await this.member('Amina');
    const roomId = await owner.createRoom('Rive droite', rotateEvery);
    const tomas = await this.joined(owner, roomId, 'Tomás');
    await this.settled([owner, tomas], 2);
    return { owner, tomas, roomId };
  }

  async three(rotateEvery = 100): Promise<Company> {
    const { owner, tomas, roomId } = await this.two(rotateEvery);
    const ines = await this.joined(owner, roomId, 'Inès');
    await this.settled([owner, tomas, ines], 3);
    return { owner, tomas, ines, roomId };
  }

  /** A member's client is left, and its keys are used by hand, live at the end of the log. */
  async byHand(member: Member, roomId: string): Promise<{ peer: Peer; stolen: Stolen }> {
    await member.leave();
    const stolen = await Stolen.from(member, roomId);
    const peer = await Peer.connect(this.relay, stolen.identity);
    const { core, roster } = stolen;
    const at = { after: core.position, head: roster.head, epoch: core.epoch };
    await peer.request('open', { roomId: core.roomId, ...at });
    return { peer, stolen };
  }

  /** The bare end of a link under these keys, bound to no room yet. */
  peer(identity: Peer['identity']): Promise<Peer> {
    return Peer.connect(this.relay, identity);
  }

  /** All see each other, by name, and have nothing left to read. */
  async settled(all: readonly Member[], members: number): Promise<void> {
    await until('all to see each other', () =>
      all.every(
        (who) => who.room?.members.length === members && who.room.members.every(({ name }) => name !== ''),
      ),
    );
    // A name is known from the join already; what its member says of itself comes after it.
    await until('everybody to have spoken', async () => {
      const rows = value(await all[0]!.api.relaySees(all[0]?.room?.roomId ?? '', 100));
      const heard = new Set(rows.flatMap(({ kind, sender }) => (kind === 'message' ? [sender] : [])));
      return all.every((who) => heard.has(idOf(who)));
    });
    await this.level(all);
  }

  /** Waits until all have read the log to the same position and no line of theirs is unsent. */
  async level(all: readonly Member[]): Promise<void> {
    const [first] = all;
    const roomId = first?.room?.roomId ?? '';
    await until('all to be at one position', async () => {
      const ends = await Promise.all(
        all.map(async (who) => {
          const last = value(await who.api.relaySees(roomId, 1)).at(-1)?.position;
          return `${String(last?.g)}/${String(last?.s)}`;
        }),
      );
      return new Set(ends).size === 1 && all.every((who) => who.messages.every(isSent));
    });
  }

  /** What must come about with nobody's help; says how far everybody is where it does not. */
  async byItself(what: string, all: readonly Member[], probe: () => unknown): Promise<void> {
    const shown = (): string => all.map((who) => stateOf(who)).join('; ');
    await until(
      () => `${what}: ${shown()}`,
      () => Boolean(probe()),
      BY_ITSELF_MS,
    );
  }

  /** These lines reach all of them. */
  async arrives(all: readonly Member[], ...texts: readonly string[]): Promise<void> {
    await this.byItself(`${texts.join(', ')} to arrive`, all, () =>
      all.every((who) => texts.every((text) => who.texts.includes(text))),
    );
  }

  /** The room is live for all of them: each says something, and everybody has it. */
  async goesOn(roomId: string, all: readonly Member[], word: string): Promise<void> {
    for (const who of all) {
      const text = `${word} ${who.name}`;
      await who.say(roomId, text);
      await this.arrives(all, text);
    }
    await this.byItself('all to be live', all, () =>
      all.every(({ room }) => room?.connection === 'connected' && !room.catchingUp && room.stopped === null),
    );
  }

  /** Waits for an alarm, and says which are there if it does not come. */
  async alarm(who: Member, code: string): Promise<void> {
    await until(
      () =>
        `${who.name} to show ${code}; it shows ${who.alarms.join(', ') || 'no alarm'}, ${who.texts.join(' | ')}`,
      () => who.alarms.includes(code),
      20_000,
    );
  }
}

/** The refusal of a command; 'done' when it was carried out. */
export const codeOf = (outcome: {
  readonly ok: boolean;
  readonly error?: { readonly code: string };
}): string => outcome.error?.code ?? 'done';

const stateOf = (who: Member): string => {
  const { room } = who;
  const last = who.items
    .slice(-6)
    .map((item) => (item.type === 'message' ? item.text.slice(0, 60) : item.type));
  const lines = `${String(who.items.length)} items, the last ${last.join(' | ')}`;
  return `${who.name} is ${room?.connection ?? 'nowhere'} (${room?.stopped?.code ?? 'not stopped'}), ${lines}`;
};
