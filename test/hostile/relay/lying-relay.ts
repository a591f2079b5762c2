/**
 * A relay that lies, in the test's own process: the real link over real Socket.IO, the real
 * handlers over the real store, and between them whatever a test wants changed, dropped, repeated,
 * invented. It keeps all that it sees. With no hook set it is an honest relay.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { Socket } from 'socket.io';
import { Server } from 'socket.io';
import {
  concat, FEED_EVENT, FRAME_EVENT, isFeedMessage, LIMITS, PROTOCOL_VERSION, toBase64Url, type Bytes, type Entry, type EventBody, type EventKind, type MemberId,
  type ReplyBody, type RequestBody, type RequestKind, type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { generateKeyPair } from '@0fc/crypto/keys';
import { Feed, FeedTags, RelayLink, splitForFrames, type KeyPair } from '@0fc/crypto/link';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { memberIdOf } from '@0fc/crypto/verify';
import { relayParser } from '@0fc/protocol/socket-io';
import { dispatch, type RequestMessage } from '../../../apps/relay/src/rooms/commands/dispatch.js';
import type { Delivery } from '../../../apps/relay/src/rooms/delivery/fan-out.js';
import type { BoundSubscription, ClosingCode, Peer } from '../../../apps/relay/src/rooms/delivery/peer.js';
import { moveGeneration, World } from './world.js';

/** Something that went over a link, in clear, as the relay has it. */
export interface Seen {
  readonly way: 'toClient' | 'fromClient';
  readonly memberId: MemberId;
  readonly message: SessionMessage;
  /** when, Unix ms */
  readonly time: number;
}

type Maybe<T> = T | undefined;
/** A whole message on its way: what goes instead (nothing: []), or undefined for itself. */
export type ToClient = (client: Client, message: SessionMessage) => Maybe<readonly SessionMessage[]>;
/** A request: what the handlers get instead, an answer without them, or undefined for itself. */
export type FromClient = (
  client: Client,
  request: RequestMessage,
) => Maybe<
  | { readonly instead: RequestMessage }
  | { readonly answer: Record<string, unknown> }
  | { readonly refuse: string }
  | 'drop'
>;

/** One connection of a member. */
export class Client implements Peer {
  readonly connectionId: string;
  readonly address = '127.0.0.1';
  subscription: BoundSubscription | null = null;
  key: Bytes = new Uint8Array(0);
  memberId = '' as MemberId;
  readonly #relay: LyingRelay;
  readonly #socket: Socket;
  readonly #link: RelayLink;
  /** requests by their id, for who changes the replies */
  readonly asked = new Map<number, RequestMessage>();
  #out: SessionMessage[] = [];
  #feed: { readonly feed: Feed; readonly tags: FeedTags } | null = null;
  #work: Promise<void>;
  #over = false;

