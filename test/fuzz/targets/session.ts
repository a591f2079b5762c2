/**
 * What a relay says to a client: broken frames, and messages on a sound session that a relay with the pinned
 * key could send. The session goes on or ends with a code of the protocol, no request is left without an end,
 * and a connection above it comes back.
 */
import {
  CATALOGUE, encodeSessionFrame, EVENT_KINDS, REQUEST_KINDS, type Bytes, type CborValue,
  type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { generateKeyPair } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { sample } from '../../../libs/protocol/src/sample.spec-support.js';
import {
  bench, FakeRelay, hello, ManualTimers, turns, type Bench,
} from '../../../libs/client/src/link/connection.spec-support.js'; // prettier-ignore
import { LinkSession, type LinkSessionEnd } from '../../../libs/client/src/link/link-session.js';
import { ClientError } from '../../../libs/client/src/contract/errors.js';
import type { Dice } from '../../support/random.js';
import { expectThat, Finding, judged, type Outcome, type Target } from '../target.js';
import { randomText, varied } from '../values.js';
import { spoiled } from './handshakes.js';

type Fields = Record<string, unknown>;

const fields = (value: CborValue): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    ? Object.fromEntries(Object.entries(value))
    : { value };

const bodies = {
  request: new Map(REQUEST_KINDS.map((kind) => [kind, sample(CATALOGUE[kind].body)] as const)),
  reply: new Map(REQUEST_KINDS.map((kind) => [kind, sample(CATALOGUE[kind].reply)] as const)),
  event: new Map(EVENT_KINDS.map((kind) => [kind, sample(CATALOGUE[kind].body)] as const)),
};

function message(dice: Dice, relayKey: Bytes): SessionMessage {
  switch (dice.below(10)) {
    case 0:
      return { q: 1 + dice.below(3), kind: dice.of(REQUEST_KINDS), body: {} };
    case 1:
      return { r: 1 + dice.below(40), body: fields(varied(dice, { a: 1 })) };
    case 2:
      return {
        r: 1 + dice.below(40),
        error: { code: dice.of(['INTERNAL', 'WRONG_PASSPHRASE', 'NOPE', 'TRY_AGAIN']) },
      };
    case 3:
      return { e: randomText(dice), body: {} };
    case 4:
      return { e: 'hello', body: fields(varied(dice, hello(relayKey))) };
    default: {
      const kind = dice.of(EVENT_KINDS);
      return { e: kind, body: fields(varied(dice, bodies.event.get(kind) ?? null)) };
    }
  }
}

/** How a request of this client's ended: a code, and for INTERNAL only one that the relay has named. */
function endOf(error: unknown): Outcome {
  if (!(error instanceof ClientError)) throw error;
  if (error.code === 'INTERNAL' && error.cause !== undefined)
    throw new Finding('INTERNAL', { cause: error.cause });
  return error.code;
}

interface Held {
  readonly relay: FakeRelay;
  readonly session: LinkSession;
  ended: LinkSessionEnd | null;
}

async function open(): Promise<Held> {
  const relay = new FakeRelay(generateKeyPair());
  relay.answer = () => null;
  const held: { ended: LinkSessionEnd | null } = { ended: null };
  const session = new LinkSession({
    url: 'https://relay.example',
    relayKey: relay.key.publicKey,
    identity: generateKeyPair(),
    platform: {
      crypto: { hash: nodeHash, random: nodeRandom, clock: systemClock },
      timers: new ManualTimers(),
      socket: relay,
    },
    openMs: 5_000,
    timeoutFactor: 1,
    enqueue: (call) => queueMicrotask(call),
    onHello: () => undefined,
    onClosing: () => undefined,
    onEvent: () => undefined,
    onAnswer: () => undefined,
    onEnd: (end) => {
      expectThat(held.ended === null, 'a session ends twice');
      held.ended = end;
    },
  });
  session.begin();
  await relay.settle();
  expectThat(session.up, 'no session');
  return Object.assign(held, { relay, session });
}

export const sessionTarget = (): Target => ({
  name: 'session',
  share: 15_000,
  limitMs: 10_000,
  settleEvery: 1_000,
  prepare: async () => {
    let held = await open();
    let id = 0;

    async function answered(dice: Dice): Promise<Outcome> {
      const kind = dice.of(REQUEST_KINDS);
      const body = bodies.request.get(kind) as never;
      const made = held.session.requests.make(kind, body).then(() => 'answered', endOf);
      id += 1;
      await turns();
      const reply = fields(varied(dice, bodies.reply.get(kind) ?? null));
      const said: SessionMessage = { r: id, body: reply };
      if (judged(() => encodeSessionFrame(1, [said])) === 'ok') held.relay.end.send(said);
      else held.relay.end.drop();
      await held.relay.settle();
      return `${kind} ${await made}`;
    }

    async function told(dice: Dice): Promise<Outcome> {
      const { end } = held.relay;
      const messages = Array.from({ length: 1 + dice.below(4) }, () =>
        message(dice, held.relay.key.publicKey),
      );
      const unsent = judged(() => encodeSessionFrame(1, messages));
      if (unsent !== 'ok') return unsent;
      if (dice.once(12))
        end.raw(dice.once(4) ? randomText(dice) : spoiled(dice, end.link.seal(messages), end.sent.slice(-4)));
      else end.send(...messages);
      await held.relay.settle();
      return 'told';
    }

    return {
      async run(dice) {
        const outcome = dice.once(3) ? await answered(dice) : await told(dice);
        const { ended, relay } = held;
        relay.end.sent.splice(0, relay.end.sent.length - 8);
        relay.end.frames.length = 0;
        if (ended === null) return outcome;
        expectThat(ended.code !== 'INTERNAL', 'a session ended in INTERNAL');
        expectThat(ended.established, 'a session that was up ends as if it had not been');
        expectThat(relay.end.closed, 'a session that has ended holds its socket');
        const left = await held.session.requests
          .make('ack', { position: { g: 1, s: 0 } })
          .then(() => 'answered', endOf);
        expectThat(left === 'OFFLINE', 'a session that has ended takes a request');
        held = await open();
        id = 0;
        return `${outcome.split(' ').slice(1).join(' ') || outcome} ended ${ended.code}`;
      },
    };
  },
});

/** Attempts after which a connection to an honest relay must be up again, timeouts and moves included. */
const MOST_TIMERS = 60;

export const connectionTarget = (): Target => ({
  name: 'connection',
  share: 3_000,
  limitMs: 20_000,
  settleEvery: 500,
  prepare: async () => {
    const started = (): Bench => {
      const made = bench();
      made.connection.start();
      return made;
    };
    return {
      async run(dice) {
        const made = started();
        const { relay, connection, timers } = made;
        if (dice.once(2)) {
          // Before the session is up: the first answers are spoiled.
          await turns();
          const { end } = relay;
          end.raw(spoiled(dice, hello(relay.key.publicKey).relay, []));
          await relay.settle();
        } else {
          await relay.settle();
          for (let left = 1 + dice.below(4); left > 0 && !relay.end.closed; left--) {
            const said = message(dice, relay.key.publicKey);
            if (judged(() => encodeSessionFrame(1, [said])) === 'ok') relay.end.send(said);
            await relay.settle();
          }
        }
        const last = (): string => made.states().at(-1) ?? 'none';
        // Stopped is a state that waits for the user; from any other it comes back by itself.
        for (let round = 0; round < MOST_TIMERS && last() !== 'connected' && last() !== 'stopped'; round++) {
          timers.advance(timers.pending[0] ?? 0);
          await relay.settle();
        }
        const state = last();
        expectThat(state === 'connected' || state === 'stopped', `the connection stays ${state}`);
        connection.stop();
        await relay.settle();
        expectThat(timers.pending.length === 0, 'a stopped connection has timers');
        return state;
      },
    };
  },
});
