import { Component } from '@angular/core';

import { Brand } from './brand';

/** The bar of a page that stands alone: unlock, join, the empty home. */
@Component({
  selector: 'zfc-page-bar',
  imports: [Brand],
  host: { class: 'contents' },
  template: `<header class="page__bar"><zfc-brand /><ng-content /></header>`,
})
export class PageBar {}
