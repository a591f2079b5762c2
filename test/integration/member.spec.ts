/** The member without a screen as people and scripts use it: command lines, lines of JSON, exit codes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MAIN,
  memberCommand,
  MemberProcess,
  memberSpeaks,
  QUICK,
  type Speaking,
  type Spoken,
} from '../support/member-process.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

let relay: RelayProcess;
let base: string;

beforeAll(async () => {
  relay = await RelayProcess.start();
  base = await mkdtemp(join(tmpdir(), '0fc-cli-'));
});
afterAll(async () => {
  await relay.remove();
  await rm(base, { recursive: true, force: true });
});

const environment = {
  FC_PASSPHRASE: 'a long enough passphrase',
  FC_FILE_PASSPHRASE: 'the passphrase of a file',
};

/** A command of one of the members, over its folder. By default its vault opens at once. */
const member =
  (name: string, program = QUICK) =>
  (
    command: string,
    args: readonly string[] = [],
    input: string | null = '',
    more: NodeJS.ProcessEnv = {},
  ): Promise<Spoken> =>
    memberCommand([command, ...of(name), ...args], { ...environment, ...more }, input, program);
const listens = (name: string, ...args: readonly string[]): Speaking =>
  memberSpeaks(['listen', ...of(name), ...args], environment, '', QUICK);
const of = (name: string): readonly string[] => ['--vault', join(base, name), '--relay', relay.url];

/** The result of a command that must succeed, and the lines before it. */
async function done(spoken: Promise<Spoken>) {
  const { code, lines, help } = await spoken;
  const result = lines.at(-1);
  if (code !== 0 || result?.type !== 'result')
    throw new Error(`${String(code)} ${JSON.stringify(lines)} ${help}`);
  return { result, lines: lines.slice(0, -1) };
}

