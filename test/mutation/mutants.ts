/** All mutants. What waits for a deadline comes first, so that two workers end together. */
import type { Mutant } from './mutant.js';
import { ALTERED_LINK_MUTANTS } from './mutants/altered-links.js';
import { AUTHORITY_MUTANTS } from './mutants/authority.js';
import { CHECKPOINT_MUTANTS } from './mutants/checkpoints.js';
import { ERASABLE_KEY_MUTANTS } from './mutants/erasable-keys.js';
import { FAN_OUT_MUTANTS } from './mutants/fan-out.js';
import { FEED_MUTANTS } from './mutants/feed.js';
import { FLOOD_MUTANTS } from './mutants/floods.js';
import { GONE_WORD_MUTANTS } from './mutants/gone-words.js';
import { JOINER_MUTANTS } from './mutants/joiners.js';
import { JOIN_BLAME_MUTANTS } from './mutants/join-blame.js';
import { JOIN_MUTANTS } from './mutants/joins.js';
import { KEEPING_MUTANTS } from './mutants/keeping.js';
import { KEY_REQUEST_MUTANTS } from './mutants/key-requests.js';
import { KEY_MUTANTS } from './mutants/keys.js';
import { LINK_MUTANTS } from './mutants/link.js';
import { LOG_MUTANTS } from './mutants/log.js';
import { OPERATOR_MUTANTS } from './mutants/operators.js';
import { SUCCESSION_MUTANTS } from './mutants/succession.js';
import { OWNER_LOG_MUTANTS } from './mutants/owner-log.js';
import { SEAL_MUTANTS } from './mutants/seals.js';
import { HYBRID_MUTANTS } from './mutants/hybrid.js';
import { OWNERSHIP_TRANSFER_MUTANTS } from './mutants/ownership-transfer.js';
import { SERVED_MUTANTS } from './mutants/served.js';
import { SETTINGS_MUTANTS } from './mutants/settings.js';
import { SHOWN_MUTANTS } from './mutants/shown.js';
import { STANDING_MUTANTS } from './mutants/standing.js';
import { TRACE_MUTANTS } from './mutants/traces.js';
import { VAULT_MUTANTS } from './mutants/vaults.js';
import { WINDOW_MUTANTS } from './mutants/window.js';
import { WRITTEN_FOR_MUTANTS } from './mutants/written-for.js';

export const MUTANTS: readonly Mutant[] = [
  ...CHECKPOINT_MUTANTS,
  ...STANDING_MUTANTS,
  ...WRITTEN_FOR_MUTANTS,
  ...SEAL_MUTANTS,
  ...JOIN_MUTANTS,
  ...JOIN_BLAME_MUTANTS,
  ...JOINER_MUTANTS,
  ...ALTERED_LINK_MUTANTS,
  ...LOG_MUTANTS,
  ...OWNER_LOG_MUTANTS,
  ...KEY_MUTANTS,
  ...KEY_REQUEST_MUTANTS,
  ...HYBRID_MUTANTS,
  ...AUTHORITY_MUTANTS,
  ...LINK_MUTANTS,
  ...FAN_OUT_MUTANTS,
  ...FEED_MUTANTS,
  ...KEEPING_MUTANTS,
  ...ERASABLE_KEY_MUTANTS,
  ...GONE_WORD_MUTANTS,
  ...VAULT_MUTANTS,
  ...OWNERSHIP_TRANSFER_MUTANTS,
  ...SETTINGS_MUTANTS,
  ...SHOWN_MUTANTS,
  ...FLOOD_MUTANTS,
  ...WINDOW_MUTANTS,
  ...OPERATOR_MUTANTS,
  ...SUCCESSION_MUTANTS,
  ...SERVED_MUTANTS,
  ...TRACE_MUTANTS,
];
