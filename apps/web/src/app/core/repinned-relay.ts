import { Injectable, signal } from '@angular/core';
import type { RelayRepin } from '@0fc/client/api';

/** The relay's key that the user has accepted, until it has been seen: the dialog may be gone with what it stood in. */
@Injectable({ providedIn: 'root' })
export class RepinnedRelay {
  readonly last = signal<RelayRepin | null>(null);
}
