/**
 * A relay as it is run, whose operator changes its key (docs/operations.md, docs/protocol.md section 3.1): real processes
 * over SQLite, members that are there and away, command lines.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { inherited } from '../support/inherited.js';
import { memberCommand, QUICK, type Spoken } from '../support/member-process.js';
import { Member, value } from '../support/member.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

const MAIN = resolve(import.meta.dirname, '../../apps/relay/dist/main.js');

let relay: RelayProcess;
let folder: string;
const members: Member[] = [];
beforeEach(async () => {
  relay = await RelayProcess.start();
  folder = await mkdtemp(join(tmpdir(), '0fc-succession-'));
});
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.remove()));
  await relay.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** The relay's own command line, over its folder. */
async function command(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited(), DATA_DIR: relay.folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.error += text));
  await once(child, 'close');
  return { code: child.exitCode, ...ended };
}

async function done(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, out, error } = await command(args, environment);
  if (code !== 0) throw new Error(error);
  return out;
}

async function member(name: string): Promise<Member> {
  const made = await Member.create(name, relay.url);
  members.push(made);
  return made;
}

async function joined(owner: Member, roomId: string, name: string): Promise<Member> {
  const guest = await member(name);
  value(await guest.api.join((await owner.invite(roomId)).link, name));
  await guest.admitted(roomId);
  return guest;
}

/** What `keygen` and `succeed` print beside the keys. */
const fingerprintsIn = (text: string): readonly string[] => text.match(/\b[0-9A-F]{16}\b/g) ?? [];
const setting = (text: string, name: string): string =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? '';

describe('a key that the operator changes', () => {
  test('is followed by members that are there, and by one that was away over two changes', async () => {
    const amina = await member('Amina');
    const roomId = await amina.createRoom('Rive droite', 100);
    const tomas = await joined(amina, roomId, 'Tomás');
    const ines = await joined(amina, roomId, 'Inès');
    await ines.leave();
    const first = amina.app?.relay.fingerprint;
    for (const round of ['one', 'two']) {
      const said = await done(['succeed', '--origin', `${relay.url}/`]);
      const [until_, then] = fingerprintsIn(said);
      expect(until_).toBe(amina.app?.relay.fingerprint);
      await relay.stop();
      await relay.start();
      await until('both to follow', () => [amina, tomas].every((who) => who.app?.relay.fingerprint === then));
      await amina.live();
      await amina.say(roomId, `after ${round}`);
      await tomas.has(`after ${round}`);
    }
    await ines.comeBack(roomId);
    await ines.has('after one', 'after two');
    await ines.say(roomId, 'and I am here');
    await amina.has('and I am here');
    for (const who of [amina, ines]) {
      expect(who.app?.relay.followed).toEqual({ from: first, to: who.app?.relay.fingerprint });
      value(await who.api.dismissRelayChange());
      await who.leave();
      await who.comeBack(roomId);
      expect(who.app?.relay).toMatchObject({ followed: null, pinnedBy: 'succession' });
    }
    const left = (await readdir(relay.folder)).filter((name) => /^relay\.key\.[0-9A-F]{16}$/.test(name));
    expect(left).toHaveLength(2);
    for (const name of ['relay.key', ...left])
      expect((await stat(join(relay.folder, name))).mode & 0o777).toBe(0o600);
  });

  test('given by settings is announced first, then served; a newcomer with an older invite is let in', async () => {
    await relay.stop();
    const keys = await done(['keygen']);
    const before = { RELAY_PRIVATE_KEY: setting(keys, 'RELAY_PRIVATE_KEY') };
    await relay.start(before);
    const amina = await member('Amina');
    const roomId = await amina.createRoom('Rive droite', 100);
    const { link } = await amina.invite(roomId);
    const said = await done(
      ['succeed', '--origin', relay.url, '--origin', 'https://chat.example.org'],
      before,
    );
    const announced = { RELAY_SUCCESSION: setting(said, 'RELAY_SUCCESSION') };
    expect(announced.RELAY_SUCCESSION.split(',')).toHaveLength(2);
    await relay.stop();
    await relay.start({ ...before, ...announced });
    // Its output may come after its readiness.
    await until('the announcement', () =>
      relay.log.includes(`gives way to ${fingerprintsIn(said)[1] ?? 'nobody'}`),
    );
    await amina.live();
    const file = join(folder, 'succession');
    await writeFile(file, announced.RELAY_SUCCESSION);
    await relay.stop();
    const after = { RELAY_PRIVATE_KEY: setting(said, 'RELAY_PRIVATE_KEY'), RELAY_SUCCESSION_FILE: file };
    await relay.start(after);
    await until('the owner to follow', () => amina.app?.relay.fingerprint === fingerprintsIn(said)[1]);
    await amina.live();
    const tomas = await member('Tomás');
    value(await tomas.api.join(link, 'Tomás'));
    await tomas.admitted(roomId);
    await amina.say(roomId, 'welcome');
    await tomas.has('welcome');
  });

  test('once more after an interruption goes on with the key that was begun with', async () => {
    await relay.stop();
    const path = join(relay.folder, 'relay.key');
    const old = await readFile(path, 'utf8');
    const said = await done(['succeed', '--origin', relay.url]);
    // As a crash between the statement and the exchange leaves it.
    const next = await readFile(path, 'utf8');
    await writeFile(`${path}.next`, next);
    await writeFile(path, old);
    await relay.start();
    // Its output may come after its readiness.
    await until('the announcement', () =>
      relay.log.includes(`gives way to ${fingerprintsIn(said)[1] ?? 'nobody'}`),
    );
    await relay.stop();
    const again = await done(['succeed', '--origin', relay.url]);
    expect(fingerprintsIn(again).slice(0, 2)).toEqual(fingerprintsIn(said).slice(0, 2));
    expect(await readFile(path, 'utf8')).toBe(next);
    expect((await readFile(join(relay.folder, 'relay.succession'), 'utf8')).trim().split('\n')).toHaveLength(
      1,
    );
    // The key that was begun with is lost: another successor of the same key would be followed by nobody.
    await writeFile(path, old);
    expect((await command(['succeed', '--origin', relay.url])).error).toMatch(
      /gives way to [0-9A-F]{16} already/,
    );
    expect(await readFile(path, 'utf8')).toBe(old);
  });
});

