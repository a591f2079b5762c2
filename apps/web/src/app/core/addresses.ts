import type { EnvironmentProviders, Provider } from '@angular/core';
import { Injectable } from '@angular/core';
import type { Routes, UrlSegmentGroup, UrlTree } from '@angular/router';
import {
  DefaultUrlSerializer,
  PRIMARY_OUTLET,
  provideRouter,
  UrlSerializer,
  withComponentInputBinding,
} from '@angular/router';
import { wellFormed } from '@0fc/protocol';

/** One row of segments: brackets at any slash name another outlet, or begin a row of their own, which no route has. */
const isOneRow = ({ children }: UrlSegmentGroup): boolean =>
  Object.entries(children).every(([outlet, row]) => outlet === PRIMARY_OUTLET && !row.hasChildren());

/**
 * Reads any address: what is none of ours (a broken percent-encoding, brackets) leads home. The
 * router itself would refuse some, name them in the console, and stand still for good at half a character.
 */
@Injectable()
class AnyAddress extends DefaultUrlSerializer {
  override parse(url: string): UrlTree {
    try {
      const tree = super.parse(wellFormed(url));
      if (isOneRow(tree.root)) return tree;
    } catch {
      // Not an address that can be read.
    }
    return super.parse('/');
  }
}

export function provideAddresses(routes: Routes): (Provider | EnvironmentProviders)[] {
  return [
    provideRouter(routes, withComponentInputBinding()),
    { provide: UrlSerializer, useClass: AnyAddress },
  ];
}
