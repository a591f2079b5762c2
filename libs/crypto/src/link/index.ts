export { CryptoError } from '../errors.js';
export type { KeyPair } from '../ports.js';
export { ClientLink, RelayLink, type Received } from './link.js';
export { splitForFrames } from './split.js';
