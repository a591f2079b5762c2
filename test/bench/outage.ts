/**
 * npm run bench -- outage [rounds]: how soon a member knows that its relay is silent (stopped as a whole, so that its
 * sockets stay open), and how soon a line that was written meanwhile is acknowledged once a relay that was down for 5 s is
 * ready again (docs/decisions/0043). Milliseconds: median, and the longest.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MemberProcess } from '../support/member-process.js';
import { isSent } from '../support/sent.js';
import { RelayProcess } from '../support/relay-process.js';

const DOWN_MS = 5_000;
const rounds = Number(process.argv[2] ?? 5);

const relay = await RelayProcess.start();
const amina = await MemberProcess.create('Amina', relay.url);

function print(what: string, all: readonly number[]): void {
  const sorted = all.map(Math.round).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(
    `${what.padEnd(64)} ${String(median).padStart(6)} ${String(sorted.at(-1)).padStart(6)}\n`,
  );
}

async function acknowledged(text: string): Promise<number> {
  await amina.sees('its line', () => amina.messages.some((line) => isSent(line) && line.text === text));
  return performance.now();
}

try {
  await amina.createRoom('Panne');
  const [known, back] = [[] as number[], [] as number[]];
  for (let round = 0; round < rounds; round++) {
    // Else it would take a network that falls silent again and again for a slow one.
    await amina.restart();
    await amina.live();
    await amina.say(`before ${String(round)}`);
    await acknowledged(`before ${String(round)}`);
    const begun = performance.now();
    process.kill(relay.pid, 'SIGSTOP');
    await amina.sees('that nobody answers', () => amina.room?.connection !== 'connected');
    known.push(performance.now() - begun);
    process.kill(relay.pid, 'SIGCONT');
    await amina.live();

    await relay.stop('SIGKILL');
    const text = `meanwhile ${String(round)}`;
    await amina.say(text);
    await pause(DOWN_MS);
    await relay.start();
    const ready = performance.now();
    back.push((await acknowledged(text)) - ready);
  }
  process.stdout.write(`${''.padEnd(64)} median    max\n`);
  print('stopped relay: until the member shows it', known);
  print('relay down 5 s and ready again: until the first acknowledgement', back);
} finally {
  process.kill(relay.pid, 'SIGCONT');
  await amina.remove();
  await relay.remove();
}
