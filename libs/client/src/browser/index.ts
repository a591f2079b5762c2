export { createBrowserClient, type BrowserClientOptions } from './client.js';
export { createBrowserPlatform, type BrowserPlatformOptions } from './platform.js';
