/**
 * What lies between the relay and each connection: messages held back and let go, in the order in
 * which they came, and connections that break in the middle of an answer. Nothing is changed.
 */
import { decodeBody, ROSTER_KINDS, type EventBody, type SessionMessage } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import { dispatch, type RequestMessage } from '../../apps/relay/src/rooms/commands/dispatch.js';
import type { Client, LyingRelay } from '../hostile/relay/lying-relay.js';

interface Held {
  /** messages to the client that still pass */
  after: number;
  readonly toClient: SessionMessage[];
  readonly fromClient: RequestMessage[];
  /** let go: what was held is being carried out, and what comes meanwhile comes after it */
  draining: boolean;
}

export class Frames {
  readonly #relay: LyingRelay;
  readonly #held = new Map<Client, Held>();
  /** messages after which a connection breaks, the last of them lost */
  readonly #breaking = new Map<Client, number>();
  /** connections to be held from the next departure on */
  readonly #parting = new Set<Client>();
  /** messages that have come by, both ways */
  passed = 0;

  constructor(relay: LyingRelay) {
    this.#relay = relay;
    relay.onToClient((_, message) => apart(message));
    relay.onToClient((client, message) => this.#toClient(client, message));
    relay.onFromClient((client, request) => this.#fromClient(client, request));
  }

  /** Connections with nothing arranged for them. */
  get free(): readonly Client[] {
    return [...this.#relay.clients].filter(
      (client) =>
        client.live && ![this.#held, this.#breaking, this.#parting].some((arranged) => arranged.has(client)),
    );
  }

  get held(): readonly Client[] {
    return [...this.#held].flatMap(([client, { draining }]) => (client.live && !draining ? [client] : []));
  }

  /** Nothing goes through any more, either way, once `after` messages have reached the client. */
  hold(client: Client, after: number): void {
    this.#held.set(client, { after, toClient: [], fromClient: [], draining: false });
  }

  /** Breaks at the next message but `after`, which is lost. */
  breakAt(client: Client, after: number): void {
    this.#breaking.set(client, after);
  }

  /** Shows a client the next departure, and keeps from it the rotation that comes with it. */
  holdAtDeparture(client: Client): void {
    this.#parting.add(client);
  }

  async release(client: Client): Promise<void> {
    const held = this.#held.get(client);
    if (held === undefined || held.draining) return;
    held.draining = true;
    for (const message of held.toClient) client.raw(message);
    for (let next = held.fromClient.shift(); next !== undefined; next = held.fromClient.shift()) {
      if (!client.live) break;
      const { context } = this.#relay.worldOf(client.memberId);
      const { reply, after } = await dispatch(context, client, next);
      client.pass(reply);
      after?.();
    }
    this.#held.delete(client);
  }

  /** Everything let go, nothing arranged any more. */
  async calm(): Promise<void> {
    this.#breaking.clear();
    this.#parting.clear();
    await Promise.all([...this.#held.keys()].map((client) => this.release(client)));
  }

  #toClient(client: Client, message: SessionMessage): readonly SessionMessage[] | undefined {
    this.passed += 1;
    const left = this.#breaking.get(client);
    if (left === 0) {
      this.#breaking.delete(client);
      client.cut();
      return [];
    }
    if (left !== undefined) this.#breaking.set(client, left - 1);
    const held = this.#held.get(client);
    if (held === undefined && isDeparture(message) && this.#parting.delete(client)) this.hold(client, 0);
    if (held === undefined || held.draining) return undefined;
    if (held.after > 0) {
      held.after -= 1;
      return undefined;
    }
    held.toClient.push(message);
    return [];
  }

  #fromClient(client: Client, request: RequestMessage): 'drop' | undefined {
    this.passed += 1;
    const held = this.#held.get(client);
    if (held === undefined || (held.after > 0 && !held.draining)) return undefined;
    held.fromClient.push(request);
    return 'drop';
  }
}

/** Somebody's removal, or the owner's word on a request to leave. */
function isDeparture(message: SessionMessage): boolean {
  if (!('e' in message) || message.e !== 'entries') return false;
  const [entry] = (message.body as EventBody<'entries'>).entries;
  if (entry?.kind !== 'roster') return false;
  const { kind } = decodeBody(containerBody(entry.payload), ...ROSTER_KINDS);
  return kind === 'remove' || kind === 'leave';
}

/** An event of several entries as one of each: a connection may be held, or break, between any two. */
function apart(message: SessionMessage): readonly SessionMessage[] | undefined {
  if (!('e' in message) || message.e !== 'entries') return undefined;
  const { entries } = message.body;
  return Array.isArray(entries)
    ? entries.map((entry: unknown) => ({ ...message, body: { entries: [entry] } }))
    : undefined;
}
