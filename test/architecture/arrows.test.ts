import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PROJECT_ROOT } from '../support/project-root.js';
import { type Arrows, arrowsBetween, folderOf, inCycles, isProduct, reduced, roomOf } from './arrows.js';
import { drawings, withDrawings } from './drawing.js';
import { packageJson, sourceFiles } from './source-files.js';

const files = sourceFiles(PROJECT_ROOT);
const own = packageJson(PROJECT_ROOT);

/** Arrows from higher numbers to lower ones. */
const oneWay: fc.Arbitrary<Arrows> = fc
  .array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 40 })
  .map((pairs) => {
    const arrows = new Map<string, Set<string>>();
    for (const [a, b] of pairs) {
      if (a <= b) continue;
      const from = String(a);
      arrows.set(from, (arrows.get(from) ?? new Set()).add(String(b)));
    }
    return arrows;
  });

const reach = (arrows: Arrows, from: string): Set<string> => {
  const seen = new Set(arrows.get(from));
  for (const each of seen) for (const next of arrows.get(each) ?? []) seen.add(next);
  return seen;
};

describe('the arrows of the imports', () => {
  it('no file, no folder and no room takes part in a cycle', () => {
    for (const nodeOf of [(path: string) => path, folderOf, roomOf]) {
      assert.deepEqual(inCycles(arrowsBetween(files, own, nodeOf)), []);
    }
  });

  it('a cycle is found, however long it is', () => {
    fc.assert(
      fc.property(oneWay, fc.integer({ min: 2, max: 9 }), (arrows, length) => {
        assert.deepEqual(inCycles(arrows), []);
        const ring = Array.from({ length }, (_, i) => `ring ${i}`);
        const withRing = new Map(arrows);
        for (const [i, node] of ring.entries())
          withRing.set(node, new Set([ring[(i + 1) % length] as string]));
        assert.deepEqual(inCycles(withRing), ring.toSorted());
      }),
    );
  });

  it('the drawing leaves out only arrows that a longer way says', () => {
    fc.assert(
      fc.property(oneWay, (arrows) => {
        const drawn = reduced(arrows);
        for (const from of arrows.keys()) assert.deepEqual(reach(drawn, from), reach(arrows, from));
      }),
    );
  });

  it('docs/internals/architecture.md has the drawing of today', () => {
    const document = readFileSync(join(PROJECT_ROOT, 'docs', 'internals', 'architecture.md'), 'utf8');
    assert.equal(
      document,
      withDrawings(document, drawings(files, own)),
      'run `node dist/test/architecture/draw.js`',
    );
  });

  it('a file name of the product is there once, but for the entries of folders', () => {
    const seen = new Map<string, string>();
    for (const { path } of files.filter((file) => isProduct(file.path))) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (name === 'index.ts') continue;
      assert.equal(seen.get(name), undefined, `${path} and ${seen.get(name)}`);
      seen.set(name, path);
    }
  });
});
