/** A member without a screen: the real client library over a vault on disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeClient } from '@0fc/client/node';
import type {
  AppView,
  ClientEvent,
  CreatedInvite,
  Outcome,
  RoomView,
  TimelineItem,
  TimelineMessage,
} from '@0fc/client/api';
import { openQuick } from './platform.js';
import { isSent } from './sent.js';
import { until } from './wait.js';

type NodeClient = Awaited<ReturnType<typeof createNodeClient>>;

/** The value of a command that must succeed. */
export function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok)
    throw new Error(`refused: ${outcome.error.code} ${JSON.stringify(outcome.error.params ?? {})}`);
  return outcome.value;
}

export class Member {
  readonly name: string;
  readonly folder: string;
  readonly relayUrl: string;
  readonly passphrase: string;
  api!: NodeClient;
  app: AppView | null = null;
  room: RoomView | null = null;
  /** how its client is opened: another one for a member whose clock is moved */
  open: typeof createNodeClient = createNodeClient;
  /** hears every event too */
  alsoTold: (event: ClientEvent) => void = () => undefined;
  #items = new Map<string, TimelineItem>();

  private constructor(name: string, folder: string, relayUrl: string, passphrase: string) {
    this.name = name;
    this.folder = folder;
    this.relayUrl = relayUrl;
    this.passphrase = passphrase;
  }

  /** `open`: over another platform from the first, see openOver; createNodeClient for a vault that other processes open. */
  static async create(name: string, relayUrl: string, open = openQuick): Promise<Member> {
    const folder = await mkdtemp(join(tmpdir(), '0fc-member-'));
    const member = Member.over(folder, { name, relayUrl, passphrase: `a long enough passphrase of ${name}` });
    member.open = open;
    await member.start();
    value(await member.api.createVault(member.passphrase));
    return member;
  }

  /** Over a vault that is there already, which nothing has opened yet; the folder is the member's own. */
  static over(
    folder: string,
    { name, relayUrl, passphrase }: Pick<Member, 'name' | 'relayUrl' | 'passphrase'>,
  ): Member {
    return new Member(name, folder, relayUrl, passphrase);
  }

  /** A client over this member's vault, still locked. */
  async start(): Promise<void> {
    this.api = await this.open({ folder: this.folder, relayUrl: this.relayUrl });
    this.app = null;
    this.room = null;
    this.#items = new Map();
    await this.api.subscribe((event) => {
      this.#on(event);
      this.alsoTold(event);
    });
  }

  #on(event: ClientEvent): void {
    if (event.type === 'app') this.app = event.app;
    else if (event.type === 'room') this.room = event.room;
    else {
      if (event.reset) this.#items = new Map();
      for (const item of event.items) this.#items.set(item.id, item);
      for (const id of event.removed) this.#items.delete(id);
    }
  }

  /** As closing the page does. */
  async leave(): Promise<void> {
    await this.api.close();
  }

  /** As opening it again does. */
  async comeBack(roomId?: string): Promise<void> {
    await this.start();
    value(await this.api.unlock(this.passphrase));
    if (roomId !== undefined) await this.watch(roomId);
  }

  async watch(roomId: string): Promise<void> {
    value(await this.api.watchRoom(roomId));
    await until(`${this.name} to see the room`, () => this.room?.roomId === roomId);
  }

  async createRoom(name: string, rotateEvery: number, approval = false): Promise<string> {
    const { roomId } = value(
      await this.api.createRoom({ name, displayName: this.name, rotateEvery, approval }),
    );
    await this.watch(roomId);
    await this.live();
    return roomId;
  }

  async invite(roomId: string, lifetimeMs = 3_600_000): Promise<CreatedInvite> {
    return value(await this.api.createInvite(roomId, lifetimeMs));
  }

  async admitted(roomId: string): Promise<void> {
    await until(`${this.name} to be admitted`, () => {
      const failure = this.app?.joins.find((join) => join.roomId === roomId)?.failure;
      if (failure !== null && failure !== undefined) throw new Error(`the join failed: ${failure.code}`);
      return this.app?.rooms.some((room) => room.roomId === roomId && room.stage === 'member');
    });
    await this.watch(roomId);
    await this.live();
  }

  async live(): Promise<void> {
    await until(
      `${this.name} to be connected`,
      () => this.room?.connection === 'connected' && !this.room.catchingUp,
    );
  }

  async say(roomId: string, text: string): Promise<void> {
    value(await this.api.sendText(roomId, text));
  }

  get items(): readonly TimelineItem[] {
    return [...this.#items.values()].sort((a, b) => a.order - b.order);
  }

  get messages(): readonly TimelineMessage[] {
    return this.items.filter((item) => item.type === 'message');
  }

  /** Texts that the log holds, in its order. */
  get texts(): readonly string[] {
    return this.messages.filter(isSent).map(({ text }) => text);
  }

  get alarms(): readonly string[] {
    return this.items.flatMap((item) => (item.type === 'alarm' ? [item.code] : []));
  }

  async has(...texts: readonly string[]): Promise<void> {
    await until(`${this.name} to have ${texts.join(', ')}`, () =>
      texts.every((text) => this.texts.includes(text)),
    );
  }

  async remove(): Promise<void> {
    await this.api.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
