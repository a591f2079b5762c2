/**
 * Permissions-Policy: what of the browser the page may ask for. Everything that Chromium knows is denied but what the
 * page uses; `test/architecture/permissions.spec.ts` holds that against the page's sources, and
 * `test/e2e/hosts-story.spec.ts` against the browser's own list.
 */

/** The page copies and shares invite links, and speaks to its relay, which may be on this machine or network. */
export const USED_FEATURES = [
  'clipboard-write', 'web-share', 'local-network', 'local-network-access', 'loopback-network',
] as const; // prettier-ignore

/** On all platforms: a browser passes over what it does not know. */
export const DENIED_FEATURES = [
  'accelerometer', 'aria-notify', 'attribution-reporting', 'autoplay', 'bluetooth', 'browsing-topics', 'camera',
  'captured-surface-control', 'ch-device-memory', 'ch-downlink', 'ch-dpr', 'ch-ect', 'ch-prefers-color-scheme',
  'ch-prefers-reduced-motion', 'ch-prefers-reduced-transparency', 'ch-rtt', 'ch-save-data', 'ch-ua', 'ch-ua-arch',
  'ch-ua-bitness', 'ch-ua-form-factors', 'ch-ua-full-version', 'ch-ua-full-version-list', 'ch-ua-high-entropy-values',
  'ch-ua-mobile', 'ch-ua-model', 'ch-ua-platform', 'ch-ua-platform-version', 'ch-ua-wow64', 'ch-viewport-height',
  'ch-viewport-width', 'ch-width', 'clipboard-read', 'compute-pressure', 'cross-origin-isolated', 'deferred-fetch',
  'deferred-fetch-minimal', 'digital-credentials-get', 'display-capture', 'encrypted-media', 'fullscreen', 'gamepad',
  'geolocation', 'gyroscope', 'hid', 'identity-credentials-get', 'idle-detection', 'interest-cohort',
  'join-ad-interest-group', 'keyboard-map', 'language-detector', 'language-model', 'local-fonts', 'magnetometer',
  'microphone', 'midi', 'on-device-speech-recognition', 'otp-credentials', 'payment', 'picture-in-picture',
  'private-aggregation', 'private-state-token-issuance', 'private-state-token-redemption',
  'publickey-credentials-create', 'publickey-credentials-get', 'run-ad-auction', 'screen-wake-lock', 'serial',
  'shared-storage', 'shared-storage-select-url', 'storage-access', 'summarizer', 'sync-xhr', 'translator', 'unload',
  'usb', 'window-management', 'xr-spatial-tracking',
] as const; // prettier-ignore

/** The header, which counts with a document alone. */
export const PERMISSIONS_POLICY = [
  ...USED_FEATURES.map((feature) => `${feature}=(self)`),
  ...DENIED_FEATURES.map((feature) => `${feature}=()`),
].join(', ');