describe('two members by command lines', () => {
  const amina = member('amina');
  const tomas = member('tomas');

  test('make a room, meet in it, talk, and one is shut out', async () => {
    const { result: made } = await done(
      amina('create', ['Rive droite', '--as', 'Amina', '--rotate-every', '50']),
    );
    const { result: invite } = await done(amina('invite', ['--hours', '1']));
    // The owner has to be there to let somebody in.
    const owner = listens('amina');
    const joined = await done(tomas('join', ['--as', 'Tomás'], `${String(invite.link)}\n`));
    expect(joined.lines.map(({ step }) => step)).toEqual([
      'claim',
      'request',
      'ownerReply',
      'keyReceived',
      'confirmed',
    ]);
    await done(tomas('send', ['anybody', 'here?']));
    await until('the owner to hear of both', () =>
      ['admitted', 'message'].every((what) =>
        owner.lines.some(({ type, event }) => type === what || event === what),
      ),
    );
    owner.interrupt();
    expect((await owner.end).code).toBe(0);
    expect(joined.result.roomId).toBe(made.roomId);

    const { result: sent } = await done(tomas('send', ['hello', 'over', 'there']));
    // Sequences that set a terminal's title and turn its lines around.
    const sequences = '\u009d0;owned\u009c\u202e\u2028\ufeff\u007f';
    await done(tomas('send', [sequences]));
    const { result: lines } = await done(amina('send', [], 'one\n\ntwo\n'));
    expect(lines.ids).toHaveLength(2);
    await done(amina('reply', [String(sent.messageId), 'I hear you']));
    await done(amina('react', [String(sent.messageId), '👍']));
    const said = await amina('history');
    const { lines: history } = await done(Promise.resolve(said));
    expect(said.output.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    const texts = history.filter(({ type }) => type === 'message').map(({ text }) => text);
    expect(texts).toEqual(['anybody here?', 'hello over there', sequences, 'one', 'two', 'I hear you']);
    await done(tomas('edit', [String(sent.messageId), 'hello there']));
    await done(tomas('delete', [String(sent.messageId)]));
    const { lines: members } = await done(amina('members'));
    expect(members.map(({ name, owner: owns }) => [name, owns])).toEqual([
      ['Amina', true],
      ['Tomás', false],
    ]);
    const guest = members.find(({ name }) => name === 'Tomás');
    const numbers = await Promise.all([
      done(amina('safety-number', [String(guest?.fingerprint)])),
      done(tomas('safety-number', [String(members[0]?.memberId)])),
    ]);
    expect(numbers[0].result.digits).toBe(numbers[1].result.digits);
    await done(amina('verify', [String(guest?.memberId)]));

    await done(amina('remove', [String(guest?.memberId)]));
    const { lines: rooms } = await done(amina('rooms'));
    expect(rooms).toMatchObject([{ type: 'summary', roomId: made.roomId, owner: true }]);
    expect((await tomas('send', ['too late'])).lines).toMatchObject([{ type: 'error', code: 'NOT_MEMBER' }]);
  });

  test('a wrong passphrase, a lacking vault, an unknown command and a refusal have their exit codes', async () => {
    const wrong = await amina('rooms', [], '', { FC_PASSPHRASE: 'not the passphrase at all' });
    expect(wrong).toMatchObject({ code: 3, lines: [{ type: 'error', code: 'WRONG_PASSPHRASE' }] });
    const file = join(base, 'passphrase');
    await writeFile(file, `\ufeff${environment.FC_PASSPHRASE}\r\n`);
    const fromFile = await amina('rooms', ['--passphrase-file', file], '', { FC_PASSPHRASE: 'another one' });
    expect(fromFile).toMatchObject({ code: 0, lines: [{ type: 'summary' }, { type: 'result' }] });
    const never = await amina('rooms', ['--timeout', '2147484']);
    expect(never).toMatchObject({ code: 2, lines: [{ type: 'error', code: 'MISUSE' }] });
    const absent = await member('nobody')('rooms', [], null);
    expect(absent).toMatchObject({ code: 3, lines: [{ type: 'error', code: 'VAULT_ABSENT' }] });
    const misuse = await memberCommand(['dance'], environment);
    expect(misuse).toMatchObject({ code: 2, lines: [{ type: 'error', code: 'MISUSE' }] });
    expect(misuse.help).toContain('npm run -s member -- COMMAND');
    const refused = await amina('remove', ['nobody']);
    expect(refused).toMatchObject({ code: 1, lines: [{ type: 'error', code: 'MEMBER_UNKNOWN' }] });
    const away = await memberCommand(
      ['create', 'x', '--as', 'y', '--vault', join(base, 'away'), '--relay', 'http://localhost:1'],
      environment,
    );
    expect(away).toMatchObject({ code: 4, lines: [{ type: 'error', code: 'RELAY_UNREACHABLE' }] });
  });

  test('a vault goes to another folder, and its passphrase changes', async () => {
    const real = (name: string) => member(name, MAIN);
    const kept = real('kept');
    await done(kept('create', ['Rive droite', '--as', 'Amina']));
    const file = join(base, 'export.0fc');
    await done(kept('sharing', ['--no-presence', '--no-typing']));
    await done(kept('export', [file]));
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect((await kept('export', [file])).lines).toMatchObject([{ code: 'FILE_EEXIST' }]);
    const moved = real('moved');
    expect(
      (await moved('import', [file], '', { FC_FILE_PASSPHRASE: 'another, wrong one' })).lines,
    ).toMatchObject([{ type: 'error', code: 'WRONG_PASSPHRASE' }]);
    expect((await done(moved('import', [file]))).result.rooms).toBe(1);
    const sharing = { receipts: true, typing: false, presence: false };
    expect((await done(moved('sharing'))).result).toMatchObject({ sharing });
    const next = join(base, 'next-passphrase');
    await writeFile(next, 'the next passphrase, long enough\n');
    await done(moved('passphrase', ['--new-passphrase-file', next]));
    expect((await moved('rooms')).code).toBe(3);
    await done(moved('rooms', ['--passphrase-file', next]));
  });
});

describe('a line that was written before somebody came', () => {
  const amina = member('writing-amina');
  const tomas = member('writing-tomas');
  const ines = member('writing-ines');

  test('is asked about by commands, and goes or is given up by a word', async () => {
    await done(amina('create', ['Rive gauche', '--as', 'Amina']));
    const links = [await done(amina('invite')), await done(amina('invite'))].map(({ result }) => result.link);
    const owner = listens('writing-amina');
    try {
      await done(tomas('join', ['--as', 'Tomás'], `${String(links[0])}\n`));
      const nowhere = ['--vault', join(base, 'writing-tomas'), '--relay', 'http://localhost:1', '--no-wait'];
      for (const text of ['for two', 'for nobody else'])
        await done(memberCommand(['send', text, ...nowhere], environment, '', QUICK));
      await done(ines('join', ['--as', 'Inès'], `${String(links[1])}\n`));
      // A command that joins may end before its member's name has left: one that stays sends it.
      const newcomer = listens('writing-ines', '--from-start');
      try {
        await until('her name to be in the log', async () =>
          (await done(tomas('members'))).lines.some(({ name }) => name === 'Inès'),
        );
        // It may have been there before: who has yet to begin cannot be interrupted.
        await until('her to listen', () => newcomer.lines.length > 0);
      } finally {
        newcomer.interrupt();
      }
      expect((await newcomer.end).code).toBe(0);
      const asked = await tomas('send', ['afterwards']);
      const { lines: waiting } = await done(tomas('unsent'));
      expect(waiting).toMatchObject([
        { type: 'message', text: 'for two', state: 'waiting', newcomers: ['Inès'] },
        { type: 'message', text: 'for nobody else', state: 'waiting', newcomers: ['Inès'] },
      ]);
      const [first, second] = waiting.map(({ id }) => String(id));
      expect(asked).toMatchObject({
        code: 1,
        lines: [{ type: 'error', code: 'ANSWER_NEEDED', params: { message: first } }],
      });
      await done(tomas('confirm', [first!]));
      expect(await tomas('confirm', [first!])).toMatchObject({
        code: 1,
        lines: [{ type: 'error', code: 'MESSAGE_UNKNOWN' }],
      });
      await done(tomas('discard', [second!]));
      expect((await done(tomas('unsent'))).lines).toEqual([]);
      await done(tomas('send', ['and on']));
      await until('the owner to hear of it', () => owner.lines.some(({ text }) => text === 'and on'));
    } finally {
      owner.interrupt();
    }
    expect((await owner.end).code).toBe(0);
    const { lines } = await done(amina('history'));
    const texts = lines.filter(({ type }) => type === 'message').map(({ text }) => text);
    expect(texts).toEqual(['for two', 'afterwards', 'and on']);
  });
});

describe('an echo bot', () => {
  test('answers each message once, over a restart', async () => {
    const owner = await MemberProcess.create('Amina', relay.url);
    const bot = await MemberProcess.create('Echo', relay.url);
    try {
      await owner.createRoom('Echoes');
      await bot.join(await owner.invite());
      const answered = new Set<string>();
      const echo = async (): Promise<void> => {
        for (const message of bot.messages) {
          if (message.mine || answered.has(message.id)) continue;
          answered.add(message.id);
          await bot.ask('reply', { message: message.id, text: message.text });
        }
      };
      await owner.say('one');
      await bot.has('one');
      await echo();
      await bot.restart();
      await owner.say('two');
      await bot.has('two');
      await echo();
      await owner.sees(
        'both echoes',
        () => owner.messages.filter(({ replyTo }) => replyTo !== null).length === 2,
      );
      expect(owner.messages.map(({ text }) => text).sort()).toEqual(['one', 'one', 'two', 'two']);
      await expect(bot.ask('rotate')).rejects.toMatchObject({ code: 'NOT_OWNER' });
      await expect(bot.ask('dance')).rejects.toMatchObject({ code: 'MISUSE' });
      await expect(bot.ask('send', { txt: 'x' })).rejects.toMatchObject({ code: 'MISUSE' });
    } finally {
      await Promise.all([owner.remove(), bot.remove()]);
    }
  });

  test('sends to the room that it watches, whatever room a command was about', async () => {
    const bot = await MemberProcess.create('Echo', relay.url);
    try {
      await bot.createRoom('Rive droite');
      const right = await bot.ask('create', { name: 'Rive gauche', as: 'Echo' });
      const rooms = { left: String(right.roomId), right: bot.roomId };
      await bot.ask('watch', { room: rooms.right });
      await bot.ask('members', { room: rooms.left });
      await bot.ask('settings', { room: rooms.left });
      await bot.ask('send', { text: 'for the right bank' });
      await expect(bot.ask('watch', { room: 'constructor' })).rejects.toMatchObject({ code: 'ROOM_UNKNOWN' });
      await bot.ask('send', { text: 'and on' });
      for (const [room, texts] of [
        [rooms.right, ['for the right bank', 'and on']],
        [rooms.left, []],
      ] as const) {
        const { rows } = await bot.ask('history', { room });
        const lines = (rows ?? []) as readonly { readonly type: string; readonly text: string }[];
        expect(lines.filter(({ type }) => type === 'message').map(({ text }) => text)).toEqual(texts);
      }
    } finally {
      await bot.remove();
    }
  });
});
