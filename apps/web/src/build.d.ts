/** Set by the build (`define` in angular.json); Jest sets the same names. */
declare const APP_VERSION: string;
/** Base64url of the relay's public key, or empty: the pin that a build may carry (docs/protocol.md section 3). */
declare const RELAY_PUBLIC_KEY: string;
