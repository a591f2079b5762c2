/** `ui/` injects nothing (injections.ts): over the repository, and over sources that are planted. */
import { describe, expect, test } from '@jest/globals';
import { repositoryRoot } from './cruise.js';
import { injectionsIn, injectionsOfUi, UI } from './injections.js';

const found = (text: string): readonly string[] =>
  injectionsIn(`${UI}planted.ts`, text).map(({ what }) => what);

describe('what is planted and injects', () => {
  test.each([
    `import { inject } from '@angular/core'; export class A { readonly t = inject(Router); }`,
    `import { inject as ask } from '@angular/core'; export class A { readonly t = ask(Router); }`,
    `import { inject } from '@angular/core'; const ask = inject; export class A { readonly t = ask(Router); }`,
    `import { inject } from '@angular/core'; export const helper = () => inject(Router);`,
    `import * as ng from '@angular/core'; export class A { readonly t = ng.inject(Router); }`,
    `export class A { constructor(private readonly router: Router) {} }`,
    `export class A { constructor(@Inject(TOKEN) token: string) {} }`,
    `import { toSignal } from '@angular/core/rxjs-interop'; export const f = (o) => toSignal(o);`,
    `import { effect } from '@angular/core'; export class A { constructor() { effect(() => this.b()); } }`,
    `export class A { async f() { const { inject } = await import('@angular/core'); return inject(Router); } }`,
  ])('is reported: %s', (text) => {
    expect(found(text)).not.toEqual([]);
  });
});

describe('what is planted and only draws', () => {
  test.each([
    `import { computed, input, output } from '@angular/core';
     export class A { readonly name = input(''); readonly chosen = output(); readonly upper = computed(() => this.name()); }`,
    `import { viewChild } from '@angular/core'; export class A { readonly d = viewChild.required('d'); }`,
    `export class A { readonly count: number; constructor() { this.count = 1; } }`,
    `export const other = { inject: 1 }; export const f = () => other.inject;`,
  ])('is let pass: %s', (text) => {
    expect(found(text)).toEqual([]);
  });
});

describe('the repository', () => {
  test('injects nothing in ui/', () => {
    const { files, findings } = injectionsOfUi(repositoryRoot);
    expect(files).toBeGreaterThan(5);
    expect(findings).toEqual([]);
  });
});
