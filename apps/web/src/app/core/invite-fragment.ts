/**
 * The fragment of an invite link is a secret (docs/protocol.md section 5). It is taken out of
 * the address before anything else runs, so that neither the router nor a later request can carry
 * it, and is kept in this module's memory only: it survives the unlock screen, not a reload. The
 * browser's own history has the address that was opened before any page runs, and keeps it: what is
 * pasted as text is in none (docs/decisions/0040).
 *
 * So is what a mail program makes of such a link where it encodes the `#`: then the secret stands
 * in the path, and has been sent to whoever serves the page. It is never taken for an invite; the
 * screen says what has happened, and has a field to paste the link into.
 */

let pending: string | null = null;
let changed = false;
let notify: (() => void) | null = null;

/** `/join` however it is spelt, and what is behind it. */
const JOIN = /^\/+(?:j|%[46]a)(?:o|%[46]f)(?:i|%[46]9)(?:n|%[46]e)(.*)$/i;
/** The query of a join under way, and what trackers add: nothing as long as a link's secret. */
const SHORT_QUERY = /^(?:\?[\w=&.~+-]{0,48})?$/;

function strip(): void {
  const { hash, pathname, search } = location;
  const rest = JOIN.exec(pathname)?.[1];
  if (rest === undefined) {
    if (hash !== '') history.replaceState(history.state, '', pathname + search);
    return;
  }
  const query = SHORT_QUERY.test(search) ? search : '';
  // A fragment behind a whole path has never left this browser.
  const invite = rest === '' || rest === '/' ? hash.slice(1) : '';
  const broken = invite === '' && ((rest !== '' && rest !== '/') || query !== search);
  const address = broken ? '/join' : `/join${query}`;
  if (address !== pathname + search + hash) history.replaceState(history.state, '', address);
  if (invite === '' && !broken) return;
  if (broken) changed = true;
  else pending = invite;
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

/** Whether this page was opened by a link that was altered in transit; true only on the first call. */
export function takeChangedLink(): boolean {
  const taken = changed;
  changed = false;
  return taken;
}

/** Calls `listener` when another invite link is opened in this tab. One listener: the last one set. */
export function onInvite(listener: (() => void) | null): void {
  notify = listener;
}
