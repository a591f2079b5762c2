/**
 * The page's default Trusted Types policy. Browsers that enforce Trusted Types ask it about every
 * plain string that is about to become code. It lets through one thing: the client worker's
 * script, of this origin. HTML and script text have no rule here, so they are refused.
 */

/** The name that the build gives to the worker; the relay adds 'wasm-unsafe-eval' to it alone. */
const WORKER_PATH = /^\/worker-[A-Z0-9]{8}\.js$/;

interface PolicyFactory {
  createPolicy(name: 'default', rules: { createScriptURL: (url: string) => string }): unknown;
}

export function allowedScriptUrl(text: string, origin: string): string {
  const url = new URL(text, origin);
  if (url.origin === origin && url.search === '' && WORKER_PATH.test(url.pathname)) return url.href;
  throw new TypeError('a script URL was refused by the policy of this page');
}

const { trustedTypes } = globalThis as { readonly trustedTypes?: PolicyFactory };
trustedTypes?.createPolicy('default', { createScriptURL: (url) => allowedScriptUrl(url, location.origin) });
