import { Injectable } from '@angular/core';

/** What the browser keeps of this origin beside the vault's keys: names of stores, ids, sizes, settings. */
@Injectable({ providedIn: 'root' })
export class SiteData {
  /**
   * Has the browser drop all of it, and begins anew; for after the vault was erased. Where the page's server does not answer,
   * or is another one than the relay, everything stays as the erased vault has left it: nothing of it opens.
   */
  async drop(): Promise<void> {
    if (await isDropped()) location.reload();
  }
}

async function isDropped(): Promise<boolean> {
  try {
    const answer = await fetch('/erased', {
      method: 'POST',
      cache: 'no-store',
      // A browser takes no such word from an answer to a request without credentials.
      credentials: 'same-origin',
      referrerPolicy: 'no-referrer',
    });
    return answer.status === 204;
  } catch {
    // Out of reach.
    return false;
  }
}
