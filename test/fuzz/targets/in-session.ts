/**
 * Requests on established, long-lived sessions of a real relay: by a stranger, by a joiner, by a member and by
 * an owner, of every kind of the catalogue, with bodies that were right before one or more places were changed.
 */
import { once } from 'node:events';
import { CATALOGUE, encodeSessionFrame, FRAME_EVENT, REQUEST_KINDS, type CborValue } from '@0fc/protocol';
import { sample } from '../../../libs/protocol/src/sample.spec-support.js';
import { anyBytes, message, newInviteId, TestRoom } from '../../integration/relay-room.js';
import { Peer, Refused } from '../../integration/relay-peer.js';
import type { Dice } from '../../support/random.js';
import { expectThat, judged, type Outcome, type Target } from '../target.js';
import { randomText, varied } from '../values.js';
import { Neighbours } from './neighbours.js';

/** Requests in one frame, and frames that wait for their answers at a time. */
const BATCH = 64;
const ANSWER_MS = 30_000;

type Bodies = Readonly<Record<string, CborValue>>;
interface Request {
  readonly kind: string;
  readonly body: Record<string, unknown>;
}

/** What each request says when it is right, or nearly: real ids, and containers that verify. */
async function bodiesOf(room: TestRoom, guest: Peer, foreign: string): Promise<Bodies> {
  const { roomId, owner } = room;
  const rotation = (await room.rotation()).command;
  const entry = await room.signed('settings', { settings: { ...room.roster.settings, rotateEvery: 7 } });
  const removal = await room.signed('remove', { member: guest.memberId, reason: 'removed' });
  const inviteId = newInviteId();
  const samples = Object.fromEntries(REQUEST_KINDS.map((kind) => [kind, sample(CATALOGUE[kind].body)]));
  const position = { g: 1, s: 0 };
  return {
    ...samples,
    create: { genesis: room.made.container },
    open: { roomId, after: position, head: room.roster.head, epoch: 1 },
    openForeign: { roomId: foreign, after: null, head: null, epoch: 0 },
    roster: { entry },
    rosterRemove: { entry: removal, rotation: rotation as unknown as CborValue },
    rotate: rotation as unknown as CborValue,
    restore: {
      roomId,
      entries: [
        {
          position: { g: 1, s: 1 },
          kind: 'roster',
          sender: owner.memberId,
          time: 1,
          clear: new Uint8Array(),
          payload: entry,
        },
      ],
    },
    invite: { inviteId, expires: Date.now() + 600_000 },
    claim: { roomId, inviteId },
    append: { messages: [message(1), message(1)] as unknown as CborValue },
    ack: { position },
    leaveRequest: { request: room.leaveRequest(guest) },
    signal: { ...(samples.signal as Record<string, CborValue>), payload: anyBytes(64) },
  };
}

interface Attacker {
  readonly name: string;
  readonly connect: () => Promise<Peer>;
  peer: Peer;
  due: Request[];
}

export const inSessionTarget = (): Target => ({
  name: 'in-session',
  share: 150_000,
  limitMs: 60_000,
  settleEvery: 2_000,
  prepare: async () => {
    const neighbours = await Neighbours.start();
    const { relay } = neighbours;
    const room = await TestRoom.create(relay);
    const guest = await Peer.connect(relay);
    await room.join(guest);
    const bodies = await bodiesOf(room, guest, neighbours.room.roomId);
    const names = Object.keys(bodies);
    const late = new Map<Outcome, number>();

    const bound = (identity: Peer['identity']) => async (): Promise<Peer> => {
      const peer = await Peer.connect(relay, identity);
      // Refused where the fuzz has had the member leave: it goes on unbound.
      await peer.refusal('open', { roomId: room.roomId, after: null, head: null, epoch: 0 });
      return peer;
    };
    const attackers: Attacker[] = [
      { name: 'stranger', connect: () => Peer.connect(relay), peer: await Peer.connect(relay), due: [] },
      { name: 'member', connect: bound(guest.identity), peer: guest, due: [] },
      { name: 'owner', connect: bound(room.owner.identity), peer: room.owner, due: [] },
    ];

    const count = (outcome: Outcome): void => {
      late.set(outcome, (late.get(outcome) ?? 0) + 1);
    };

    async function answered(attacker: Attacker, kind: string, answer: Promise<unknown>): Promise<void> {
      try {
        await answer;
        count(`${attacker.name} ok ${kind}`);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        expectThat(error.code !== 'INTERNAL', `${attacker.name}: ${kind} ended in INTERNAL`);
        count(`${attacker.name} ${error.code}`);
      }
    }

    async function flush(attacker: Attacker): Promise<void> {
      const requests = attacker.due;
      attacker.due = [];
      if (requests.length === 0) return;
      const { peer } = attacker;
      const answers = Promise.allSettled(
        peer.raw(...requests).map((answer, at) => answered(attacker, requests[at]?.kind ?? '?', answer)),
      );
      // Cleared at once: thousands of them, each with its requests, would be all that grows.
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), ANSWER_MS);
      const settled = await Promise.race([answers, once(deadline.signal, 'abort').then(() => null)]);
      clearTimeout(timer);
      expectThat(settled !== null, `${attacker.name}: a request was not answered`);
      // What was heard is of no interest here, and would be all that grows.
      peer.events.length = 0;
      if (peer.closed !== null) attacker.peer = await attacker.connect();
      for (const one of settled ?? []) if (one.status === 'rejected') throw one.reason;
    }

    function request(dice: Dice): Request {
      const name = dice.of(names);
      const kind = name.replace(/(Foreign|Remove)$/, '');
      const body = varied(dice, bodies[name] ?? {});
      const map =
        typeof body === 'object' && body !== null && !Array.isArray(body) && !(body instanceof Uint8Array);
      return {
        kind: dice.once(100) ? randomText(dice) : kind,
        body: map ? (body as Record<string, unknown>) : { body },
      };
    }

    return {
      late,
      async run(dice) {
        const attacker = dice.of(attackers);
        if (dice.once(2_000)) {
          // Only the relay replies and tells: this ends the session, and nobody else's.
          await flush(attacker);
          const { peer } = attacker;
          peer.socket.emit(FRAME_EVENT, peer.link.seal([{ e: 'entries', body: {} }]));
          await peer.gone();
          attacker.peer = await attacker.connect();
          return 'closed';
        }
        const asked = request(dice);
        // What has no frame cannot be asked on a session; `frames` and `handshakes` see to broken ones.
        const unsent = judged(() => encodeSessionFrame(1, [{ q: 1, ...asked }]));
        if (unsent !== 'ok') return unsent;
        attacker.due.push(asked);
        if (attacker.due.length >= BATCH) await flush(attacker);
        return 'sent';
      },
      async settle() {
        for (const attacker of attackers) await flush(attacker);
        await neighbours.talk();
      },
      async end() {
        for (const { peer } of attackers) peer.leave();
        await neighbours.end();
      },
    };
  },
});
