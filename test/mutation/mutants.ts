/** All mutants, by what they break. */
import type { Mutant } from './mutant.js';
import { LOG_MUTANTS } from './mutants/log.js';

export const MUTANTS: readonly Mutant[] = [...LOG_MUTANTS];
