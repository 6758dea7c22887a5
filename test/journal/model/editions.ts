import { BROKEN } from '../../broker/supervisor/broken-code.js';

/** What a directory may have when its module is reloaded. */
export interface Edition {
  /** Files that are other than before; `entry` is the address of the code that is good. */
  readonly files: (given: { readonly entry: string; readonly manifest: string; readonly at: number }) => {
    readonly [file: string]: string;
  };
  /** What the refusal must say; without it the edition is good. */
  readonly says?: readonly RegExp[];
}

const good = (entry: string): string => `export { default } from '${entry}';`;
const cut = (text: string, from: number, at: number): string =>
  text.slice(0, from + (at % (text.length - from)));

/** Those that are one file, and fail whatever the module is. */
const broken = BROKEN.filter(
  ({ what, files, startMs }) =>
    startMs === undefined &&
    files('accounts')['package.json'] === '{"type":"module"}' &&
    !/version|upcast/.test(what),
).map(({ what, files, says }): readonly [string, Edition] => [
  what,
  { files: () => files('accounts'), says },
]);

export const EDITIONS: ReadonlyMap<string, Edition> = new Map<string, Edition>([
  ['good', { files: () => ({}) }],
  ...broken,
  [
    'cut off',
    {
      // Without its last characters it may be whole.
      files: ({ entry, at }) => ({ 'index.js': cut(good(entry).slice(0, -2), 1, at) }),
      says: [/SyntaxError|ReferenceError/],
    },
  ],
  [
    'cannot fold',
    {
      files: ({ entry }) => ({
        'index.js':
          `import module from '${entry}';\nconst deposited = () => { throw new Error('what was deposited?'); };\n` +
          'export default { ...module, evolve: { ...module.evolve, deposited } };\n',
      }),
      says: [/what was deposited\?/],
    },
  ],
  [
    'a manifest that is cut off',
    { files: ({ manifest, at }) => ({ 'manifest.json': cut(manifest, 0, at) }), says: [/JSON/] },
  ],
  [
    'a manifest of another module',
    {
      files: ({ manifest }) => ({
        'manifest.json': JSON.stringify({ ...JSON.parse(manifest), name: 'others' }),
      }),
      says: [/now names others/],
    },
  ],
  [
    'a manifest without actions',
    {
      files: ({ manifest }) => ({
        'manifest.json': JSON.stringify({ ...JSON.parse(manifest), actions: 'none' }),
      }),
      says: [/actions/],
    },
  ],
  [
    'a module that nobody has is needed',
    {
      files: ({ manifest }) => ({
        'manifest.json': JSON.stringify({ ...JSON.parse(manifest), dependencies: { nobody: ['act'] } }),
      }),
      says: [/nobody/],
    },
  ],
]);
