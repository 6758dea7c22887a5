/**
 * Makes the pages that the broker serves over HTTP: dist/dashboard/ has a page, its script and its style for each. They load
 * nothing from another site, and their scripts and styles are in files: the policy of the pages allows no others.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'dashboard');
const OUT = join(ROOT, 'dist', 'dashboard');
/** Page and its script. */
const PAGES = { index: 'main', docs: 'docs-page' };
const MOST_BYTES = 200_000;

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: [
    ...Object.values(PAGES).map((name) => join(SOURCE, `${name}.tsx`)),
    { in: join(SOURCE, 'styles', 'page.css'), out: 'page' },
  ].map((entry) =>
    typeof entry === 'string' ? { in: entry, out: entry.replace(/.*\/(.*)\.tsx$/, '$1') } : entry,
  ),
  outdir: OUT,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
const html = readFileSync(join(SOURCE, 'index.html'), 'utf8');
for (const [page, script] of Object.entries(PAGES))
  writeFileSync(join(OUT, `${page}.html`), html.replace('SCRIPT', script));
copyFileSync(join(SOURCE, 'icon.svg'), join(OUT, 'icon.svg'));
const licence = readFileSync(join(ROOT, 'node_modules', 'preact', 'LICENSE'), 'utf8');
writeFileSync(join(OUT, 'LICENSES.txt'), `The scripts of this folder contain preact.\n\n${licence}`);

const bytes = Object.keys(metafile.outputs)
  .map((path) => gzipSync(readFileSync(join(ROOT, path))).length)
  .reduce((all, one) => all + one, 0);
if (bytes > MOST_BYTES) throw new Error(`the dashboard has ${bytes} bytes compressed, above ${MOST_BYTES}`);
