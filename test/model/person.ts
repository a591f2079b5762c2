/** Somebody in a model's room: a real client, and a look into its vault. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeRoster } from '@0fc/crypto/verify';
import { comparePositions, equalBytes, type MemberId } from '@0fc/protocol';
import { type RoomKey } from '@0fc/crypto/keys';
import { exportVault } from '../../libs/client/src/account/vault-export.js';
import { loadCore } from '../../libs/client/src/room/state/load.js';
import type { RoomCore } from '../../libs/client/src/vault/records.js';
import { Member, value } from '../support/member.js';
import { openQuick } from '../support/platform.js';
import { VaultReader } from '../support/vault-of.js';
import { stageOf } from '../hostile/stage.js';
import type { Fate } from './model.js';

const FILE_PASSPHRASE = 'a passphrase of the file’s own';

export class Person {
  #member: Member;
  /** of the vault that its client has open */
  #vault: VaultReader;
  online = true;
  /** every key of the room that this one was ever seen to hold, by epoch */
  readonly keys = new Map<number, RoomKey>();
  core: RoomCore | null = null;
  #before: RoomCore | null = null;
  #length = 0;

  private constructor(member: Member, vault: VaultReader) {
    this.#member = member;
    this.#vault = vault;
  }

  static async create(name: string, url: string): Promise<Person> {
    const member = await Member.create(name, url);
    return new Person(member, VaultReader.of(member));
  }

  /** Its client on the device that it uses now. */
  get member(): Member {
    return this.#member;
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
    const found = await this.#vault.look((vault) => loadCore(vault, roomId));
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
    const sameDevice = equalBytes(core.instance, before.instance);
    const back: readonly (readonly [string, boolean])[] = [
      [`epoch ${before.epoch} to ${core.epoch}`, core.epoch < before.epoch],
      [`roster of ${known} entries to ${length}`, length < known],
      [`own counter ${before.nextN} to ${core.nextN}`, sameDevice && core.nextN < before.nextN],
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

  /** Leaves its device for good and goes on from an export of its vault: with counters of its own, and all else as it was. */
  async move(roomId: string): Promise<void> {
    await this.leave();
    const { name, folder, relayUrl, passphrase } = this.#member;
    const pieces: Uint8Array[] = [];
    // The vault as the client has left it: nothing that it has answered since is missing.
    await this.#vault.look((vault, platform) =>
      exportVault(vault, platform, FILE_PASSPHRASE, (piece) => Promise.resolve(pieces.push(piece) > 0)),
    );
    await this.#closeVault();
    await rm(folder, { recursive: true, force: true });
    const device = Member.over(await mkdtemp(join(tmpdir(), '0fc-member-')), { name, relayUrl, passphrase });
    device.open = openQuick;
    await device.start();
    this.#member = device;
    value(await device.api.importVault(Uint8Array.from(Buffer.concat(pieces)), FILE_PASSPHRASE, passphrase));
    this.#vault = VaultReader.of(device);
    this.online = true;
    await this.watch(roomId);
  }

  async #closeVault(): Promise<void> {
    await this.#vault.close();
  }

  async remove(): Promise<void> {
    await this.#closeVault();
    await this.member.remove();
  }
}
