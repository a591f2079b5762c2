/** Domain separation (docs/protocol.md section 2, G4): every context and hash starts with its kind. */
import { encodeCbor, type CborValue } from './codec.js';
import type { Bytes } from './bytes.js';

export const PROTOCOL_VERSION = 1;

/** Kinds of Seal contexts and of hashes over several fields. */
export const CONTEXT_KINDS = [
  'key', 'invite-id', 'join-request', 'join-reply', 'join-confirm', 'message', 'signal', 'rotation', 'wrap',
  'grant', 'transcript', 'generation', 'safety-number', 'vault-key', 'vault-record', 'vault-export',
] as const; // prettier-ignore
export type ContextKind = (typeof CONTEXT_KINDS)[number];

/** `ctx(kind, a, …) = CBOR["0fc/1/"+kind, a, …]`. */
export const ctx = (kind: ContextKind, ...fields: readonly CborValue[]): Bytes =>
  encodeCbor([`0fc/${String(PROTOCOL_VERSION)}/${kind}`, ...fields]);
