export { createBrowserPlatform, type BrowserPlatformOptions } from './platform.js';
