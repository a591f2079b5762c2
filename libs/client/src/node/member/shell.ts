/**
 * The shell: one process, many commands. A line of input is `{"id", "command", …parameters}`;
 * its answer is `{"type": "result", "id", …}` or `{"type": "error", "id", "code", "params"}`,
 * among the events of the vault and of the watched room. Commands begin in the order of their
 * lines and end when they end.
 */
import type { Agent, Line } from './agent.js';
import type { Context, Secret } from './command.js';
import { commandNamed } from './commands.js';
import { failureLine } from './failure.js';
import { Given, readRequest, UsageError, type Request } from './parameters.js';

export interface ShellIo {
  readonly lines: AsyncIterable<string>;
  readonly print: (line: Line) => void;
  readonly secret: (which: Secret) => Promise<string>;
}

async function answer(agent: Agent, request: Request, io: ShellIo): Promise<void> {
  const { id, command: name } = request;
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
