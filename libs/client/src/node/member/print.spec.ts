/** What the member command prints: JSON that no terminal takes for a command. */
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { createNodeClient } from '../client.js';
import { printed } from './shell.js';
import { runMember } from './run.js';

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cf}]/u;

/** All that the program writes when it is called like this; no vault is opened. */
async function written(
  args: readonly string[],
): Promise<{ readonly lines: string[]; readonly help: string }> {
  const lines: string[] = [];
  let help = '';
  await runMember(args, {
    environment: {},
    stdin: new PassThrough(),
    out: (line) => {
      lines.push(line);
    },
    help: (text) => {
      help += text;
    },
    interrupted: () => undefined,
    open: createNodeClient,
  });
  return { lines, help };
}

describe('a line of output', () => {
  test('holds no control character, raw or of the second set, and parses to the same value', async () => {
    const unsafe = [
      '\u009b31m',
      '\u009d0;title\u009c',
      '\u202e',
      '\u2028',
      '\u2066',
      '\u007f',
      '\ufeff',
      '\u{e0041}',
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...unsafe), fc.string({ unit: 'binary', maxLength: 3 }))).map(
      (parts) => parts.join(''),
    ); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(text, async (name) => {
        const { lines, help } = await written([`no-${name}`]);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(UNSAFE);
        expect(help.replaceAll('\n', '')).not.toMatch(UNSAFE);
        const { message } = JSON.parse(lines[0]!) as { message: string };
        expect(message).toBe(`there is no command no-${name}: help lists them`);
      }),
      { numRuns: 200, examples: unsafe.map((sign) => [sign]) },
    );
  });

  test('is so whatever it holds: texts, names, keys', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        fc.dictionary(text, fc.oneof(text, fc.array(text)), { noNullPrototype: true }),
        (fields) => {
          const line = { ...fields, type: 'message' };
          expect(printed(line)).not.toMatch(UNSAFE);
          expect(JSON.parse(printed(line))).toEqual(JSON.parse(JSON.stringify(line)));
        },
      ),
      { numRuns: 500 },
    );
  });
});
