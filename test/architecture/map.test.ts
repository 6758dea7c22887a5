import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { declares, mapped, named } from './map.js';
import { sourceFiles } from './source-files.js';

const text = readFileSync(join(PROJECT_ROOT, 'docs', 'internals', 'architecture.md'), 'utf8');
const sources = new Map(sourceFiles(PROJECT_ROOT).map((file) => [file.path, file.text]));

describe('docs/internals/architecture.md', () => {
  it('each file in it exists, and declares the functions that stand behind the file', () => {
    const places = named(text);
    assert.ok(places.length > 30, `${places.length} files are named`);
    const wrong = places.flatMap(({ file, names }) => {
      const source = sources.get(file);
      if (source === undefined) return [`${file} does not exist`];
      return names.filter((name) => !declares(source, name)).map((name) => `${file} declares no ${name}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('each folder of the product is in the map, and the map has no other folder', () => {
    const folders = new Set([...sources.keys()].filter((path) => !path.startsWith('test/')).map(dirname));
    const map = mapped(text);
    assert.deepEqual(
      [...folders].filter((folder) => !map.includes(folder)),
      [],
      'these are not in the map',
    );
    assert.deepEqual(
      map.filter((folder) => !existsSync(join(PROJECT_ROOT, folder))),
      [],
      'these do not exist',
    );
    assert.equal(new Set(map).size, map.length, 'each once');
  });

  it('each folder in a diagram exists', () => {
    const diagrams = [...text.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map(([, diagram = '']) => diagram);
    const folders = diagrams.flatMap((diagram) =>
      [...diagram.matchAll(/\b[a-z]+\/[a-z-]+\b/g)].map(([folder]) => folder),
    );
    assert.ok(diagrams.length > 1 && folders.length > 0);
    assert.deepEqual(
      folders.filter((folder) => !existsSync(join(PROJECT_ROOT, folder))),
      [],
    );
  });

  it('the place of the drawing is marked', () => {
    assert.match(text, /^<!-- rooms:begin -->\n[\s\S]*^<!-- rooms:end -->$/m);
  });
});

describe('what the check of docs/internals/architecture.md reads', () => {
  it('a file with the functions that stand behind it', () => {
    assert.deepEqual(named('reads `a/b.ts` (`C.d`, `#e`) and `f/g-h.ts` (in time)'), [
      { file: 'a/b.ts', names: ['C', 'd', '#e'] },
      { file: 'f/g-h.ts', names: [] },
    ]);
  });

  it('a function is declared, not called', () => {
    const source = `class A {\n  static async b(): void {}\n  get c() {}\n  #d<T>() {}\n  *e() {}\n}\nconst f = 1;\nfunction g() {}\n  h();\n  if (i) j();\n`;
    const names = ['A', 'b', 'c', '#d', 'e', 'f', 'g'];
    assert.deepEqual(
      names.filter((name) => !declares(source, name)),
      [],
    );
    assert.deepEqual(
      ['d', 'h', 'i', 'j', 'if'].filter((name) => declares(source, name)),
      [],
    );
  });
});

/** What installs, builds and brokers make. */
const MADE = ['node_modules', 'dist'];
const LARGEST_BYTES = 1024 * 1024;

const filesBelow = (dir: string): readonly string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || MADE.includes(entry.name) || entry.name.endsWith('.log')) return [];
    const path = join(dir, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });

describe('the files of the project', () => {
  it('no file is a download: each is smaller than 1 MiB', () => {
    const files = filesBelow(PROJECT_ROOT);
    assert.ok(files.length > 1_000, `${files.length} files`);
    assert.deepEqual(
      files.filter((path) => statSync(path).size >= LARGEST_BYTES),
      [],
    );
  });
});