describe('statements that do not hold', () => {
  test('end the start of the relay in one line that names them and the remedy', async () => {
    await relay.stop();
    const keys = await done(['keygen']);
    const RELAY_PRIVATE_KEY = setting(keys, 'RELAY_PRIVATE_KEY');
    const succeed = (environment: NodeJS.ProcessEnv) => done(['succeed', '--origin', relay.url], environment);
    const one = await succeed({ RELAY_PRIVATE_KEY });
    const other = await succeed({ RELAY_PRIVATE_KEY });
    const [first, second] = [setting(one, 'RELAY_SUCCESSION'), setting(other, 'RELAY_SUCCESSION')];
    const next = { RELAY_PRIVATE_KEY: setting(one, 'RELAY_PRIVATE_KEY') };
    const third = await succeed({ ...next, RELAY_SUCCESSION: first });
    const chain = setting(third, 'RELAY_SUCCESSION');
    const large = join(folder, 'large');
    await writeFile(large, 'A'.repeat(10_000_000));
    const bad: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
      [
        { RELAY_PRIVATE_KEY, RELAY_SUCCESSION: 'garbage' },
        /^RELAY_SUCCESSION: statement 1 does not hold \(\w+\)/,
      ],
      [{ ...next, RELAY_SUCCESSION: `${first},AAAA` }, /statement 2 does not hold \(MALFORMED\)/],
      [{ ...next, RELAY_SUCCESSION: `${first},${second}` }, /names two successors of one key/],
      [{ RELAY_SUCCESSION: first }, /is of another key than the relay’s; give the relay the private key/],
      [{ RELAY_PRIVATE_KEY, RELAY_SUCCESSION: chain }, /key was left long ago/],
      [{ ...next, RELAY_SUCCESSION: Array(17).fill(first).join(' ') }, /holds 17 statements, .* 16 at most/],
      [{ ...next, RELAY_SUCCESSION_FILE: large }, /^RELAY_SUCCESSION_FILE: .* more than 65536 bytes/],
      [{ ...next, RELAY_SUCCESSION_FILE: join(folder, 'absent') }, /which is not there/],
      [{ ...next, RELAY_SUCCESSION_FILE: large, RELAY_SUCCESSION: first }, /both set; set one of them/],
    ];
    for (const [environment, text] of bad) {
      const { code, error } = await command(['--port', '0'], environment);
      expect([code, error.trimEnd().split('\n')]).toEqual([1, [expect.stringMatching(text)]]);
    }
    for (const args of [[], ['--origin', 'chat.example.org'], ['--origin', `https://${'x'.repeat(200)}`]]) {
      const { code, error } = await command(['succeed', ...args], { RELAY_PRIVATE_KEY });
      expect([code, error.trimEnd().split('\n')]).toEqual([1, [expect.stringMatching(/--origin/)]]);
    }
    const empty = await command(['succeed', '--origin', relay.url], { DATA_DIR: folder });
    expect(empty).toMatchObject({ code: 1, error: expect.stringMatching(/holds no key of the relay/) });
  });
});

