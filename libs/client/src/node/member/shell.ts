/**
 * The shell: one process, many commands. A line of input is `{"id", "command", …parameters}`;
 * its answer is `{"type": "result", "id", …}` or `{"type": "error", "id", "code", "params"}`,
 * among the events of the vault and of the watched room. Commands begin in the order of their
 * lines and end when they end; those that look at a room take turns (watched-room.ts).
 */
import type { Agent, Line } from './agent.js';
import type { Context, Secret } from './command.js';
import { commandNamed } from './command-table.js';
import { failureLine } from './failure.js';
import { Given, readRequest, UsageError, type Request } from './parameters.js';

export interface ShellIo {
  readonly lines: AsyncIterable<string>;
  readonly print: (line: Line) => void;
  readonly secret: (which: Secret) => Promise<string>;
}

async function answer(shared: Agent, request: Request, io: ShellIo): Promise<void> {
  const { id, command: name } = request;
  const agent = shared.beside();
  const rows: Line[] = [];
  const context: Context = {
    agent,
    waits: false,
    // What a command says line by line comes in one piece: between the lines there are events.
    print: (line) => rows.push(line),
    secret: (which) => io.secret(which),
    input: () => {
      throw new UsageError('in a shell, texts are parameters');
    },
    stream: () => {
      throw new UsageError('a shell listens to the room that it watches');
    },
  };
  try {
    const command = commandNamed(name);
    const result = await command.run(context, Given.check(command.parameters, request.values));
    io.print({ type: 'result', id, command: name, ...result, ...(rows.length > 0 ? { rows } : {}) });
  } catch (error) {
    io.print({ ...failureLine(error), id, command: name });
  } finally {
    agent.release();
  }
}

/** Until the input ends and every command has ended. */
export async function shell(agent: Agent, io: ShellIo): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const line of io.lines) {
    if (line.trim() === '') continue;
    let request: Request;
    try {
      request = readRequest(line);
    } catch (error) {
      io.print({ ...failureLine(error), id: null });
      continue;
    }
    const run = answer(agent, request, io).finally(() => running.delete(run));
    running.add(run);
  }
  await Promise.all(running);
}

/** What JSON leaves as it is and a terminal may take for a command, or a reader for another order of letters. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

/**
 * The one way in which a line leaves this program: one line of JSON in which names and texts of others hold nothing that acts on a terminal: it parses to `line`.
 */
export const printed = (line: Line): string =>
  JSON.stringify(line).replace(UNSAFE, (sign) => sign.replace(/[^]/g, escaped));

/** Of one UTF-16 unit. */
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