  constructor(relay: LyingRelay, socket: Socket, pair: KeyPair) {
    this.#relay = relay;
    this.#socket = socket;
    this.connectionId = socket.id;
    this.#link = RelayLink.accept({ relay: pair });
    this.#work = Promise.resolve();
    socket.on(FRAME_EVENT, (frame: unknown) => this.#receive(Uint8Array.from(frame as Uint8Array)));
    socket.once('disconnect', () => this.over());
  }

  get gone(): boolean {
    return this.#over;
  }

  get live(): boolean {
    return !this.#over && this.memberId !== '';
  }

  over(): void {
    if (this.#over) return;
    this.#over = true;
    this.subscription?.end();
    this.#link.destroy();
    this.#relay.clients.delete(this);
  }

  cut(): void {
    this.#socket.disconnect(true);
    this.over();
  }

  // What the rooms ask of a connection.
  send<K extends EventKind>(kind: K, body: EventBody<K>): void {
    this.pass({ e: kind, body: body });
  }
  deliver({ message }: Delivery): void {
    this.pass(message);
  }
  sent(): Promise<void> {
    return Promise.resolve();
  }
  close(code: ClosingCode | null): void {
    if (code !== null) this.send('closing', { code });
    this.#flush();
    this.cut();
  }
  onAnnounced(): void {
    // Of one replica: nobody else has to hear.
  }
  failed(error: unknown): void {
    this.#relay.failures.push(error);
  }

  /** Through the hooks, to the member. */
  pass(message: SessionMessage): void {
    const shown = this.#relay.shownTo(this, message);
    const instead = this.#relay.hooks.toClient.reduce<readonly SessionMessage[]>(
      (messages, hook) => messages.flatMap((one) => hook(this, one) ?? [one]),
      [shown],
    );
    for (const one of instead) this.raw(one);
  }

  /** Past the hooks. */
  raw(message: SessionMessage): void {
    if (this.#over) return;
    this.#out.push(message);
    if (this.#out.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const due = this.#out;
    this.#out = [];
    if (this.#over || due.length === 0) return;
    for (const group of splitForFrames(due)) {
      for (const message of group) this.#relay.note('toClient', this.memberId, message);
      if (group.every(isFeedMessage)) this.#cell(group);
      else this.#frame(this.#link.seal(group));
    }
  }

  /** As of all, of each one's own: what a relay seals once for everybody can be another lie to each. */
  #cell(group: readonly SessionMessage[]): void {
    if (this.#feed === null) {
      const feed = new Feed(nodeRandom);
      const grant = feed.grant();
      this.#frame(this.#link.seal([{ e: FEED_EVENT, body: { ...grant } }]));
      this.#feed = { feed, tags: new FeedTags(grant) };
    }
    this.#frame(concat(...this.#link.feedFrame(this.#feed.feed.seal(group), this.#feed.tags)));
  }

  #frame(frame: Bytes): void {
    this.#relay.frames.push(frame);
    this.#socket.emit(FRAME_EVENT, Buffer.from(frame.buffer, frame.byteOffset, frame.length));
  }

  #receive(frame: Bytes): void {
    this.#relay.frames.push(frame);
    try {
      const { reply, established, messages } = this.#link.receive(frame);
      if (reply !== null) this.#frame(reply);
      if (established && this.key.length === 0) this.#begin();
      for (const message of messages) this.#then(() => this.#serve(message as RequestMessage));
    } catch (error) {
      this.failed(error);
      this.cut();
    }
  }

  #begin(): void {
    this.key = this.#link.peer ?? this.key;
    this.#then(async () => {
      this.memberId = await memberIdOf(nodeHash, this.key);
      this.#relay.clients.add(this);
      this.#relay.keys.add(this.key);
      this.send('hello', {
        version: PROTOCOL_VERSION,
        relay: this.#relay.key.publicKey,
        frameBytes: LIMITS.frameBytes,
        appendMessages: LIMITS.appendMessages,
        maxMembers: 256,
        invitesOpen: 64,
        settingsEntries: LIMITS.settingsEntries,
        settingsPerHour: 60,
        // It sends no heartbeats: what is judged here is what it says.
        heartbeatMs: LIMITS.mostHeartbeatMs,
      });
    });
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => this.failed(error));
  }

  async #serve(message: RequestMessage): Promise<void> {
    if (this.#over) return;
    this.#relay.note('fromClient', this.memberId, message);
    this.asked.set(message.q, message);
    let request = message;
    for (const hook of this.#relay.hooks.fromClient) {
      const done = hook(this, request);
      if (done === undefined) continue;
      if (done === 'drop') return;
      if ('answer' in done) {
        this.pass({ r: message.q, body: done.answer });
        return;
      }
      if ('refuse' in done) {
        this.pass({ r: message.q, error: { code: done.refuse } });
        return;
      }
      request = done.instead;
    }
    const world = this.#relay.worldOf(this.memberId);
    const { reply, after } = await dispatch(world.context, this, request);
    this.pass(reply);
    after?.();
  }
}

export class LyingRelay {
  readonly url: string;
  key: KeyPair;
  readonly clients = new Set<Client>();
  readonly hooks: { toClient: ToClient[]; fromClient: FromClient[] } = { toClient: [], fromClient: [] };
  /** everything that it could read, in order */
  readonly seen: Seen[] = [];
  readonly frames: Bytes[] = [];
  /** public keys of everybody who ever connected */
  readonly keys = new Set<Bytes>();
  /** request lines and headers of HTTP */
  readonly http: string[] = [];
  /** what broke in the relay itself */
  readonly failures: unknown[] = [];
  /** statements of the key's succession in config.json, or whatever stands there instead */
  succession: unknown = [];
  /** what config.json says; the relay's key by default */
  configKey: Bytes | null = null;
  #worlds: World[];
  readonly #placed = new Map<MemberId, World>();
  readonly #http: HttpServer;
  readonly #io: Server;

