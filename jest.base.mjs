/**
 * What every Jest project of the repository shares (the web client's has its own, apps/web).
 *
 * Jest runs the TypeScript sources themselves: the condition `@0fc/source` leads `@0fc/*` to
 * libs/*\/src, SWC strips the types and keeps the relay's decorator metadata, and
 * --experimental-vm-modules (set by tools/) keeps everything ES modules.
 */

/** The root of the repository, wherever the project's own rootDir lies. */
export const repositoryRoot = import.meta.dirname;

/**
 * @param {Partial<import('jest').Config> & { displayName: string, roots: string[] }} project
 * @returns {import('jest').Config}
 */
export function nodeProject(project) {
  return {
    rootDir: repositoryRoot,
    testEnvironment: 'node',
    testMatch: ['**/*.spec.ts'],
    extensionsToTreatAsEsm: ['.ts'],
    testEnvironmentOptions: { customExportConditions: ['@0fc/source', 'node', 'node-addons'] },
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
    transform: {
      '^.+\\.ts$': [
        '@swc/jest',
        {
          jsc: {
            target: 'es2023',
            parser: { syntax: 'typescript', decorators: true },
            transform: { legacyDecorator: true, decoratorMetadata: true },
            keepClassNames: true,
          },
          module: { type: 'es6' },
          sourceMaps: 'inline',
        },
      ],
    },
    ...project,
  };
}
