export { CryptoError } from '../errors.js';
export { generateKeyPair, type KeyPair } from '../key-pair.js';
export { exposeSecret, type PrivateKey } from '../secrets.js';
export { ClientLink, RelayLink, type Received } from './link.js';
export { Feed, FeedTags, type FeedCell } from './feed.js';
export { splitForFrames } from './split.js';
export { signSuccession } from './succession.js';
