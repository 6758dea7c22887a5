import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Plugin } from 'esbuild';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { ownPackage } from '../../system/files/own-package.js';
import { problemText } from './problem-text.js';

/** The name of the bundle in its directory. */
export const BUNDLE_FILE = 'index.js';

const BARE = /^[^./]/;
const RELATIVE = /^\.{1,2}\//;
const INSTALLED = /\/node_modules\//;
const OURS = /^tallystick(\/|$)/;
const PLACES = /\bimport\.meta\.(url|dirname|filename)\b/g;

const external = (file: string) => ({ path: pathToFileURL(file).href, external: true });

/** A file of this package, for a module that lies where it is not installed. */
const own = (specifier: string): string =>
  createRequire(join(ownPackage().root, 'package.json')).resolve(specifier);

/**
 * Installed packages stay where they are: some read their own files, or are not JavaScript. The bundle imports them by
 * their paths, because it lies elsewhere.
 */
const packages: Plugin = {
  name: 'packages',
  setup(build) {
    build.onResolve({ filter: BARE }, async ({ path, pluginData, ...from }) => {
      if (pluginData === packages || from.kind === 'entry-point') return undefined;
      const { kind, importer, resolveDir } = from;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: packages });
      if (found.errors.length > 0) return OURS.test(path) ? external(own(path)) : found;
      return INSTALLED.test(found.path) && !found.external ? external(found.path) : found;
    });
  },
};

/** A file that finds others by where it lies finds them from its place, not from the place of the bundle. */
const places: Plugin = {
  name: 'places',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes('import.meta.')) return undefined;
      const of: Record<string, string> = {
        url: pathToFileURL(path).href,
        dirname: dirname(path),
        filename: path,
      };
      const contents = source.replaceAll(PLACES, (_, name: string) => JSON.stringify(of[name]));
      return { contents, loader: /\.[cm]?ts$/.test(path) ? 'ts' : 'js' };
    });
  },
};

/** Tells the paths that a build reads or looks for, also those that are not there: an import without its extension. */
const lookedFor = (onPath: (path: string) => void): Plugin => ({
  name: 'looked-for',
  setup(build) {
    build.onResolve({ filter: RELATIVE }, ({ path, resolveDir }) => {
      onPath(resolve(resolveDir, path));
      return undefined;
    });
    build.onLoad({ filter: /./ }, ({ path }) => {
      if (!INSTALLED.test(path)) onPath(path);
      return undefined;
    });
  },
});

const NAMED = 10;

const failure = (error: unknown): Fault => {
  const { errors } = error as BuildFailure;
  return Array.isArray(errors)
    ? fault('MODULE_BUILD_FAILED', errors.slice(0, NAMED).map(problemText).join('\n'))
    : toFault(error, 'MODULE_BUILD_FAILED');
};

/** esbuild has one process for all builds of this process. */
let running = 0;

const release = async (): Promise<void> => {
  running -= 1;
  // A broker must not leave its process behind. Without it, a build that still runs would never end.
  if (running === 0) await (await import('esbuild')).stop();
};

/** Keeps the process of esbuild between builds, which saves its start. */
export const keepBundler = (): AsyncDisposable => {
  running += 1;
  return { [Symbol.asyncDispose]: release };
};

export interface BundleOptions {
  /** Errors name files as seen from here. */
  readonly cwd: string;
  /** Called with each file that the build reads, and each path that it looks for, also by a build that fails. */
  readonly onPath?: ((path: string) => void) | undefined;
}

/**
 * Compiles a source file and the files that it imports into `index.js` and its source map, in `outdir`. Types are taken
 * out and not checked. MODULE_BUILD_FAILED names the file, the line and the column, as seen from `cwd`.
 */
export const bundleSource = async (
  file: string,
  outdir: string,
  { cwd, onPath = () => undefined }: BundleOptions,
): Promise<Either<Fault, void>> => {
  // Its program has 11 MB: a command that needs none does not load it.
  const { build } = await import('esbuild');
  running += 1;
  try {
    await build({
      absWorkingDir: cwd,
      entryPoints: [{ in: `./${relative(cwd, file)}`, out: BUNDLE_FILE.replace(/\.js$/, '') }],
      outdir,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      // Packages are found as Node finds them, not as bundlers do.
      conditions: [],
      mainFields: ['main'],
      sourcemap: 'linked',
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [lookedFor(onPath), packages, places],
    });
    return right(undefined);
  } catch (error) {
    return left(failure(error));
  } finally {
    await release();
  }
};
