import { Component, computed, input } from '@angular/core';

import type { IconName } from './icons';
import { ICONS } from './icons';

/** A drawing beside a text, or in a button that has a label: never the only bearer of a meaning. */
@Component({
  selector: 'zfc-icon',
  host: { class: 'contents' },
  template: `<svg class="icon" [class.icon--sm]="small()" viewBox="0 0 20 20" aria-hidden="true">
    <path [attr.d]="path()" />
  </svg>`,
})
export class Icon {
  readonly name = input.required<IconName>();
  readonly small = input(false);
  protected readonly path = computed(() => ICONS[this.name()]);
}
