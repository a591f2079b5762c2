/**
 * From version 5 to 6: what the records say stays as it is, in exports too. What they are sealed under is another thing
 * (docs/decisions/0041), which the vault does in the same write (vault-keys.ts).
 */
import type { Migration } from './migration.js';

export const erasableKeys: Migration = { from: 5, migrate: () => Promise.resolve([]) };
