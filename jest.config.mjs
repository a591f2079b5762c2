/**
 * All Jest projects but the web client's (apps/web has its own configuration, for Angular's compiler).
 *
 *   npm test                                          everything, with set-up
 *   npm test -- unit                                  one stage
 *   npm run jest -- libs/crypto/src/link/link.spec.ts one file; any Jest option works here
 *   npm run jest -- --selectProjects relay            one project
 *
 * Unit specs lie beside the code. What crosses a process lies in test/<project>/.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { nodeProject, repositoryRoot } from './jest.base.mjs';

const unit = ['libs/protocol', 'libs/crypto', 'libs/client', 'apps/relay'].map((folder) => ({
  displayName: folder.split('/')[1],
  roots: [`<rootDir>/${folder}/src`],
}));

// `compose` is not of `npm test`: it wants a Docker engine (npm run test:compose).
const acrossProcesses = [
  'architecture', 'k8s', 'fuzz', 'integration', 'hostile', 'model', 'e2e', 'browsers', 'compose',
].map((name) => ({ displayName: name, roots: [`<rootDir>/test/${name}`] })); // prettier-ignore

/** Jest refuses a configuration that names an absent folder. */
const present = ({ roots }) => roots.every((root) => existsSync(root.replace('<rootDir>', repositoryRoot)));

export default {
  projects: [...unit, ...acrossProcesses].filter(present).map((project) =>
    nodeProject({
      ...project,
      // Nest's decorators need the metadata registry before the first class is defined.
      setupFiles: project.displayName === 'protocol' ? [] : ['reflect-metadata'],
    }),
  ),
  maxWorkers: 2,
  // Milliseconds, of every project (Jest knows no other): it ends what hangs. A busy machine is slow, not broken.
  testTimeout: 300_000,
  cacheDirectory: join(repositoryRoot, '.cache', 'jest'),
};
