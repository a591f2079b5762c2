/**
 * What a long log in the vault does to single acts of a member, the owner of a room of 8: opening the vault, a line of
 * somebody else, an own one, a rotation, the deletion of a line. Each alone, with a real relay, from the act on until the
 * member's own client has stored and shown the end of it.
 */
import { Member, value } from '../../support/member.js';
import { openOver } from '../../support/platform.js';
import type { RelayProcess } from '../../support/relay-process.js';
import { isSent } from '../../support/sent.js';
import { vaultSize, type VaultSize } from '../../support/vault-size.js';
import { fill } from './filled.js';
import { Meter, moment, type Written } from './meter.js';
import { Writer } from './writer.js';

/** The owner, who is measured; one that writes; and others, to whom keys are wrapped too. */
const NAMES = ['Amina', 'Ben', 'Cleo', 'Dora', 'Emil', 'Fay', 'Gus', 'Hana'] as const;
/** Further apart than anything here counts: the key changes only where that is measured. */
const ROTATE_EVERY = 1_000_000;
/** How often each act is measured; the median counts. */
const ROUNDS = 9;

/** One act, once. */
export interface Act {
  /** milliseconds of the clock */
  readonly ms: number;
  /** milliseconds of this process's CPU */
  readonly cpu: number;
  readonly written: Written;
}

export interface Acts {
  /** lines of the log */
  readonly size: number;
  readonly vault: VaultSize;
  /** from the passphrase to the list of rooms, where a guess of the passphrase costs one hash */
  readonly unlocked: readonly Act[];
  /** from the append of its sender, whose work is in the CPU time */
  readonly received: readonly Act[];
  /** until the log holds it, as in the next two */
  readonly sent: readonly Act[];
  readonly deleted: readonly Act[];
  readonly rotated: readonly Act[];
}

export async function measureActs(relay: RelayProcess, size: number): Promise<Acts> {
  console.log(`${size.toLocaleString('en')} lines are put into a vault, and single acts measured …`);
  const members: Member[] = [];
  try {
    for (const name of NAMES) members.push(await Member.create(name, relay.url));
    const [owner, guest] = members as [Member, Member];
    const roomId = await owner.createRoom('A long conversation', ROTATE_EVERY);
    for (const member of members.slice(1)) {
      value(await member.api.join((await owner.invite(roomId)).link, member.name));
      await member.admitted(roomId);
    }
    for (const member of members) await member.leave();
    await fill(owner, roomId, size);
    return await new Actor(owner, roomId, await Writer.as(guest, roomId)).measure(size);
  } finally {
    for (const member of members) await member.remove();
  }
}

class Actor {
  readonly #member: Member;
  readonly #roomId: string;
  readonly #writer: Writer;
  #meter = new Meter();
  #told: () => void = () => undefined;

  constructor(member: Member, roomId: string, writer: Writer) {
    this.#member = member;
    this.#roomId = roomId;
    this.#writer = writer;
    member.open = (options) => openOver(this.#meter.over)(options);
    member.alsoTold = () => this.#told();
  }

  async measure(size: number): Promise<Acts> {
    const vault = vaultSize(this.#member);
    const unlocked = await this.#rounds(async () => {
      this.#meter = new Meter();
      // What went before leaves nothing that is collected meanwhile.
      globalThis.gc?.();
      await this.#member.start();
      const act = await this.#act(async () => {
        value(await this.#member.api.unlock(this.#member.passphrase));
      });
      await this.#member.leave();
      return act;
    });
    await this.#member.comeBack(this.#roomId);
    await this.#member.live();
    const shown = this.#member.texts.at(-1);
    if (shown?.startsWith(`Line ${String(size)}:`) !== true)
      throw new Error(`not the last line: ${String(shown)}`);
    const acts = {
      received: await this.#rounds(() => this.#receive()),
      sent: await this.#rounds((round) => this.#act(() => this.#send(round))),
      deleted: await this.#rounds((round) => this.#delete(round)),
      // Last: who writes has no later key.
      rotated: await this.#rounds(() =>
        this.#act(async () => {
          value(await this.#member.api.rotateNow(this.#roomId));
        }),
      ),
    };
    const { alarms } = this.#member;
    if (alarms.length > 0) throw new Error(`alarms in an honest room: ${alarms.join(', ')}`);
    return { size, vault, unlocked, ...acts };
  }

  #receive(): Promise<Act> {
    return this.#act(async (begins) => {
      const text = await this.#writer.write(1, begins);
      await this.#until(() => this.#member.texts.includes(text));
    });
  }

  async #send(round: number): Promise<void> {
    const text = textOf(round);
    await this.#member.say(this.#roomId, text);
    await this.#until(() => this.#member.messages.some((line) => line.text === text && isSent(line)));
  }

  /** The line of that round. */
  async #delete(round: number): Promise<Act> {
    const line = this.#member.messages.find(({ text }) => text === textOf(round));
    if (line === undefined) throw new Error('there is nothing to delete');
    const messages = (): number => this.#member.room?.key?.messages ?? NaN;
    const before = messages();
    return this.#act(async () => {
      value(await this.#member.api.deleteMessage(this.#roomId, line.id));
      // Shown as deleted from the first write on; it is a message of its own in the log.
      await this.#until(() => messages() > before);
    });
  }

  async #rounds(run: (round: number) => Promise<Act>): Promise<readonly Act[]> {
    const acts: Act[] = [];
    while (acts.length < ROUNDS) acts.push(await run(acts.length));
    return acts;
  }

  /** `begins`: tells that what went before was no part of it. */
  async #act(work: (begins: () => void) => Promise<void>): Promise<Act> {
    let [began, before] = [moment(), this.#meter.written];
    await work(() => ([began, before] = [moment(), this.#meter.written]));
    const ended = moment();
    return {
      ms: ended.clock - began.clock,
      cpu: ended.cpu - began.cpu,
      written: Meter.difference(this.#meter.written, before),
    };
  }

  /** Looks whenever the client tells something, and not in between: what is measured are milliseconds. */
  #until(answers: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#told = () => {
        if (answers()) resolve();
      };
      this.#told();
    });
  }
}

const textOf = (round: number): string => `Answer ${String(round)}: then we wait for you, there is tea left`;
