/** The room that is measured: its members, its log that grows, and what one of them writes for each line. */
import type { Browser } from 'playwright-core';
import { Member, value } from '../../support/member.js';
import { createNodeClient, createNodePlatform } from '@0fc/client/node';
import { clientOver } from '../../support/platform.js';
import type { RelayProcess } from '../../support/relay-process.js';
import { ChromiumMember, type OpenedPage } from './chromium.js';
import { Meter, type Written } from './meter.js';
import { openedAlone, type Opened } from './opened.js';
import { Writer } from './writer.js';

/** Its owner, who writes; two that read, on Node and in Chromium; and others, so that its records are no toys. */
const NAMES = ['Amina', 'Ben', 'Cleo', 'Dora', 'Emil', 'Fay', 'Gus', 'Hana'] as const;
/** How often a vault is unlocked; the median counts. */
const ROUNDS = 3;
/** Lines of each kind that writes are counted for. */
const COUNTED = 10;
/** Further apart than anything here counts: the key stays the same, as it does between rotations. */
const ROTATE_EVERY = 1_000_000;

/** A device: what it took to read the lines that were new, and the vault opened again when nothing is. */
export interface Device<T> {
  readonly caughtUp: T;
  readonly opened: readonly T[];
}

export interface CaughtUp {
  readonly size: number;
  /** lines that were caught up */
  readonly lines: number;
  readonly node: Device<Opened>;
  readonly chromium: Device<OpenedPage> | null;
}

export interface Measured extends CaughtUp {
  /** for {@link COUNTED} lines that arrived one by one, were sent one by one, were marked as read one by one */
  readonly received: Written;
  readonly sent: Written;
  readonly markedRead: Written;
  readonly parts: Meter['parts'];
}

export const perLine = (written: Written, lines = COUNTED): Written => ({
  writes: written.writes / lines,
  records: written.records / lines,
  bytes: written.bytes / lines,
  wholeBytes: written.wholeBytes / lines,
  keyBytes: written.keyBytes / lines,
  flushes: written.flushes / lines,
  storageMs: written.storageMs / lines,
});

export class Story {
  readonly #roomId: string;
  readonly #writer: Writer;
  readonly #members: readonly Member[];
  readonly #node: Member;
  readonly #chromium: ChromiumMember | null;
  #sent = 0;

  private constructor(
    roomId: string,
    writer: Writer,
    members: readonly Member[],
    node: Member,
    chromium: ChromiumMember | null,
  ) {
    this.#roomId = roomId;
    this.#writer = writer;
    this.#members = members;
    this.#node = node;
    this.#chromium = chromium;
  }

  /** @param browser null: nothing is measured in one */
  static async begin(relay: RelayProcess, browser: Browser | null): Promise<Story> {
    const members: Member[] = [];
    // Other processes and the browser open these vaults: none is sealed as quickly as most tests do it.
    for (const name of NAMES) members.push(await Member.create(name, relay.url, createNodeClient));
    const [owner, node, other] = members as [Member, Member, Member];
    const roomId = await owner.createRoom('A long conversation', ROTATE_EVERY);
    for (const guest of members.slice(1)) {
      const { link } = await owner.invite(roomId);
      value(await guest.api.join(link, guest.name));
      await guest.admitted(roomId);
    }
    await Promise.all(members.map((member) => member.leave()));
    const chromium = browser === null ? null : await ChromiumMember.from(browser, other);
    return new Story(roomId, await Writer.as(owner, roomId), members, node, chromium);
  }

  /** Lets the log grow to so many lines, and measures there. */
  async measure(size: number): Promise<Measured> {
    return { ...(await this.catchUp(size - this.#size, ROUNDS)), ...(await this.#countWrites()) };
  }

  /**
   * So many lines more, read by each device, which then opens its vault so many `rounds` again. `profiles`: Chromium's
   * worker is sampled meanwhile.
   */
  async catchUp(lines: number, rounds: number, profiles = false): Promise<CaughtUp> {
    const size = this.#size + lines;
    console.log(`${size.toLocaleString('en')} lines: ${lines.toLocaleString('en')} are written …`);
    const last = await this.#writer.write(lines);
    const { folder, relayUrl, passphrase } = this.#node;
    const vault = { folder, relayUrl, passphrase, roomId: this.#roomId, last };
    const chromium = this.#chromium;
    return {
      size,
      lines,
      node: await onDevice('Node', rounds, () => openedAlone(vault)),
      chromium:
        chromium === null ? null : await onDevice('Chromium', rounds, () => chromium.open(last, profiles)),
    };
  }

  get #size(): number {
    return this.#writer.written + this.#sent;
  }

  async #countWrites(): Promise<Pick<Measured, 'received' | 'sent' | 'markedRead' | 'parts'>> {
    const meter = new Meter();
    const reader = this.#node;
    reader.open = async ({ folder, relayUrl }) =>
      clientOver(meter.over(await createNodePlatform({ folder })), relayUrl);
    await reader.comeBack(this.#roomId);
    await reader.live();
    const counted = (work: () => Promise<void>): Promise<Written> =>
      meter.during(async () => {
        for (let line = 0; line < COUNTED; line++) await work();
      });
    const received = await counted(async () => reader.has(await this.#writer.write(1)));
    value(await reader.api.markRead(this.#roomId, false));
    const both = await counted(async () => {
      await reader.has(await this.#writer.write(1));
      value(await reader.api.markRead(this.#roomId, false));
    });
    const sent = await counted(async () => {
      const text = `Answer ${String(++this.#sent)}: then we wait for you, there is tea left`;
      await reader.say(this.#roomId, text);
      await reader.has(text);
    });
    await reader.leave();
    return { received, sent, markedRead: Meter.difference(both, received), parts: meter.parts };
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.remove()));
  }
}

async function onDevice<T>(name: string, rounds: number, open: () => Promise<T>): Promise<Device<T>> {
  console.log(`  ${name} reads them, and opens its vault ${rounds} times more …`);
  const caughtUp = await open();
  const opened: T[] = [];
  while (opened.length < rounds) opened.push(await open());
  return { caughtUp, opened };
}
