/** The command `export`: a file that is whole, or nothing at all. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createNodeClient } from '../client.js';
import { IN_MEMORY } from '../storage.js';
import { Agent, Refused, value } from './agent.js';
import { commandNamed } from './command-table.js';
import type { Context } from './command.js';
import { Given } from './parameters.js';
import { runMember } from './run.js';
import { writeWhole } from './whole-file.js';

const PASSPHRASE = 'a passphrase long enough';
const relayUrl = 'http://localhost:1';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-export-'));
  path = join(folder, 'file');
});
afterEach(() => rm(folder, { recursive: true }));

/** Exports a vault that has just been made. `each` is told before a piece is taken, and how many were. */
async function exporting(each: (agent: Agent, taken: number) => void): Promise<string> {
  const client = await createNodeClient({ folder: IN_MEMORY, relayUrl });
  value(await client.createVault(PASSPHRASE));
  let taken = 0;
  const watched: typeof client = {
    ...client,
    exportVault: (passphrase, take) =>
      client.exportVault(passphrase, (...piece) => {
        each(agent, taken++);
        return take(...piece);
      }),
  };
  const agent = await Agent.over(watched, null, () => undefined);
  const context: Context = {
    agent,
    waits: true,
    print: () => undefined,
    secret: () => Promise.resolve(PASSPHRASE),
    input: () => Readable.from([]),
    stream: () => undefined,
  };
  try {
    const command = commandNamed('export');
    const result = await command.run(context, Given.check(command.parameters, new Map([['file', path]])));
    expect(result).toEqual({ file: path, bytes: (await stat(path)).size });
    return 'ok';
  } catch (error) {
    return error instanceof Refused ? error.failure.code : ((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    await agent.end();
  }
}

test('writes a file that opens elsewhere, and leaves nothing else', async () => {
  expect(await exporting(() => undefined)).toBe('ok');
  expect(await readdir(folder)).toEqual(['file']);
  const other = await createNodeClient({ folder: IN_MEMORY, relayUrl });
  value(await other.importVault(Uint8Array.from(await readFile(path)), PASSPHRASE, PASSPHRASE));
  await other.close();
});

test('writes over no file', async () => {
  await writeFile(path, 'mine');
  let taken = 0;
  expect(await exporting(() => taken++)).toBe('EEXIST');
  expect(taken).toBe(0);
  expect(await readFile(path, 'utf8')).toBe('mine');
});

// The head, a block, the check.
test.each([0, 1, 2])('leaves nothing when it is interrupted at piece %d', async (at) => {
  const code = await exporting((agent, taken) => {
    if (taken === at) agent.interrupt();
  });
  expect(code).toBe('EXPORT_CANCELLED');
  expect(await readdir(folder)).toEqual([]);
});

test('says at its end that it was interrupted, unlike what only listens', async () => {
  const vault = join(folder, 'vault');
  const client = await createNodeClient({ folder: vault, relayUrl });
  value(await client.createVault(PASSPHRASE));
  await client.close();
  const lines: string[] = [];
  let interrupt = (): void => undefined;
  const code = await runMember(['export', path, '--vault', vault, '--relay', relayUrl], {
    environment: {
      FC_PASSPHRASE: PASSPHRASE,
      // Asked for by the command itself: it is under way.
      get FC_FILE_PASSPHRASE() {
        interrupt();
        return PASSPHRASE;
      },
    },
    stdin: Readable.from([]),
    out: (line) => lines.push(line),
    help: () => undefined,
    interrupted: (end) => {
      interrupt = end;
    },
    open: createNodeClient,
  });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { type: 'error', code: 'EXPORT_CANCELLED', command: 'export' },
  ]);
  expect(code).toBe(1);
  expect(await readdir(folder)).toEqual(['vault']);
});

describe('a file that is written whole', () => {
  test('is there for its owner alone, once it is', async () => {
    await writeWhole(path, async (file) => {
      await file.writeFile('one ');
      expect(await readFile(path, 'utf8')).toBe('');
      await file.writeFile('two');
    });
    expect(await readFile(path, 'utf8')).toBe('one two');
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  test('is not there when it cannot be', async () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
    const writing = writeWhole(path, async (file) => {
      await file.writeFile('one ');
      throw full;
    });
    await expect(writing).rejects.toBe(full);
    expect(await readdir(folder)).toEqual([]);
    await expect(writeWhole(join(folder, 'nowhere', 'file'), () => Promise.resolve())).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
