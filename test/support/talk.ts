/** A room's members talking, and what they have sent, for the checker. */
import { expectSound, type History, type Sent } from './checker.js';
import type { MemberProcess } from './member-process.js';

export class Talk {
  readonly #sent = new Map<string, Sent>();
  #count = 0;

  get sent(): readonly Sent[] {
    return [...this.#sent.values()];
  }

  /** Somebody says something of its own; resolves to the text once it is in that one's outbox. */
  async say(member: MemberProcess): Promise<string> {
    this.#count += 1;
    const text = `${String(this.#count)} by ${member.name}`;
    const id = await member.say(text);
    this.#sent.set(id, { id, sender: member.name, text, acknowledged: false });
    return text;
  }

  /** Everybody shows all of it; from now on each of these must stay. */
  async arrived(texts: readonly string[], everybody: readonly MemberProcess[]): Promise<void> {
    await Promise.all(everybody.map((member) => member.has(...texts)));
    for (const [id, sent] of this.#sent) {
      if (texts.includes(sent.text)) this.#sent.set(id, { ...sent, acknowledged: true });
    }
  }

  /** One from each, and everybody shows all: that all of them can talk. */
  async round(everybody: readonly MemberProcess[]): Promise<void> {
    const texts: string[] = [];
    for (const member of everybody) {
      // Whoever writes before it has read of somebody's admission is asked, and sends to nobody till then: a feed
      // that follows may still owe the last one.
      await member.live();
      await member.sees('everybody', () => everybody.every(({ room }) => member.knows(room?.me)));
      texts.push(await this.say(member));
    }
    await this.arrived(texts, everybody);
  }

  /** Ids of what was sent so far and is shown by none of these now. */
  async lostTo(member: MemberProcess): Promise<ReadonlySet<string>> {
    const { shown } = await member.history();
    const here = new Set(shown.flatMap((line) => (line.type === 'message' ? [line.id] : [])));
    return new Set(this.sent.map(({ id }) => id).filter((id) => !here.has(id)));
  }

  /** The checker's word over all members. */
  async judge(
    everybody: readonly MemberProcess[],
    more: {
      readonly expectedAlarms?: (member: string) => readonly string[];
      readonly displaced?: ReadonlySet<string>;
    } = {},
  ): Promise<void> {
    const histories: History[] = [];
    for (const member of everybody) {
      const history = await member.history();
      histories.push({ ...history, expectedAlarms: more.expectedAlarms?.(member.name) ?? [] });
    }
    expectSound({
      histories,
      sent: this.sent,
      ...(more.displaced === undefined ? {} : { displaced: more.displaced }),
    });
  }
}
