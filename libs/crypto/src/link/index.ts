export { CryptoError } from '../errors.js';
export { generateKeyPair } from '../key-pair.js';
export type { KeyPair } from '../ports.js';
export { exposeSecret, type PrivateKey } from '../secrets.js';
export { ClientLink, RelayLink, type Received } from './link.js';
export { splitForFrames } from './split.js';
