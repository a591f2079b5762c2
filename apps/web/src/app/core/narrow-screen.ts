import type { Signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { fromEvent, map } from 'rxjs';

/** The same bound as in small.css: below it there is one column. */
const NARROW = '(max-width: 47.99rem)';

/** Whether the screen has one column. Needs an injection context. */
export function narrowScreen(): Signal<boolean> {
  const query = matchMedia(NARROW);
  return toSignal(fromEvent(query, 'change').pipe(map(() => query.matches)), { initialValue: query.matches });
}
