/**
 * Lint rules for the whole repository; formatting is Prettier's alone.
 *
 * Who may import whom is not decided here but in test/architecture.
 */
import angular from 'angular-eslint';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** House style that no plugin has a rule for. */
const noEnums = { selector: 'TSEnumDeclaration', message: 'Use a const object and a union of its values.' };
const noDefaultExports = {
  selector: 'ExportDefaultDeclaration',
  message: 'Use a named export: it keeps one name everywhere.',
};

/**
 * What restores a session writes the text of every field to disk in clear, unless the field says autocomplete="off"
 * (test/e2e/traces-story.spec.ts). A bound value decides by itself: a hidden passphrase has a name for password managers.
 */
const fieldWithoutAutocompleteOff = {
  selector:
    'Element[name=/^(input|textarea)$/]' +
    ':not(:has(> TextAttribute[name="autocomplete"][value="off"]))' +
    ':not(:has(> BoundAttribute[name="autocomplete"]))' +
    ':not(:has(> TextAttribute[name="type"][value=/^(checkbox|radio|file|range)$/]))',
  message: 'Give it autocomplete="off": a browser writes what is typed to disk in clear otherwise.',
};

const typescript = ['**/*.ts'];
const specs = ['**/*.spec.ts', '**/*.spec-support.ts', 'test/**/*.ts'];
const configurations = [
  '*.config.{js,mjs,cjs,ts}',
  'apps/*/*.config.{js,mjs,cjs,ts}',
  'test/architecture/rules.mjs',
];

export default tseslint.config(
  {
    ignores: ['**/node_modules/', '**/dist/', '**/.angular/', '**/coverage/', '.cache/'],
  },
  {
    // A rule that is wrong here is changed here, with the reason, and not silenced in a source.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  {
    files: typescript,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers read well in messages; objects do not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Nest modules and Angular components are classes that may hold nothing but their decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // Texts are taken apart by code point on purpose; objects are not spread by mistake.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // Branded ids and codec results need interfaces and type aliases alike.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // A store port is asynchronous even where one implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': ['error', noEnums, noDefaultExports],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['libs/**/*.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    files: specs,
    rules: {
      'max-lines': 'off',
      // jest.fn() and expect(object.method) take methods as values on purpose.
      '@typescript-eslint/unbound-method': 'off',
      // An index into what the test itself has just made.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['apps/web/**/*.ts'],
    extends: [angular.configs.tsRecommended],
    processor: angular.processInlineTemplates,
  },
  {
    files: ['apps/web/**/*.html'],
    extends: [angular.configs.templateRecommended, angular.configs.templateAccessibility],
    rules: { 'no-restricted-syntax': ['error', fieldWithoutAutocompleteOff] },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: globals.node },
    rules: {
      'no-undef': 'error',
      'no-unused-vars': 'error',
      'no-restricted-syntax': ['error', noDefaultExports],
    },
  },
  {
    files: configurations,
    // The tools that read these files want their default export.
    rules: { 'no-restricted-syntax': ['error', noEnums] },
  },
);
