export {
  createNodeClient,
  deploymentOf,
  nodeClientOver,
  type NodeClient,
  type NodeClientOptions,
} from './client.js';
export { createNodePlatform, type NodePlatformOptions } from './platform.js';