describe('a member’s command line', () => {
  const environment = { FC_PASSPHRASE: 'a long enough passphrase' };
  const amina = (name: string, ...args: readonly string[]): Promise<Spoken> =>
    memberCommand(
      [name, '--vault', join(folder, 'amina'), '--relay', relay.url, ...args],
      environment,
      '',
      QUICK,
    );

  test('follows a succession and tells it once; --relay-key and repin are the user’s own act, or one line', async () => {
    expect((await amina('create', 'Rive droite', '--as', 'Amina')).code).toBe(0);
    const [from, to] = fingerprintsIn(await done(['succeed', '--origin', relay.url]));
    await relay.stop();
    await relay.start();
    const [told] = (await amina('send', 'one')).lines;
    expect(told).toEqual({ type: 'relay', by: 'succession', from, to });
    expect((await amina('send', 'two')).lines).toMatchObject([{ type: 'result' }]);
    // After a theft: another key, and nobody who signs for it.
    const keys = await done(['keygen']);
    const [fresh = ''] = fingerprintsIn(keys);
    await relay.stop();
    await relay.start({ RELAY_PRIVATE_KEY: setting(keys, 'RELAY_PRIVATE_KEY') });
    const refused = await amina('send', 'three');
    expect(refused).toMatchObject({
      code: 1,
      lines: [{ code: 'RELAY_KEY_MISMATCH', params: { pinned: to, other: fresh } }],
    });
    const strange = setting(await done(['keygen']), 'RELAY_PUBLIC_KEY');
    const stranger = await amina('rooms', '--relay-key', strange);
    expect(stranger).toMatchObject({
      code: 1,
      lines: [{ code: 'RELAY_KEY_MISMATCH', params: { pinned: to, other: fresh } }],
    });
    expect((await amina('repin', 'DEAD BEEF')).lines).toMatchObject([{ code: 'FINGERPRINT_MALFORMED' }]);
    const pinned = await amina('send', 'four', '--relay-key', setting(keys, 'RELAY_PUBLIC_KEY'));
    expect(pinned).toMatchObject({
      code: 0,
      lines: [{ type: 'relay', by: 'user', from: to, to: fresh }, { type: 'result' }],
    });
    expect((await amina('send', 'five')).code).toBe(0);
    await relay.stop();
    await relay.start();
    const back = await amina('repin', to ?? '');
    expect(back).toMatchObject({ code: 0, lines: [{ type: 'result', command: 'repin', from: fresh, to }] });
    const texts = (await amina('history')).lines.flatMap(({ text }) =>
      typeof text === 'string' ? [text] : [],
    );
    expect(texts).toEqual(expect.arrayContaining(['one', 'two', 'four', 'five']));
    expect((await amina('rooms', '--relay-key', 'garbage')).lines).toMatchObject([{ code: 'BAD_KEY' }]);
  });
});
