/** What rotations leave on a member's disk: with a line before each, and with nothing said between them. */
import { fromBase64Url, LIMITS, type Entry } from '@0fc/protocol';
import type { Published } from '../../hostile/members/published.js';
import { Stolen } from '../../hostile/members/stolen.js';
import { Peer } from '../../integration/relay-peer.js';
import { Member, value } from '../../support/member.js';
import type { RelayProcess } from '../../support/relay-process.js';
import { vaultSize, type VaultSize } from '../../support/vault-size.js';
import { until } from '../../support/wait.js';

export const ROTATIONS = 1_000;
/** Rotations that are brought back in one request. */
const BATCH = 32;
/** Only ends a run that hangs, milliseconds. */
const READ_MS = 600_000;

export interface Rotated {
  readonly kind: string;
  /** what the vault of a member, who read them all, holds more than before */
  readonly grown: VaultSize;
}

/** A room of two whose owner's keys are used by hand: its client makes no key without need. */
class Rotating {
  readonly #roomId: string;
  readonly #owner: Member;
  readonly #reader: Member;
  readonly #keys: Stolen;
  #peer: Peer;
  /** prekeys of both, as the relay hands them out */
  readonly #offered: readonly Published[];
  readonly #relay: { readonly url: string; readonly publicKey: Uint8Array };

  private constructor(
    roomId: string,
    owner: Member,
    reader: Member,
    keys: Stolen,
    peer: Peer,
    offered: readonly Published[],
    publicKey: Uint8Array,
  ) {
    this.#roomId = roomId;
    this.#owner = owner;
    this.#reader = reader;
    this.#keys = keys;
    this.#peer = peer;
    this.#offered = offered;
    this.#relay = { url: owner.relayUrl, publicKey };
  }

  static async begin(relay: RelayProcess): Promise<Rotating> {
    const owner = await Member.create('Amina', relay.url);
    const reader = await Member.create('Ben', relay.url);
    const roomId = await owner.createRoom('Many keys', 1_000_000);
    value(await reader.api.join((await owner.invite(roomId)).link, 'Ben'));
    await reader.admitted(roomId);
    await until('the owner to see him', () => owner.room?.members.every(({ name }) => name !== ''));
    await owner.leave();
    await reader.leave();
    const config = (await (await fetch(`${relay.url}/config.json`)).json()) as {
      readonly relayPublicKey: string;
    };
    const publicKey = fromBase64Url(config.relayPublicKey);
    if (publicKey === null) throw new Error('the relay names no key');
    const keys = await Stolen.from(owner, roomId);
    const peer = await Peer.connect({ url: relay.url, publicKey }, keys.identity);
    const { roomId: room, position: after } = keys.core;
    await peer.request('open', { roomId: room, after, head: null, epoch: 0 });
    const { prekeys } = await peer.request('prekeys', {});
    const offered = prekeys.flatMap(({ memberId, prekey }) =>
      prekey === null ? [] : [{ memberId, ...prekey }],
    );
    return new Rotating(roomId, owner, reader, keys, peer, offered, publicKey);
  }

  /** The store is opened anew, and says that it may have lost something: rotations may be brought back. */
  async #restart(relay: RelayProcess): Promise<void> {
    this.#peer.leave();
    await relay.stop();
    await relay.start();
    this.#peer = await Peer.connect(this.#relay, this.#keys.identity);
  }

  async #next(): Promise<Awaited<ReturnType<Stolen['rotation']>>['command']> {
    const { core } = this.#keys;
    const { command, newKey: key, newEpoch: epoch } = await this.#keys.rotation(this.#offered);
    this.#keys.core = { ...core, epoch, keys: [{ ...this.#keys.current, epoch, key }] };
    return command;
  }

  async withLines(): Promise<void> {
    for (let at = 0; at < ROTATIONS; at++) {
      const n = this.#keys.core.nextN + at;
      const line = this.#keys.text(`Line ${String(at)}: the bus was late, so we walked`, { n });
      await this.#peer.request('append', { messages: [line] });
      await this.#peer.request('rotate', await this.#next());
    }
  }

  /** A relay takes so many back at once; one that has been started again counts from the beginning. */
  async inARow(relay: RelayProcess): Promise<void> {
    const { roomId, position, me: sender } = this.#keys.core;
    for (let made = 0; made < ROTATIONS; made += BATCH) {
      if (made % LIMITS.restoredRotations === 0) await this.#restart(relay);
      const entries: Entry[] = [];
      while (entries.length < Math.min(BATCH, ROTATIONS - made)) {
        const { clear, payload } = await this.#next();
        entries.push({ position, kind: 'rotation', sender, time: 0, clear, payload });
      }
      await this.#peer.request('restore', { roomId, entries });
    }
  }

  /** The reader takes in what is there; its vault by then. */
  async read(): Promise<VaultSize> {
    await this.#reader.comeBack(this.#roomId);
    await until(
      'the log to be read',
      () => this.#reader.room?.connection === 'connected' && !this.#reader.room.catchingUp,
      READ_MS,
    );
    await this.#reader.leave();
    const { core } = await Stolen.from(this.#reader, this.#roomId);
    if (core.epoch !== this.#keys.core.epoch) throw new Error(`read up to epoch ${String(core.epoch)} only`);
    return vaultSize(this.#reader);
  }

  async end(): Promise<void> {
    this.#peer.leave();
    await Promise.all([this.#owner.remove(), this.#reader.remove()]);
  }
}

async function grown(
  kind: string,
  relay: RelayProcess,
  rotate: (room: Rotating) => Promise<void>,
): Promise<Rotated> {
  const room = await Rotating.begin(relay);
  try {
    const before = await room.read();
    await rotate(room);
    const after = await room.read();
    return { kind, grown: { records: after.records - before.records, bytes: after.bytes - before.bytes } };
  } finally {
    await room.end();
  }
}

export async function measureRotations(relay: RelayProcess): Promise<readonly Rotated[]> {
  return [
    await grown('with a line before each', relay, (room) => room.withLines()),
    await grown('in a row', relay, (room) => room.inARow(relay)),
  ];
}
