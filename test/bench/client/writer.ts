/**
 * Fills a room's log quickly: a member's own keys without its client, so that every entry is signed, sealed and
 * acknowledged as any other, and nothing is kept on the sender's side.
 */
import { fromBase64Url, type Entry } from '@0fc/protocol';
import { nodeHash } from '@0fc/crypto/node';
import { transcriptOver, type TranscriptEntry, transcriptHash } from '@0fc/crypto/verify';
import { Stolen } from '../../hostile/members/stolen.js';
import { Peer, type RelayAddress } from '../../integration/relay-peer.js';
import type { Member } from '../../support/member.js';

/** Messages in one append: the protocol's most. */
const BATCH = 32;

export class Writer {
  readonly #keys: Stolen;
  readonly #relay: RelayAddress;
  /** what it has read: readers hold it against what they have */
  #seen: Pick<Stolen['core'], 'position' | 't'>;
  /** lines so far */
  written = 0;

  private constructor(keys: Stolen, relay: RelayAddress) {
    this.#keys = keys;
    this.#relay = relay;
    this.#seen = keys.core;
  }

  /** With the keys of a member that has left and does not come back: its counter goes on from here. */
  static async as(member: Member, roomId: string): Promise<Writer> {
    const { relayPublicKey } = (await (await fetch(`${member.relayUrl}/config.json`)).json()) as {
      readonly relayPublicKey: string;
    };
    const publicKey = fromBase64Url(relayPublicKey);
    if (publicKey === null) throw new Error('the relay names no key');
    return new Writer(await Stolen.from(member, roomId), { url: member.relayUrl, publicKey });
  }

  /**
   * Appends so many lines; resolves to the last one's text once the relay has acknowledged all. Nobody else may
   * write meanwhile. `begins`: told once it is connected, before the first append.
   */
  async write(lines: number, begins: () => void = () => undefined): Promise<string> {
    const peer = await Peer.connect(this.#relay, this.#keys.identity);
    await this.#read(peer);
    begins();
    for (let left = lines; left > 0; left -= BATCH) await this.#append(peer, Math.min(BATCH, left));
    peer.leave();
    return textOf(this.written);
  }

  async #read(peer: Peer): Promise<void> {
    const { roomId, epoch } = this.#keys.core;
    for (let live = false; !live;) {
      const { position: after } = this.#seen;
      const reply = await peer.request('open', { roomId, after, head: null, epoch });
      for (const entry of reply.entries) await this.#follow(entry);
      ({ live } = reply);
    }
  }

  async #append(peer: Peer, lines: number): Promise<void> {
    const messages = Array.from({ length: lines }, () => this.#next());
    const { placed, refused } = await peer.request('append', { messages });
    if (refused !== undefined) throw new Error(`the relay refuses a line: ${refused}`);
    const { me: sender } = this.#keys;
    for (const [at, { position }] of placed.entries())
      await this.#follow({ kind: 'message', sender, position, ...messages[at]! });
  }

  #next(): Pick<Entry, 'clear' | 'payload'> {
    const { position, t } = this.#seen;
    const n = this.#keys.core.nextN + this.written++;
    return this.#keys.text(textOf(this.written), { n, seen: { position, t: transcriptHash(t) } });
  }

  async #follow(entry: TranscriptEntry): Promise<void> {
    this.#seen = { position: entry.position, t: await transcriptOver(nodeHash, this.#seen.t, entry) };
  }
}

/** About as long as people's lines are. */
const textOf = (line: number): string =>
  `Line ${String(line)}: the bus was late, so we walked the rest of the way`;
