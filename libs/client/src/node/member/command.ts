/** What a command of the member without a screen is, and what they have in common. */
import type { MemberView, RoomView } from '../../contract/api.js';
import { Refused, type Agent, type Line } from './agent.js';
import type { Given, Parameter } from './parameters.js';

/** The passphrases: of the vault, of an export's file, and the next one of the vault. */
export type Secret = 'passphrase' | 'filePassphrase' | 'newPassphrase';

export interface Context {
  readonly agent: Agent;
  /** whether a command ends only once the log holds what it asks for, unless it is told otherwise */
  readonly waits: boolean;
  /** One line of output. */
  readonly print: (line: Line) => void;
  /** From the environment or a file, never from an argument. Throws UsageError. */
  readonly secret: (which: Secret) => Promise<string>;
  /** Lines of the standard input; a shell has none to give. */
  readonly input: () => AsyncIterable<string>;
  /** From now on each change of the watched room is printed. */
  readonly stream: () => void;
}

/** What a command has to say at its end; null for nothing but its success. */
type Result = Readonly<Record<string, unknown>> | null;

export interface Command {
  readonly name: string;
  readonly help: string;
  readonly parameters: readonly Parameter[];
  /** what it needs of the vault: open, made where there is none, or not opened at all */
  readonly vault: 'open' | 'made' | 'closed';
  run(context: Context, given: Given): Promise<Result>;
}

export const ROOM: Parameter = {
  name: 'room',
  kind: 'text',
  help: 'id of the room; the only one where it is left out',
};

export const WAIT: Parameter = {
  name: 'wait',
  kind: 'flag',
  help: 'end only once the log holds it (so on the command line; not so in a shell)',
};

export const waits = (context: Context, given: Given): boolean => given.flag('wait') ?? context.waits;

/** The room of a command, read to its end where the command waits. */
export async function roomOf(context: Context, given: Given): Promise<string> {
  const roomId = context.agent.roomId(given.text('room'));
  if (waits(context, given)) await context.agent.live(roomId);
  return roomId;
}

/** A member by its id or its whole fingerprint; names are not unique. Throws Refused MEMBER_UNKNOWN. */
export function memberOf(room: RoomView, said: string): MemberView {
  const bare = said.replace(/\s/g, '').toUpperCase();
  const found = room.members.find(({ memberId, fingerprint }) => memberId === said || fingerprint === bare);
  if (found === undefined) throw new Refused({ code: 'MEMBER_UNKNOWN' });
  return found;
}

/** The parameters of the text that a command takes last. */
export const text = (help: string, required = true): Parameter => ({
  name: 'text',
  kind: 'text',
  positional: true,
  required,
  help,
});

/** A positional text. */
export const place = (name: string, help: string): Parameter => ({
  name,
  kind: 'text',
  positional: true,
  required: true,
  help,
});
