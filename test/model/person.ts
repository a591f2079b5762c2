/** Somebody in a model's room: a real client, and a look into its vault. */
import { decodeRoster } from '@0fc/crypto/verify';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { comparePositions, type MemberId } from '@0fc/protocol';
import { type RoomKey } from '@0fc/crypto/keys';
import { FileStorage } from '../../libs/client/src/node/storage.js';
import { loadCore } from '../../libs/client/src/room/state/load.js';
import type { RoomCore } from '../../libs/client/src/vault/records.js';
import { Vault } from '../../libs/client/src/vault/vault.js';
import { Member } from '../support/member.js';
import { stageOf } from '../hostile/stage.js';
import type { Fate } from './model.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

export class Person {
  readonly member: Member;
  readonly #storage: FileStorage;
  readonly #vault: Vault;
  online = true;
  /** every key of the room that this one was ever seen to hold, by epoch */
  readonly keys = new Map<number, RoomKey>();
  core: RoomCore | null = null;
  #before: RoomCore | null = null;
  #length = 0;

  private constructor(member: Member, storage: FileStorage, vault: Vault) {
    this.member = member;
    this.#storage = storage;
    this.#vault = vault;
  }

  static async create(name: string, url: string): Promise<Person> {
    const member = await Member.create(name, url);
    const storage = FileStorage.open(member.folder);
    return new Person(member, storage, await Vault.unlock({ storage, crypto }, member.passphrase));
  }

  get name(): string {
    return this.member.name;
  }

  get id(): MemberId | null {
    return this.core?.me ?? null;
  }

  /** Where this one stands by what its own client shows. */
  fate(roomId: string): Fate {
    const stage = stageOf(this.member, roomId);
    if (stage === 'member' || stage === 'left' || stage === 'removed' || stage === 'closed') return stage;
    const join = this.member.app?.joins.find((view) => view.roomId === roomId);
    if (join === undefined) return 'out';
    return join.failure === null ? 'waiting' : 'failed';
  }

  /** Reads the vault. What never goes back has not: words for what has. */
  async look(roomId: string): Promise<readonly string[]> {
    const found = await loadCore(this.#vault, roomId);
    if (found === null) return [];
    const { core } = found;
    const before = this.#before;
    this.core = core;
    this.#before = core;
    for (const { epoch, key } of core.keys) if (key !== null) this.keys.set(epoch, key);
    const { length } = decodeRoster(found.roster);
    const known = this.#length;
    this.#length = length;
    if (before === null) return [];
    const back: readonly (readonly [string, boolean])[] = [
      [`epoch ${before.epoch} to ${core.epoch}`, core.epoch < before.epoch],
      [`roster of ${known} entries to ${length}`, length < known],
      [`own counter ${before.nextN} to ${core.nextN}`, core.nextN < before.nextN],
      [`prekey ${before.usedK} to ${core.usedK}`, core.usedK < before.usedK],
      [
        `position ${JSON.stringify(before.position)} to ${JSON.stringify(core.position)}`,
        comparePositions(core.position, before.position) < 0,
      ],
      [`stage ${before.stage} to ${core.stage}`, before.stage !== 'member' && core.stage !== before.stage],
    ];
    return back.flatMap(([what, wrong]) => (wrong ? [`${this.name} went back: ${what}`] : []));
  }

  /** As closing the page does. */
  async leave(): Promise<void> {
    this.online = false;
    await this.member.leave();
  }

  async comeBack(roomId: string): Promise<void> {
    await this.member.comeBack();
    this.online = true;
    await this.watch(roomId);
  }

  /** Looks at the room, if there is one here already. */
  async watch(roomId: string): Promise<void> {
    if (stageOf(this.member, roomId) === undefined || this.member.room?.roomId === roomId) return;
    await this.member.watch(roomId);
  }

  async remove(): Promise<void> {
    await this.#vault.close();
    await this.#storage.close();
    await this.member.remove();
  }
}
