/**
 * A room's whole life over disks that may fail, through an honest relay: four people, who come, talk, change what
 * was said, hand the room over, are removed and go. Nobody does anything about a full disk but ask again for what
 * was refused.
 */
import { expect } from '@jest/globals';
import type { Outcome } from '@0fc/client/api';
import { shownBy } from '../../fixtures/shown.js';
import { expectSound, type Sent } from '../../support/checker.js';
import { FailingDisk } from '../../support/failing-storage.js';
import { shownOf } from '../../support/member-process.js';
import { value, type Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { epochOf, idOf, namesIn, stageOf, type Stage } from '../stage.js';
import { deviceOver } from './over-disk.js';

const ROTATE_EVERY = 9;

/** What a command is refused with whose write has failed, or whose room stands still because another one has. */
const REFUSED: readonly string[] = ['VAULT_FULL', 'OFFLINE'];

/** Which writes of whom fail: by a person's name, then by the number of the write, from 1 on. */
export type Failures = (name: string) => (write: number) => boolean;

/** Writes that each of them asked for, by name, in the order in which they came. */
export type Writes = ReadonlyMap<string, { readonly asked: number; readonly failed: number }>;

/** Again until it is not refused, as a user does. */
async function asked<T>(what: string, command: () => Promise<Outcome<T>>): Promise<T> {
  const done = await until(what, async () => {
    const outcome = await command();
    if (!outcome.ok && !REFUSED.includes(outcome.error.code))
      throw new Error(`${what}: ${outcome.error.code}`);
    return outcome.ok && outcome;
  });
  return done.value;
}

export class DiskStory {
  readonly #stage: Stage;
  readonly #failures: Failures;
  readonly #disks = new Map<string, FailingDisk>();
  readonly #people: Member[] = [];
  readonly #sent: Sent[] = [];
  #roomId = '';

  private constructor(stage: Stage, failures: Failures) {
    this.#stage = stage;
    this.#failures = failures;
  }

  /** To its end, and what everybody shows then is judged. Rejects in words where that is not sound. */
  static async run(stage: Stage, failures: Failures): Promise<Writes> {
    const story = new DiskStory(stage, failures);
    try {
      await story.#tell();
      const writes = story.#writes();
      await story.#end();
      return writes;
    } finally {
      await Promise.all(story.#people.map((who) => who.remove()));
    }
  }

  async #person(name: string): Promise<Member> {
    const disk = new FailingDisk();
    const member = await deviceOver(disk, name, this.#stage.relay.url);
    value(await member.api.createVault(member.passphrase));
    disk.failWhen(this.#failures(name));
    this.#disks.set(name, disk);
    this.#people.push(member);
    return member;
  }

  get #present(): readonly Member[] {
    return this.#people.filter((who) => stageOf(who, this.#roomId) === 'member');
  }

  async #comes(name: string, owner: Member): Promise<Member> {
    const guest = await this.#person(name);
    const { link } = await asked(`${owner.name} to invite`, () =>
      owner.api.createInvite(this.#roomId, 3_600_000),
    );
    await asked(`${name} to join`, () => guest.api.join(link, name));
    await until(`${name} to be admitted`, () => stageOf(guest, this.#roomId) === 'member');
    await guest.watch(this.#roomId);
    // Whoever writes before it has read of the admission is asked, and sends to nobody till then (G18).
    await this.#until(`${name} to be known`, this.#present, (who) => namesIn(who).includes(name));
    return guest;
  }

  /** One line from each of them, which all of them get. Resolves to its id, of each. */
  async #round(word: string, all: readonly Member[]): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const who of all) {
      const text = `${word}, ${who.name}`;
      const { id } = await asked(`${who.name} to say ${word}`, () => who.api.sendText(this.#roomId, text));
      this.#sent.push({ id, sender: who.name, text, acknowledged: true });
      ids.push(id);
    }
    await this.#until(`${word} to arrive`, all, (who) =>
      all.every(({ name }) => who.texts.includes(`${word}, ${name}`)),
    );
    return ids;
  }

  async #until(what: string, all: readonly Member[], probe: (who: Member) => boolean): Promise<void> {
    await until(
      () =>
        [
          what,
          ...all.map((who) => `${who.name} ${probe(who) ? 'has' : 'has not'}: ${JSON.stringify(who.room)}`),
        ].join('\n'),
      () => all.every(probe),
    );
  }

  async #tell(): Promise<void> {
    const amina = await this.#person('Amina');
    const options = { name: 'Rive droite', displayName: 'Amina', rotateEvery: ROTATE_EVERY, approval: false };
    this.#roomId = (await asked('a room', () => amina.api.createRoom(options))).roomId;
    await amina.watch(this.#roomId);
    await amina.live();
    const roomId = this.#roomId;
    const tomas = await this.#comes('Tomás', amina);
    const [first] = await this.#round('hello', [amina, tomas]);
    const ines = await this.#comes('Inès', amina);
    const three = [amina, tomas, ines];
    const [edited, deleted] = await this.#round('the three of us', three);

    await asked('an answer', () => tomas.api.reply(roomId, first!, 'yes?')).then(({ id }) =>
      this.#sent.push({ id, sender: 'Tomás', text: 'yes?', acknowledged: true }),
    );
    await asked('a reaction', () => ines.api.react(roomId, edited!, '👍', true));
    await asked('an edit', () => amina.api.editMessage(roomId, edited!, 'the four of us, soon'));
    this.#reads(edited!, 'the four of us, soon');
    await asked('a deletion', () => tomas.api.deleteMessage(roomId, deleted!));
    this.#reads(deleted!, '');
    await asked('a fresh key', () => amina.api.rotateNow(roomId));

    const noe = await this.#comes('Noé', amina);
    await this.#round('the four of us', [...three, noe]);
    await asked('a removal', () => amina.api.removeMember(roomId, idOf(noe)));
    await this.#until('the removal', [noe], (who) => stageOf(who, roomId) === 'removed');
    await this.#until(
      'three of them',
      three,
      ({ room }) => room?.members.length === 3 && room.paused === null,
    );
    await this.#round('three again', three);

    await asked('an offer', () => amina.api.offerOwnership(roomId, idOf(tomas)));
    await this.#until('the offer', [tomas], ({ room }) => room?.ownershipTransfer?.role === 'offered');
    await asked('a hand-over', () => tomas.api.acceptOwnership(roomId));
    await this.#until('the hand-over', [tomas], ({ room }) => room?.owner === true);
    await this.#until('the hand-over', [amina], ({ room }) => room?.owner === false);
    await asked('another name', () => tomas.api.renameRoom(roomId, 'Rive gauche'));
    await this.#round('under Tomás', three);

    await amina.leave();
    await asked('to leave', () => ines.api.leaveRoom(roomId));
    await this.#until('its departure', [ines], (who) => stageOf(who, roomId) === 'left');
    await amina.comeBack(roomId);
    await asked('a draft', () => tomas.api.setDraft(roomId, 'half a sentence'));
    const two = [amina, tomas];
    await this.#until('two of them', two, ({ room }) => room?.members.length === 2 && room.paused === null);
    await this.#round('the two of us', two);
  }

  #reads(id: string, text: string): void {
    const at = this.#sent.findIndex((sent) => sent.id === id);
    const { [at]: sent } = this.#sent;
    if (sent !== undefined) this.#sent[at] = { ...sent, text };
  }

  #writes(): Writes {
    return new Map([...this.#disks].map(([name, { writes, failed }]) => [name, { asked: writes, failed }]));
  }

  /** There is room again: everybody has everything, once, and what is shown is what lies in the vault. */
  async #end(): Promise<void> {
    for (const disk of this.#disks.values()) disk.heal();
    const present = this.#present;
    await this.#round('at the end', present);
    await this.#stage.level(present);
    const epochs = new Set(present.map(epochOf));
    const names = new Set(present.map((who) => [...namesIn(who)].sort().join()));
    if (epochs.size > 1 || [...names].join() !== 'Amina,Tomás')
      throw new Error(`epochs ${[...epochs].join()}; names ${[...names].join(' | ')}`);
    expectSound({
      histories: this.#people.map((who) => ({
        member: who.name,
        shown: who.items.flatMap(shownOf),
        alarms: who.alarms,
      })),
      sent: this.#sent,
    });
    for (const who of this.#people) await this.#sameOverRestart(who);
  }

  async #sameOverRestart(who: Member): Promise<void> {
    const before = await shownBy(who);
    await who.leave();
    await who.comeBack();
    expect({ [who.name]: await shownBy(who) }).toEqual({ [who.name]: before });
  }
}
