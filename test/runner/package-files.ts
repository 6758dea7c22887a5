/**
 * Files that pack and type-check the whole package, 4 to 12 s of processor time each. `npm test` runs them. `npm run check` does not,
 * so that it stays under a minute.
 */
export const PACKAGE_FILES: readonly string[] = [
  'test/architecture/package.test.ts',
  'test/architecture/public-api.test.ts',
];
