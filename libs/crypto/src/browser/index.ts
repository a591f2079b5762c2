export { loadThemis } from './load.js';
export { browserHash, browserRandom, systemClock } from './ports.js';
export type { Clock, Hash, Random } from '../ports.js';
