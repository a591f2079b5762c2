export { CryptoError } from '../errors.js';
export type {
  Clock, Hash, KdfCost, Passphrases, PassphraseSeal, Ports, Random,
} from '../ports.js'; // prettier-ignore
export { createGenesis, type NewRoom } from './genesis.js';
export { makeKeyGrant, makeKeyRequest, openKeyGrant } from './grant.js';
export {
  decryptHybrid, encryptHybrid, generateHybridKeyPair, hybridPublicKey, type HybridKeyPair, type HybridMessage,
  type HybridPlace,
} from './hybrid.js'; // prettier-ignore
export { openWrap, sealWrap, unwrap } from './wrap.js';
export { createInvite, inviteIdOf, parseInvite, type NewInvite } from './invite.js';
export { makeJoinConfirm, makeJoinReply, openJoinConfirm, openJoinReply } from './join-answer.js';
export { makeJoinRequest, openJoinRequest, type NewJoin } from './join-request.js';
export {
  openAgain, openMessage, openProfile, openSignal, sealAgain, sealMessage, sealSignal, type OpenedMessage, type Sealed, type SealedPlace,
} from './message.js'; // prettier-ignore
export { generateKeyPair, type KeyPair } from '../key-pair.js';
export { keyHash, makePrekey, signPrekey } from './pairs.js';
export { signBody } from '../sign.js';
export {
  asErasableKey, asInviteToken, asJoinKey, asKemSeed, asPrivateKey, asRoomKey, asVaultKey, equalSecrets, exposeSecret, type ErasableKey, type InviteToken,
  type JoinKey, type KemSeed, type PrivateKey, type RecordKey, type RoomKey, type SymmetricKey, type VaultKey,
} from '../secrets.js'; // prettier-ignore
export { KDF_COST, KDF_SALT_BYTES, stretchPassphrase } from './passphrase-kdf.js';
export { makeRotation, openRotation, rotationPrekeys, wrapPrekey, type NewRotation } from './rotation.js';
export { safetyNumber } from './safety-number.js';
export { passphrasesOf } from './passphrase-seal.js';
export {
  newErasableKey, newVaultKey, openEarlierExport, openExport, openRecord, recordKey, sealExport, sealRecord,
} from './vault.js'; // prettier-ignore
export {
  openEarlierVaultKey, openVaultKey, sealVaultKey, SLOTS, type SealedVaultKey,
} from './vault-slots.js'; // prettier-ignore
