import { Component } from '@angular/core';
import { RouterLink } from '@angular/router';

@Component({
  selector: 'zfc-brand',
  imports: [RouterLink],
  host: { class: 'contents' },
  template: `<a class="brand" routerLink="/"
    ><svg viewBox="0 0 28 28" aria-hidden="true">
      <path
        d="M18.600 5.600A8.500 10.500 0 0 0 5.800 17.500M9.400 22.400A8.500 10.500 0 0 0 22.200 10.500M5 24 23 4"
      /></svg
    >0FC</a
  >`,
})
export class Brand {}

/** The bar of a page without a list of rooms: unlock, join, the empty home. */
@Component({
  selector: 'zfc-page-bar',
  imports: [Brand],
  host: { class: 'contents' },
  template: `<header class="page__bar"><zfc-brand /><ng-content /></header>`,
})
export class PageBar {}
