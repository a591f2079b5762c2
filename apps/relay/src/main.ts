#!/usr/bin/env node
/** The relay as a program. An old Node.js could not even load the rest, so its age comes first. */
import { nodeTooOld } from './config/node-version.js';

const problem = nodeTooOld(process.version);
if (problem === null) {
  const { commandLine } = await import('./command-line.js');
  await commandLine();
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
