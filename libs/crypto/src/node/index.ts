export { keyPairOf } from './key-pair.js';
export { loadThemis, type LoadOptions } from './load.js';
export { nodeHash, nodeRandom, systemClock } from './ports.js';
export type { Clock, Hash, Random } from '../ports.js';
