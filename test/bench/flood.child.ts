/**
 * For relay/flood.ts: strangers that connect, prove a key, are gone, and come again, until the process is ended. Of the
 * kind `values` each sends a frame of a mebibyte that is all values of one byte before it is cut. Prints a line once the first
 * has come so far. Arguments: the relay's url, and the kind.
 */
import { io } from 'socket.io-client';
import { clientParser } from '@0fc/protocol/socket-io';
import { concat, encodeCbor, FRAME_EVENT, FRAME_TYPES, padFrame } from '@0fc/protocol';
import { loadThemis } from '@0fc/crypto/node';
import { BareSession } from '../../libs/crypto/src/link/bare.spec-support.js';

const SOCKETS = 8;
const VALUES = 1_000_000;

const [url = '', kind = ''] = process.argv.slice(2);
await loadThemis();
// A list of so many zeros, put together by hand: a million values are not to be encoded one by one.
const head = encodeCbor([1, [{ e: 'x', body: { x: 0 } }]]).slice(0, -1);
const length = new Uint8Array(4);
new DataView(length.buffer).setUint32(0, VALUES);
const plain = padFrame(concat(head, Uint8Array.of(0x9a), length, new Uint8Array(VALUES)));
let told = false;

function flood(): void {
  const session = new BareSession();
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    parser: clientParser,
  });
  socket.on('connect', () => socket.emit(FRAME_EVENT, session.start()));
  socket.on(FRAME_EVENT, (frame: Uint8Array) => {
    const established = frame[1] === FRAME_TYPES.session;
    if (established && !told) console.log('begun');
    told ||= established;
    if (established && kind === 'handshakes') {
      socket.disconnect();
      return;
    }
    const reply = established ? session.seal(plain) : session.answer(frame);
    if (reply !== null) socket.emit(FRAME_EVENT, reply);
  });
  const again = (): void => {
    socket.off();
    session.destroy();
    flood();
  };
  socket.once('disconnect', again);
  socket.once('connect_error', again);
}

for (let at = 0; at < SOCKETS; at++) flood();
