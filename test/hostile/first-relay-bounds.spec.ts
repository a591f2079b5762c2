/** A relay that nobody here has met before serves without end: what is read of it has one. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { ERROR_CODES } from '@0fc/protocol';
import { Member, value } from '../support/member.js';
import { openHurried } from '../support/platform.js';
import { codeOf, failureOf, idOf, Stage } from './stage.js';

jest.setTimeout(120_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const MEGABYTE = 1_048_576;

test('G13 a config.json without end is left after its first bytes', async () => {
  let sent = 0;
  const server = createServer((_, response) => {
    const more = (): void => {
      while (!response.destroyed) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536, 32))) break;
      }
    };
    response.on('drain', more);
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const amina = await Member.create('Amina', `http://127.0.0.1:${String(address.port)}`);
  try {
    const room = { name: 'x', displayName: 'Amina', rotateEvery: 5, approval: false };
    expect(codeOf(await amina.api.createRoom(room))).toBe(ERROR_CODES.RELAY_UNREACHABLE);
    // What the sockets of both ends hold, and not what ten seconds can carry.
    expect(sent).toBeLessThan(16 * MEGABYTE);
  } finally {
    await amina.remove();
    server.closeAllConnections();
    server.close();
  }
});

test('G11 a chain without end is left at the first page that does not prove itself, and so at every start', async () => {
  const { owner, roomId } = await stage.two();
  const pages = (): number =>
    stage.relay.requests('chain').filter(({ memberId }) => memberId !== idOf(owner)).length;
  stage.relay.onReply('chain', (client, reply) =>
    client.memberId === idOf(owner)
      ? undefined
      : { entries: Array.from({ length: 128 }, () => reply.entries[0] ?? new Uint8Array(100)), more: true },
  );
  const dora = await stage.member('Dora');
  const before = pages();
  value(await dora.api.join((await owner.invite(roomId)).link, 'Dora'));
  await stage.byItself('the join to fail', [owner], () => failureOf(dora) !== undefined);
  expect(pages() - before).toBe(1);
  await dora.leave();
  const then = pages();
  await dora.comeBack();
  await stage.byItself('the chain to be asked for again', [owner], () => pages() > then);
  expect(pages() - then).toBeLessThan(4);
});
