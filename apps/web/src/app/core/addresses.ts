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

/** However deep: an outlet may be named at each slash. */
const hasOneOutlet = ({ children }: UrlSegmentGroup): boolean =>
  Object.entries(children).every(([outlet, group]) => outlet === PRIMARY_OUTLET && hasOneOutlet(group));

/**
 * Reads any address: what is none of ours (a broken percent-encoding, an outlet that does not exist) leads home. The
 * router itself would refuse some, name them in the console, and stand still for good at half a character.
 */
@Injectable()
class AnyAddress extends DefaultUrlSerializer {
  override parse(url: string): UrlTree {
    try {
      const tree = super.parse(wellFormed(url));
      if (hasOneOutlet(tree.root)) return tree;
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
