/**
 * Sockets of a real relay: what is no frame, no handshake, no packet, before, during and after a handshake.
 * The relay closes what it cannot take, serves the others, and says nothing in its log.
 */
import { Encoder, PacketType } from 'socket.io-parser';
import { encodeFrame, FRAME_EVENT, FRAME_TYPES, type Bytes } from '@0fc/protocol';
import { ClientLink } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { rawSocket } from '../../integration/relay-peer.js';
import type { Dice } from '../../support/random.js';
import { mutate, randomBytes } from '../mutate.js';
import { Finding, type Outcome, type Target } from '../target.js';
import { randomText } from '../values.js';
import { spoiled } from './handshakes.js';
import { Neighbours } from './neighbours.js';

const CLOSE_MS = 30_000;

type Socket = ReturnType<typeof rawSocket>;

/** A socket, and what the relay has sent on it. */
interface Line {
  readonly socket: Socket;
  readonly frames: Bytes[];
  closed: boolean;
  /** told of each frame and of the end: polling would take longer than the cases */
  changed: () => void;
}

async function dial(url: string): Promise<Line> {
  const socket = rawSocket(url);
  const line: Line = { socket, frames: [], closed: false, changed: () => undefined };
  socket.on(FRAME_EVENT, (frame: unknown) => {
    line.frames.push(Uint8Array.from(frame as Uint8Array));
    line.changed();
  });
  socket.on('disconnect', () => {
    line.closed = true;
    line.changed();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return line;
}

/** Resolves once `holds` does. A relay that does neither hangs on to a connection that it should have ended. */
async function when(line: Line, holds: () => boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Finding('the relay neither answers nor closes')), CLOSE_MS);
    line.changed = () => {
      if (!holds()) return;
      clearTimeout(timer);
      resolve();
    };
    line.changed();
  });
}

async function next(line: Line, count: number): Promise<Bytes | null> {
  await when(line, () => line.closed || line.frames.length >= count);
  return line.frames[count - 1] ?? null;
}

/** Something that the relay's packets do not have. */
function oddPacket(dice: Dice, socket: Socket): void {
  const write = (data: string | Buffer): void => {
    socket.io.engine.write(data);
  };
  /** As Socket.IO would send it, and no client of ours. */
  const event = (...data: readonly unknown[]): void => {
    const chunks = new Encoder().encode({ type: PacketType.EVENT, nsp: '/', data });
    for (const chunk of chunks) write(chunk as string | Buffer);
  };
  switch (dice.below(7)) {
    case 0:
      event(FRAME_EVENT, randomText(dice));
      return;
    case 1:
      event(FRAME_EVENT, { a: randomText(dice), b: [1, null] });
      return;
    case 2:
      event(FRAME_EVENT, Buffer.from(randomBytes(dice, 9)), Buffer.from(randomBytes(dice, 9)));
      return;
    case 3:
      event(randomText(dice).slice(0, 9) || 'other', Buffer.from(randomBytes(dice, 9)));
      return;
    case 4:
      write(`${String(dice.below(10))}${String(dice.below(100))}-${randomText(dice)}`);
      return;
    case 5:
      write(Buffer.from(randomBytes(dice, 1 + dice.below(99))));
      return;
    default:
      write(
        dice.of([
          '0/other,',
          '2["frame"]',
          '51-["frame",{"_placeholder":true,"num":7}]',
          '3',
          '4{}',
          '',
          '5999999999-[]',
        ]),
      );
  }
}

export const wireTarget = (): Target => ({
  name: 'wire',
  share: 5_000,
  limitMs: 90_000,
  settleEvery: 100,
  prepare: async () => {
    const neighbours = await Neighbours.start();
    const { relay } = neighbours;
    const identity = generateKeyPair();
    const recorded: Bytes[] = [];

    async function story(dice: Dice, line: Line, link: ClientLink): Promise<Outcome> {
      const { socket } = line;
      const emit = (frame: Bytes): void => {
        socket.emit(FRAME_EVENT, frame);
      };
      const stage = dice.below(4);
      if (stage === 0) oddPacket(dice, socket);
      const one = link.start();
      emit(stage === 1 ? spoiled(dice, one, recorded) : one);
      const two = await next(line, 1);
      if (two === null || stage <= 1) return `${String(stage)} ${two === null ? 'closed' : 'answered'}`;
      const { reply } = link.receive(two);
      if (reply === null) return 'no third frame';
      recorded.splice(16, 1, one, reply);
      emit(stage === 2 ? spoiled(dice, reply, recorded) : reply);
      const four = await next(line, 2);
      if (four === null || stage === 2) return `2 ${four === null ? 'closed' : 'answered'}`;
      link.receive(four);
      const data = link.seal([{ q: 1, kind: 'ack', body: {} }]);
      if (dice.once(3)) oddPacket(dice, socket);
      else if (dice.once(6)) emit(encodeFrame(FRAME_TYPES.session, randomBytes(dice, 1_048_575)));
      else emit(dice.once(2) ? mutate(dice, data, recorded) : spoiled(dice, data, recorded));
      // The relay ends a session that was spoiled; a lucky frame is answered, and then this one ends it.
      emit(Uint8Array.of(9, 9, 9));
      await when(line, () => line.closed);
      return '3 closed';
    }

    return {
      async run(dice) {
        const line = await dial(relay.url);
        const link = ClientLink.open({ identity, relayKey: relay.publicKey });
        try {
          return await story(dice, line, link);
        } finally {
          link.destroy();
          line.socket.disconnect();
        }
      },
      settle: () => neighbours.talk(),
      end: () => neighbours.end(),
    };
  },
});
