export { createNodePlatform, type NodePlatformOptions } from './platform.js';
