#!/usr/bin/env node
/** The relay as a program. An old Node.js could not even load the rest, so its age comes first. */
import type * as CommandLine from './command-line.js';
import { loadProblem } from './config/errors.js';
import { nodeTooOld } from './config/node-version.js';

function refuse(line: string): null {
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
  return null;
}

/** Null: it cannot be loaded, which has been told. */
async function load(): Promise<typeof CommandLine | null> {
  const tooOld = nodeTooOld(process.version);
  if (tooOld !== null) return refuse(tooOld);
  try {
    return await import('./command-line.js');
  } catch (error) {
    const problem = loadProblem(error);
    if (problem === null) throw error;
    return refuse(problem);
  }
}

await (await load())?.commandLine();
