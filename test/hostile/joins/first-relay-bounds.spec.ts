/** A relay that nobody here has met before serves without end: what is read of it has one. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { generateKeyPair } from '@0fc/crypto/keys';
import { ERROR_CODES, toBase64Url, type RequestKind } from '@0fc/protocol';
import { Member, value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { codeOf, epochOf, failureOf, idOf, namesIn, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const MEGABYTE = 1_048_576;
const ROOM = { name: 'x', displayName: 'Amina', rotateEvery: 5, approval: false };

/** The only thing that answers at a new client's address while `test` runs. */
async function served(
  answer: RequestListener,
  test: (amina: Member, url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${String(address.port)}`;
  const amina = await Member.create('Amina', url);
  try {
    await test(amina, url);
  } finally {
    await amina.remove();
    server.closeAllConnections();
    server.close();
  }
}

test('G13 a config.json without end is left after its first bytes', async () => {
  let sent = 0;
  const endless: RequestListener = (_, response) => {
    const more = (): void => {
      while (!response.destroyed) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536, 32))) break;
      }
    };
    response.on('drain', more);
    more();
  };
  await served(endless, async (amina) => {
    expect(codeOf(await amina.api.createRoom(ROOM))).toBe(ERROR_CODES.RELAY_UNREACHABLE);
    // What the sockets of both ends hold, and not what ten seconds can carry.
    expect(sent).toBeLessThan(16 * MEGABYTE);
  });
});

test('G13 a config.json that is said to be elsewhere is not looked for there', async () => {
  const asked: (string | undefined)[] = [];
  const elsewhere: RequestListener = ({ url }, response) => {
    asked.push(url);
    if (url === '/config.json') response.writeHead(302, { location: '/other.json' }).end();
    else response.end(JSON.stringify({ relayPublicKey: toBase64Url(generateKeyPair().publicKey) }));
  };
  await served(elsewhere, async (amina) => {
    expect(codeOf(await amina.api.createRoom(ROOM))).toBe(ERROR_CODES.RELAY_UNREACHABLE);
    expect(new Set(asked)).toEqual(new Set(['/config.json']));
  });
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

test('G11 G16 a member who has missed a trimmed range reads one page of a chain without end, and goes on', async () => {
  const { owner, tomas, ines, roomId } = await stage.three();
  await ines.leave();
  for (const name of ['Chidi', 'Dora']) await stage.joined(owner, roomId, name);
  value(await owner.api.rotateNow(roomId));
  await until('the second key', () => [owner, tomas].every((who) => epochOf(who) === 2));
  await owner.say(roomId, 'one');
  await stage.relay.world.trim(roomId, 0);
  await owner.say(roomId, 'two');
  const me = idOf(ines);
  const pages = (): number => stage.relay.requests('chain').filter(({ memberId }) => memberId === me).length;
  const opens = (): number => stage.relay.requests('open').filter(({ memberId }) => memberId === me).length;
  const before = { pages: pages(), opens: opens() };
  let lies = true;
  stage.relay.onReply('chain', (client, { entries }) => {
    if (client.memberId !== me || !lies) return undefined;
    // The first entry is the right one, and nothing behind it is.
    return { entries: Array.from({ length: 128 }, () => entries[0] ?? new Uint8Array(100)), more: true };
  });
  await ines.comeBack();
  await stage.byItself('the chain to be asked for', [ines], () => pages() > before.pages);
  await stage.byItself('a second reading', [ines], () => opens() > before.opens + 1);
  expect(pages() - before.pages).toBeLessThanOrEqual(opens() - before.opens);
  lies = false;
  value(await ines.api.watchRoom(roomId));
  await ines.has('two');
  await stage.byItself('her to see all', [ines], () => namesIn(ines).length === 5);
});

const NEVER: readonly RequestKind[] = ['claim', 'joinRequest', 'chain'];

test.each(NEVER)(
  'G14 G16 a relay that never answers %s is shown to the joiner as not there, and the join can be abandoned',
  async (kind) => {
    const { owner, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    const dora = await stage.member('Dora');
    const others = new Set(stage.relay.requests('open').map(({ memberId }) => memberId));
    stage.relay.onRequest(kind, ({ memberId }) => (others.has(memberId) ? undefined : 'drop'));
    value(await dora.api.join(link, 'Dora'));
    const shown = (): string | undefined => dora.app?.joins.at(-1)?.connection;
    await stage.byItself('the join to have a link', [owner], () => shown() === 'connected');
    // A handshake that succeeds is no answer.
    await stage.byItself(
      'the relay to be shown as not there',
      [owner],
      () => swallowed(kind, others) >= 2 && shown() === 'offline',
    );
    value(await dora.api.abandonJoin(dora.app?.joins.at(-1)?.roomId ?? ''));
    await stage.byItself('the join to be gone', [owner], () => dora.app?.joins.length === 0);
  },
);

const swallowed = (kind: RequestKind, others: ReadonlySet<string>): number =>
  stage.relay.requests(kind).filter(({ memberId }) => !others.has(memberId)).length;
