import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { COMMANDS, GLOBALS, usage } from './command-table.js';
import { exitCodeOf, failureLine } from './failure.js';
import { dashed, Given, readArguments, readRequest, UsageError, type Parameter } from './parameters.js';
import { ClientError } from '../../contract/errors.js';
import { Refused } from './agent.js';

const MEMBER: Parameter = { name: 'member', kind: 'text', positional: true, required: true, help: 'who' };
const TEXT: Parameter = { name: 'text', kind: 'text', positional: true, help: 'what' };
const ROTATE: Parameter = { name: 'rotateEvery', kind: 'number', help: 'how often' };
const WAIT: Parameter = { name: 'wait', kind: 'flag', help: 'whether' };
const ALL = [MEMBER, TEXT, ROTATE, WAIT];

describe('seconds', () => {
  const TIMEOUT = GLOBALS.filter(({ name }) => name === 'timeout');
  const read = (value: string): number | null =>
    readArguments(TIMEOUT, [`--timeout=${value}`]).milliseconds('timeout');

  it.each(['0', '-1', '-0', '2147484', '1e300', 'NaN', 'Infinity', 'soon', ''])(
    '%j are none that a timer can wait: one line that says what to write',
    (value) => {
      expect(() => read(value)).toThrow(UsageError);
      expect(() => read(value)).toThrow(/^timeout is to be .*seconds.*$/);
    },
  );

  it('are milliseconds within what a timer can wait', () => {
    expect(readArguments(TIMEOUT, []).milliseconds('timeout')).toBeNull();
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (seconds) => {
        const good = seconds > 0 && seconds <= 2_147_483;
        if (good) expect(read(String(seconds))).toBeLessThan(2 ** 31);
        else expect(() => read(String(seconds))).toThrow(UsageError);
      }),
    );
  });
});

