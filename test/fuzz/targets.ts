/** All targets, in the order in which they run. The shares are of a million cases. */
import type { Corpus } from './corpus.js';
import type { Target } from './target.js';
import { codecTarget } from './targets/codec.js';
import { entriesTarget } from './targets/entries.js';
import { framesTarget } from './targets/frames.js';
import { handshakesTarget } from './targets/handshakes.js';
import { inSessionTarget } from './targets/in-session.js';
import { invitesTarget } from './targets/invites.js';
import { passphrasesTarget } from './targets/passphrases.js';
import { hangTarget, wrongTarget } from './targets/planted.js';
import { schemasTarget } from './targets/schemas.js';
import { connectionTarget, sessionTarget } from './targets/session.js';
import { exportsTarget, recordsTarget } from './targets/vault.js';
import { wireTarget } from './targets/wire.js';

interface Listed {
  readonly name: string;
  readonly share: number;
  readonly make: (corpus: Corpus) => Target;
}

export const TARGETS: readonly Listed[] = [
  { name: 'codec', share: 500_000, make: codecTarget },
  { name: 'schemas', share: 150_000, make: schemasTarget },
  { name: 'frames', share: 50_000, make: framesTarget },
  { name: 'invites', share: 30_000, make: invitesTarget },
  { name: 'handshakes', share: 15_000, make: handshakesTarget },
  { name: 'wire', share: 5_000, make: wireTarget },
  { name: 'in-session', share: 150_000, make: inSessionTarget },
  { name: 'entries', share: 22_000, make: entriesTarget },
  { name: 'session', share: 15_000, make: sessionTarget },
  { name: 'connection', share: 3_000, make: connectionTarget },
  { name: 'records', share: 40_000, make: recordsTarget },
  { name: 'exports', share: 18_000, make: exportsTarget },
  { name: 'passphrases', share: 2_000, make: passphrasesTarget },
];

/** With faults in them: only by name, for the spec. */
export const PLANTED: readonly Listed[] = [
  { name: 'hang', share: 1, make: hangTarget },
  { name: 'wrong', share: 1, make: wrongTarget },
];
