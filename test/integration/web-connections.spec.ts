/** Connections that end while files of the web client are asked for: none of them stays open. */
import { randomBytes } from 'node:crypto';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../support/wait.js';
import { ServedBuild } from './web-served.js';

let build: ServedBuild;

beforeAll(async () => {
  build = await ServedBuild.start();
  // More than a socket buffers: the answers behind it wait.
  await writeFile(join(build.web, 'large.bin'), randomBytes(16 * 1024 * 1024));
});
afterAll(() => build.end());

/** Files of the build that this process, which is the relay too, holds open. */
async function openFiles(): Promise<readonly string[]> {
  const links = (await readdir('/proc/self/fd')).map(async (fd) => {
    try {
      return await readlink(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return (await Promise.all(links)).filter((path) => path.startsWith(build.web));
}

describe('pipelined requests', () => {
  test.each(['/large.bin', '/', '/main-ABCDEF12.js'])(
    'for %s leave no file open once their connection has gone',
    async (path) => {
      const request = (of: string): string => `GET ${of} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const socket = connect(build.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise<void>((begun) => {
        // The first bytes of the first answer: the others are being looked for. Nothing more is read.
        socket.once('data', () => {
          socket.pause();
          begun();
        });
        socket.write(request('/large.bin') + request(path).repeat(100));
      });
      expect((await openFiles()).length).toBeLessThanOrEqual(2);
      socket.destroy();
      await until('every file to be closed', async () => (await openFiles()).length === 0);
    },
  );

  test('are all answered, in their order, where the connection stays', async () => {
    const paths = ['/large.bin', '/', '/plain.js', '/large.bin', '/nowhere.js', '/'];
    const socket = connect(build.port, '127.0.0.1');
    const ends = paths.map((path, at) => {
      const last = at === paths.length - 1 ? 'Connection: close\r\n' : '';
      return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${last}\r\n`;
    });
    socket.write(ends.join(''));
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    const statuses = Buffer.concat(parts)
      .toString('latin1')
      .match(/HTTP\/1\.1 \d{3}/g);
    expect(statuses).toEqual([200, 200, 200, 200, 404, 200].map((status) => `HTTP/1.1 ${String(status)}`));
  });
});