describe('arguments', () => {
  it('by name, in place, and mixed', () => {
    const given = readArguments(ALL, ['--rotate-every', '20', 'abc', 'two', 'words', '--wait']);
    expect(given.text('member')).toBe('abc');
    expect(given.text('text')).toBe('two words');
    expect(given.number('rotateEvery')).toBe(20);
    expect(given.flag('wait')).toBe(true);
    expect(readArguments(ALL, ['--member=x', 'a', 'b']).text('text')).toBe('a b');
  });

  it('what was not given is null', () => {
    const given = readArguments(ALL, ['abc']);
    expect([given.text('text'), given.number('rotateEvery'), given.flag('wait')]).toEqual([null, null, null]);
  });

  it('an id that begins with a dash is an id', () => {
    expect(readArguments(ALL, ['-Zk3', '-x']).text('member')).toBe('-Zk3');
    expect(readArguments(ALL, ['--member', '--wait', 'x']).text('member')).toBe('--wait');
    expect(readArguments(ALL, ['a', '--', '--wait', '--']).text('text')).toBe('--wait --');
  });

  it('flags go on and off', () => {
    for (const off of ['--no-wait', '--wait=off', '--wait=false'])
      expect(readArguments(ALL, ['a', off]).flag('wait')).toBe(false);
    expect(readArguments(ALL, ['a', '--wait=on']).flag('wait')).toBe(true);
  });

  it.each([
    [['a', '--unknown', 'x'], /no option --unknown/],
    [[], /member is missing/],
    [['a', '--rotate-every'], /--rotate-every lacks its value/],
    [['a', '--rotate-every', 'many'], /rotateEvery is to be a number/],
    [['a', '--rotate-every', ' '], /rotateEvery is to be a number/],
    [['a', '--wait=perhaps'], /--wait is on or off/],
  ])('%j is a misuse', (args, message) => {
    expect(() => readArguments(ALL, args)).toThrow(UsageError);
    expect(() => readArguments(ALL, args)).toThrow(message);
  });

  it.each([
    [['--member', 'x', '--member', 'x'], /--member is repeated: give it once/],
    [['a', '--wait', '--no-wait'], /--wait is repeated/],
    [['a', '--rotate-every=1', '--rotate-every', '1'], /--rotate-every is repeated/],
    [['a', '--waits'], /no option --waits here: use .*--rotate-every, --wait$/],
    [['a', '--__proto__=x'], /no option --__proto__/],
    [['a', '--wait=constructor'], /--wait is on or off: write --wait or --wait=off/],
    [['a', '--no-wait=constructor'], /--no-wait is on or off/],
  ])('%j is a misuse of one line that says what to write', (args, message) => {
    expect(() => readArguments(ALL, args)).toThrow(message);
    expect(() => readArguments(ALL, args)).toThrow(/^.+$/);
  });

  it('an id with dashes anywhere is one value, wherever it stands', () => {
    const id = fc.string({ unit: fc.constantFrom('-', 'a', 'Z', '_', '='), minLength: 1 });
    fc.assert(
      fc.property(id, id, (rest, other) => {
        fc.pre(!rest.startsWith('-'));
        const args = [`-${rest}`, '--text', `-${other}`, '--wait'];
        const given = readArguments(ALL, args);
        expect([given.text('member'), given.text('text')]).toEqual([`-${rest}`, `-${other}`]);
        expect(given.flag('wait')).toBe(true);
      }),
    );
  });

  it('more than there is a place for is a misuse', () => {
    expect(() => readArguments([ROTATE], ['20'])).toThrow(/1 arguments too many/);
    expect(() => readArguments([{ ...ROTATE, positional: true }], ['20', '30'])).toThrow(
      /1 arguments too many/,
    );
  });

  it('any list of arguments is read or is a misuse', () => {
    const argument = fc.oneof(
      fc.string(),
      fc.constantFrom('--wait', '--no-wait', '--rotate-every', '--', '-'),
    );
    fc.assert(
      fc.property(fc.array(argument), (args) => {
        try {
          expect(typeof readArguments(ALL, args).needed('member')).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });

  it('any text comes back as it was said', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (member, text) => {
        const given = readArguments(ALL, [`--member=${member}`, '--text', text]);
        expect([given.text('member'), given.text('text')]).toEqual([member, text]);
      }),
    );
  });
});

describe('requests', () => {
  it('have an id of the caller, a command and its parameters', () => {
    const request = readRequest('{"id": 7, "command": "send", "text": "hello", "wait": true}');
    expect(request).toMatchObject({ id: 7, command: 'send' });
    const given = Given.check([TEXT, WAIT], request.values);
    expect([given.text('text'), given.flag('wait')]).toEqual(['hello', true]);
    expect(readRequest('{"command": "rooms"}').id).toBeNull();
  });

  it.each(['', '[]', 'null', '"send"', '{', '{"id": 1}', '{"command": 1}', '{"command": "x", "id": {}}'])(
    '%s is a misuse',
    (line) => {
      expect(() => readRequest(line)).toThrow(UsageError);
    },
  );

  it('values of another kind, and names that are none, are a misuse', () => {
    for (const values of [
      { text: 1 },
      { wait: 'true' },
      { rotateEvery: '20' },
      { rotateEvery: NaN },
      { other: 1 },
    ])
      expect(() => Given.check([TEXT, WAIT, ROTATE], new Map(Object.entries(values)))).toThrow(UsageError);
  });
});

describe('commands', () => {
  it('have names of their own, and parameters that do not collide', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { parameters } of COMMANDS) {
      const all = [...parameters, ...GLOBALS].flatMap(({ name, kind }) =>
        kind === 'flag' ? [dashed(name), `no-${dashed(name)}`] : [dashed(name)],
      );
      expect(new Set(all).size).toBe(all.length);
      // In a shell these two are the line's own.
      expect(parameters.some(({ name }) => name === 'id' || name === 'command')).toBe(false);
    }
  });

  it('are all in the help, and no passphrase is an argument', () => {
    for (const { name } of COMMANDS) expect(usage()).toContain(`\n  ${name}`);
    const options = [...GLOBALS, ...COMMANDS.flatMap(({ parameters }) => parameters)];
    expect(options.filter(({ name }) => /passphrase/i.test(name)).map(({ name }) => name)).toEqual([
      'passphraseFile',
      'filePassphraseFile',
      'newPassphraseFile',
    ]);
  });
});

describe('failures', () => {
  it('are one line with a code, and an exit code', () => {
    const cases = [
      [new UsageError('so'), 'MISUSE', 2],
      [new Refused({ code: 'NOT_OWNER' }), 'NOT_OWNER', 1],
      [new ClientError('WRONG_PASSPHRASE'), 'WRONG_PASSPHRASE', 3],
      [new Refused({ code: 'TIMED_OUT', params: { seconds: 60 } }), 'TIMED_OUT', 4],
      [
        Object.assign(new Error('ENOENT: /a/secret/place'), { syscall: 'open', code: 'ENOENT' }),
        'FILE_ENOENT',
        3,
      ],
      [new TypeError('a defect'), 'INTERNAL', 1],
    ] as const;
    for (const [error, code, exit] of cases) {
      const line = failureLine(error);
      expect(line).toMatchObject({ type: 'error', code });
      expect(exitCodeOf(line.code)).toBe(exit);
      expect(JSON.stringify(line)).not.toContain('/a/secret/place');
    }
    expect(failureLine(new Refused({ code: 'TIMED_OUT', params: { seconds: 60 } }))).toEqual({
      type: 'error',
      code: 'TIMED_OUT',
      params: { seconds: 60 },
    });
  });
});
