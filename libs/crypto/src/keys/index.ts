export { CryptoError } from '../errors.js';
export type { Clock, Hash, Ports, Random } from '../ports.js';
export { createGenesis, type NewRoom } from './genesis.js';
export { makeKeyGrant, makeNeedKey, openKeyGrant } from './grant.js';
export { createInvite, inviteIdOf, parseInvite, type NewInvite } from './invite.js';
export { makeJoinConfirm, makeJoinReply, openJoinConfirm, openJoinReply } from './join-answer.js';
export { makeJoinRequest, openJoinRequest, type NewJoin } from './join-request.js';
export {
  openMessage, openProfile, openSignal, sealMessage, sealSignal, type Sealed, type SealedPlace,
} from './message.js'; // prettier-ignore
export { generateKeyPair, type KeyPair } from '../key-pair.js';
export { keyHash, makePrekey, signBody } from './pairs.js';
export {
  asInviteToken, asJoinKey, asPrivateKey, asRoomKey, asVaultKey, equalSecrets, exposeSecret, type InviteToken, type JoinKey, type PrivateKey,
  type RoomKey, type SymmetricKey, type VaultKey,
} from '../secrets.js'; // prettier-ignore
export { makeRotation, openRotation, wrapPrekey, type NewRotation, type PublicPrekey } from './rotation.js';
export { safetyNumber } from './safety-number.js';
export {
  newVaultKey,
  openExport,
  openRecord,
  openVaultKey,
  sealExport,
  sealRecord,
  sealVaultKey,
} from './vault.js';
