/**
 * Lets Node run a TypeScript file of test/ as it is (node --import ./tools/typescript-hooks.mjs).
 *
 * Node strips the types itself; what it lacks is that `./x.js` in a source means `./x.ts`. Packages
 * (`@0fc/*`) and the relay are taken from dist: decorators cannot be stripped, and what is measured
 * should be what is deployed.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!/^\.{1,2}\/.*\.js$/.test(specifier) || context.parentURL === undefined) {
      return nextResolve(specifier, context);
    }
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    const hasSource = existsSync(source);
    // What a source names is a source beside it. Node asks the disk some more: most of a process's start here.
    if (hasSource && context.parentURL.endsWith('.ts')) {
      return { url: source.href, format: 'module-typescript', shortCircuit: true };
    }
    const isSource = hasSource && !existsSync(new URL(specifier, context.parentURL));
    return nextResolve(isSource ? source.href : specifier, context);
  },
});
