export type { Clock, Hash, KeyPair, Ports, Random } from '../ports.js';
