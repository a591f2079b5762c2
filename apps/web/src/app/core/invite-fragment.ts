/**
 * The fragment of an invite link is a secret (docs/protocol.md section 5). It is taken out of
 * the address before anything else runs, so that neither the history, nor the router, nor a
 * later request can carry it, and is kept in this module's memory only: it survives the unlock
 * screen, not a reload.
 */

let pending: string | null = null;
let notify: (() => void) | null = null;

function strip(): void {
  const { hash, pathname, search } = location;
  if (hash === '') return;
  history.replaceState(history.state, '', pathname + search);
  if (pathname !== '/join' || hash.length < 2) return;
  pending = hash.slice(1);
  notify?.();
}

strip();
// A link opened in a tab that already shows this page changes the fragment without a load. These
// listeners are registered before the router's own, which therefore sees a clean address.
addEventListener('popstate', strip);
addEventListener('hashchange', strip);

/** Takes what this page was opened with, a link's fragment, out of this module. Null when there is none. */
export function takeInvite(): string | null {
  const taken = pending;
  pending = null;
  return taken;
}

/** Calls `listener` when another invite link is opened in this tab. One listener: the last one set. */
export function onInvite(listener: (() => void) | null): void {
  notify = listener;
}
