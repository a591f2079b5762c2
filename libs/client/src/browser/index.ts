export { createBrowserClient, type BrowserClientOptions } from './client.js';
export { createBrowserPlatform, type BrowserPlatformOptions } from './platform.js';
export { forwardCommands } from '../contract/forward.js';
