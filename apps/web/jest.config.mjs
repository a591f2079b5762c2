/** The web client's specs: Angular's compiler through jest-preset-angular, in jsdom, as ES modules. */
import { join } from 'node:path';

import presets from 'jest-preset-angular/presets/index.js';

const preset = presets.createEsmPreset({ tsconfig: '<rootDir>/tsconfig.spec.json' });

export default {
  ...preset,
  displayName: 'web',
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/src'],
  setupFilesAfterEnv: ['<rootDir>/test-support/jest-setup.ts'],
  testEnvironmentOptions: { customExportConditions: ['@0fc/source', 'browser'] },
  moduleNameMapper: {
    ...preset.moduleNameMapper,
    // The libraries' sources name each other by their output.
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  globals: { APP_VERSION: '0.0.0', RELAY_PUBLIC_KEY: '' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.cache/'],
  cacheDirectory: join(import.meta.dirname, '..', '..', '.cache', 'jest-web'),
  maxWorkers: 2,
  // It ends what hangs: a busy machine with two cores is slow, not broken.
  testTimeout: 120_000,
};
