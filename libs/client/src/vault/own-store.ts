/** The store of the vault's own records: closed to the rest of the client. */
export const OWN_STORE = 'vault';
/** The sealed vault key (header.ts). */
export const HEADER = 'header';
/** Tells a header that belongs to other records (header.ts). */
export const PROOF = 'proof';
/** Entries of the key table that a crash would leave behind (key-table.ts). In clear. */
export const LEDGER = 'ledger';
/** Vault keys that records are still sealed under (renewal.ts). */
export const RENEWAL = 'renewal';
/** How far they have been sealed again. */
export const RENEWED_TO = 'renewed-to';
