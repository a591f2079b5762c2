/**
 * Lets Node run a TypeScript file of test/ as it is (node --import ./tools/typescript-hooks.mjs).
 *
 * Node strips the types itself; what it lacks is that `./x.js` in a source means `./x.ts`. Packages
 * (`@0fc/*`) and the relay are taken from dist: decorators cannot be stripped, and what is measured
 * should be what is deployed.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!/^\.{1,2}\/.*\.js$/.test(specifier) || context.parentURL === undefined) {
      return nextResolve(specifier, context);
    }
    const script = new URL(specifier, context.parentURL);
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    const isSource = !existsSync(fileURLToPath(script)) && existsSync(fileURLToPath(source));
    return nextResolve(isSource ? source.href : specifier, context);
  },
});