  private constructor(http: HttpServer, port: number, key: KeyPair, world: World) {
    this.#http = http;
    this.key = key;
    this.url = `http://127.0.0.1:${String(port)}`;
    this.#worlds = [world];
    this.#io = new Server(http, {
      transports: ['websocket'],
      maxHttpBufferSize: LIMITS.frameBytes + 1_024,
      parser: relayParser,
    });
    this.#io.on('connection', (socket) => new Client(this, socket, this.key));
    http.on('request', (request, response) => {
      this.http.push(`${request.method ?? ''} ${request.url ?? ''} ${JSON.stringify(request.headers)}`);
      if (request.url !== '/config.json') return;
      const relayPublicKey = toBase64Url(this.configKey ?? this.key.publicKey);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ relayPublicKey, version: '0.1.0', succession: this.succession }));
    });
    http.on('upgrade', (request) => {
      this.http.push(`${request.method ?? ''} ${request.url ?? ''} ${JSON.stringify(request.headers)}`);
    });
  }

  /** `port`: 0 for any; `key`, `world`: of another relay, which this one then speaks for too. */
  static async start(
    options: { readonly port?: number; readonly key?: KeyPair; readonly world?: World } = {},
  ): Promise<LyingRelay> {
    await loadThemis();
    const http = createServer();
    http.listen(options.port ?? 0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { key = generateKeyPair(), world = World.empty() } = options;
    return new LyingRelay(http, address.port, key, world);
  }

  /** As a raw peer wants it. */
  get publicKey(): Bytes {
    return this.key.publicKey;
  }

  async stop(): Promise<void> {
    this.honest();
    for (const client of [...this.clients]) client.cut();
    await this.#io.close();
    this.#http.closeAllConnections();
    await Promise.all(this.#worlds.map((world) => world.close()));
  }

  /** What it has seen so far is not looked at any more. */
  forget(): void {
    for (const list of [this.seen, this.frames, this.http, this.failures]) list.length = 0;
    this.keys.clear();
  }

  note(way: Seen['way'], memberId: MemberId, message: SessionMessage): void {
    this.seen.push({ way, memberId, message, time: Date.now() });
  }

  // Worlds

  /** The one that everybody is in who is nowhere else. */
  get world(): World {
    const [first] = this.#worlds;
    if (first === undefined) throw new Error('no world');
    return first;
  }

  worldOf(memberId: MemberId): World {
    return this.#placed.get(memberId) ?? this.world;
  }

  /**
   * From now on these members are served out of a snapshot (of this moment by default).
   * `hidden`: passed off as the same log, without the generation that the store has begun.
   */
  place(
    members: readonly string[],
    options: { readonly snapshot?: string; readonly hidden: boolean },
  ): World {
    const world = World.open(options.snapshot ?? this.world.snapshot());
    world.hidden = options.hidden;
    this.#worlds.push(world);
    for (const member of members) this.#placed.set(member as MemberId, world);
    this.cut(...members);
    return world;
  }

  /** Everybody in the first world again. */
  async reunite(): Promise<void> {
    const members = [...this.#placed.keys()];
    this.#placed.clear();
    this.cut(...members);
    const [first, ...others] = this.#worlds;
    this.#worlds = first === undefined ? [] : [first];
    await Promise.all(others.map((world) => world.close()));
  }

  /** Everybody, and whoever comes, goes on at a store that was put back: as it was when the snapshot was taken. */
  async putBack(snapshot: string): Promise<void> {
    const before = this.#worlds;
    this.#placed.clear();
    this.#worlds = [World.open(snapshot)];
    this.cut();
    await Promise.all(before.map((world) => world.close()));
  }

  /** What a hidden world says, with no sign of its own generation. */
  shownTo(client: Client, message: SessionMessage): SessionMessage {
    if (!this.worldOf(client.memberId).hidden) return message;
    const shown = moveGeneration(message, (g) => g > 1, 1);
    if (!('r' in shown) || !('body' in shown) || !('generations' in shown.body)) return shown;
    return { ...shown, body: { ...shown.body, generations: [] } };
  }

  // Lies

  /** No lie from now on; earlier lies are not undone. */
  honest(): void {
    this.hooks.toClient = [];
    this.hooks.fromClient = [];
  }

  onToClient(hook: ToClient): void {
    this.hooks.toClient.push(hook);
  }

  onFromClient(hook: FromClient): void {
    this.hooks.fromClient.push(hook);
  }

  /** Changes events of one kind; null drops one, a list is sent one after the other. */
  onEvent<K extends EventKind>(
    kind: K,
    change: (client: Client, body: EventBody<K>) => EventBody<K> | readonly EventBody<K>[] | null | undefined,
  ): void {
    this.onToClient((client, message) => {
      if (!('e' in message) || message.e !== kind) return undefined;
      const body = change(client, message.body);
      if (body === undefined) return undefined;
      if (body === null) return [];
      const bodies: readonly unknown[] = Array.isArray(body) ? body : [body];
      return bodies.map((one) => ({ e: kind, body: one as Record<string, unknown> }));
    });
  }

  /** Changes replies to requests of one kind; a code makes it a refusal. */
  onReply<K extends RequestKind>(
    kind: K,
    change: (
      client: Client,
      reply: ReplyBody<K>,
      request: RequestBody<K>,
    ) => ReplyBody<K> | { readonly code: string } | undefined,
  ): void {
    this.onToClient((client, message) => {
      if (!('r' in message) || !('body' in message)) return undefined;
      const request = client.asked.get(message.r);
      if (request?.kind !== kind) return undefined;
      const reply = change(client, message.body as ReplyBody<K>, request.body);
      if (reply === undefined) return undefined;
      const said = reply as Record<string, unknown>;
      if (typeof said.code === 'string' && Object.keys(said).length === 1)
        return [{ r: message.r, error: { code: said.code } }];
      return [{ r: message.r, body: said }];
    });
  }

  /** As {@link onReply}, for what no relay of this version would say: fields of any name and type. */
  onReplyOfAnyShape(
    kind: RequestKind,
    change: (
      client: Client,
      reply: Readonly<Record<string, unknown>>,
    ) => Readonly<Record<string, unknown>> | undefined,
  ): void {
    this.onReply(kind, (client, reply) => change(client, reply) as typeof reply | undefined);
  }

  /** Requests of one kind: their bodies changed, answered or refused without being carried out, or swallowed. */
  onRequest<K extends RequestKind>(
    kind: K,
    change: (
      client: Client,
      body: RequestBody<K>,
    ) => Maybe<
      | { readonly instead: RequestBody<K> }
      | { readonly answer: ReplyBody<K> }
      | { readonly refuse: string }
      | 'drop'
    >,
  ): void {
    this.onFromClient((client, request) => {
      if (request.kind !== kind) return undefined;
      const done = change(client, request.body);
      if (done === undefined || done === 'drop' || 'refuse' in done) return done;
      if ('answer' in done) return { answer: done.answer as Record<string, unknown> };
      return { instead: { ...request, body: done.instead } };
    });
  }

  /** Changes the entries of the log that a member is served, by pages and by the feed alike. */
  onEntries(change: (client: Client, entries: readonly Entry[]) => readonly Entry[] | undefined): void {
    this.onEvent('entries', (client, { entries }) => {
      const changed = change(client, entries);
      if (changed === undefined) return undefined;
      return changed.length === 0 ? null : { entries: [...changed] };
    });
    this.onReply('open', (client, reply) => {
      const changed = change(client, reply.entries);
      return changed === undefined ? undefined : { ...reply, entries: [...changed] };
    });
  }

  /** Says something that nothing has brought about. */
  tell<K extends EventKind>(memberId: string, kind: K, body: EventBody<K>): void {
    const to = [...this.clients].filter((client) => client.live && client.memberId === memberId);
    if (to.length === 0) throw new Error('nobody there to be told');
    for (const client of to) client.raw({ e: kind, body: body });
  }

  /** Ends the connections of members; they come back by themselves. None named: everybody's. */
  cut(...members: readonly string[]): void {
    for (const client of [...this.clients])
      if (members.length === 0 || members.includes(client.memberId)) client.cut();
  }

  // What it has seen

  /** Bodies of requests of one kind, oldest first. */
  requests<K extends RequestKind>(
    kind: K,
    from?: string,
  ): { readonly memberId: MemberId; readonly body: RequestBody<K> }[] {
    return this.seen.flatMap(({ memberId, message }) =>
      'q' in message && message.kind === kind && (from === undefined || from === memberId)
        ? [{ memberId, body: message.body as RequestBody<K> }]
        : [],
    );
  }

  /** Bodies of events of one kind, oldest first. */
  events<K extends EventKind>(
    kind: K,
    to?: string,
  ): { readonly memberId: MemberId; readonly body: EventBody<K> }[] {
    return this.seen.flatMap(({ memberId, message }) =>
      'e' in message && message.e === kind && (to === undefined || to === memberId)
        ? [{ memberId, body: message.body as EventBody<K> }]
        : [],
    );
  }

  /** Every entry of the log that went to a member by the feed or a page, once each, in order. */
  entriesTo(memberId: string): readonly Entry[] {
    const byPlace = new Map<string, Entry>();
    for (const seen of this.seen) {
      if (seen.way !== 'toClient' || seen.memberId !== memberId) continue;
      const { message } = seen;
      const body = 'body' in message ? message.body : {};
      const entries = 'entries' in body && Array.isArray(body.entries) ? (body.entries as unknown[]) : [];
      for (const entry of entries) {
        // A page of the chain has bare containers.
        if (entry instanceof Uint8Array) continue;
        const { position } = entry as Entry;
        byPlace.set(`${String(position.g)}/${String(position.s)}`, entry as Entry);
      }
    }
    return [...byPlace.values()];
  }
}
