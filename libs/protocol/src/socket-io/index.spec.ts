/** How frames travel by Socket.IO, and that nothing else does (docs/protocol.md section 3). */
import { describe, expect, jest, test } from '@jest/globals';
import { Encoder, PacketType, type Packet } from 'socket.io-parser';
import { FRAME_EVENT } from '../frames.js';
import { clientParser, relayParser } from './index.js';

const FRAME = Uint8Array.of(2, 1, 7);
const event = (...data: unknown[]): Packet => ({ type: PacketType.EVENT, nsp: '/', data });

/** What a decoder makes of these. */
function decoded(parser: typeof relayParser | typeof clientParser, ...packets: unknown[]): Packet[] {
  const decoder = new parser.Decoder();
  const taken = jest.fn<(packet: Packet) => void>();
  decoder.on('decoded', taken);
  for (const packet of packets) decoder.add(packet);
  return taken.mock.calls.map(([packet]) => packet);
}

describe.each([
  ['relay', relayParser],
  ['client', clientParser],
] as const)('the parser of a %s', (_, parser) => {
  test('takes a frame as the one binary message that it is', () => {
    expect(new parser.Encoder().encode(event(FRAME_EVENT, FRAME))).toEqual([FRAME]);
    expect(decoded(parser, FRAME)).toEqual([event(FRAME_EVENT, FRAME)]);
  });

  test.each([
    '2["frame","text"]',
    '51-["frame",{"_placeholder":true,"num":0}]',
    '52-["frame",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
    '3[]',
    '0/other,',
    '61-[{"_placeholder":true,"num":0}]',
    '',
  ])('refuses %j', (packet) => {
    expect(() => decoded(parser, packet)).toThrow('not a packet of this protocol');
  });

  test.each([
    ['another event', event('message', FRAME)],
    ['a frame with more beside it', event(FRAME_EVENT, FRAME, FRAME)],
    ['one that wants an answer', { ...event(FRAME_EVENT, FRAME), id: 1 }],
  ])('sends no %s', (_name, packet) => {
    expect(() => new parser.Encoder().encode(packet)).toThrow('not a packet of this protocol');
  });
});

test('connecting and ending are Socket.IO’s own', () => {
  const theirs = new Encoder();
  const said = (packet: Packet): unknown => theirs.encode(packet)[0];
  const connect: Packet = { type: PacketType.CONNECT, nsp: '/' };
  const connectedAs: Packet = { type: PacketType.CONNECT, nsp: '/', data: { sid: 'x' } };
  const refused: Packet = { type: PacketType.CONNECT_ERROR, nsp: '/', data: { message: 'no' } };
  const ended: Packet = { type: PacketType.DISCONNECT, nsp: '/' };
  for (const parser of [relayParser, clientParser])
    for (const packet of [connect, connectedAs, refused, ended])
      expect(new parser.Encoder().encode(packet)).toEqual(theirs.encode(packet));
  expect(decoded(relayParser, said(connect), said(ended))).toMatchObject([{ type: 0 }, { type: 1 }]);
  expect(decoded(clientParser, said(connectedAs), said(refused), said(ended))).toMatchObject([
    { type: 0, data: { sid: 'x' } },
    { type: 4 },
    { type: 1 },
  ]);
  for (const packet of [connectedAs, refused])
    expect(() => decoded(relayParser, said(packet))).toThrow('not a packet of this protocol');
});
