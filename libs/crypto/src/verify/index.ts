export { CryptoError } from '../errors.js';
export type { KeyPair } from '../key-pair.js';
export type { Clock, Hash, Ports, Random } from '../ports.js';
export { fingerprintOf, memberIdOf, parsePublicKey } from './identity.js';
export { bodyHash, containerBody, verifyContainer } from './container.js';
export {
  applyRoster, readChain, startRoster, type FormerMember, type Roster, type RosterChange, type RosterMember,
} from './roster.js'; // prettier-ignore
export { Turns } from '../turns.js';
export { decodeRoster, encodeRoster } from './roster-codec.js';
export { checkPrekey, type HybridPrekey, type HybridPublicKey } from './prekey.js';
export { checkWraps, verifyRotation } from './rotation.js';
export {
  verifyKeyGrant, verifyLeaveRequest, verifyKeyRequest, verifyPrekey,
  verifyTransferAcceptance, verifyTransferOffer,
} from './requests.js'; // prettier-ignore
export {
  readSuccession, readSuccessions, SuccessionError, SuccessionFork, successorsOf, type Succession,
} from './succession.js'; // prettier-ignore
export {
  transcriptAtFloor, transcriptCheckpoint, transcriptGeneration, transcriptHash, transcriptNext, transcriptOver, transcriptStart,
  type TranscriptEntry,
} from './transcript.js'; // prettier-ignore
