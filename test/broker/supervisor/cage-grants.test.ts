import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { requestText, widening } from '../../../broker/supervisor/cage-grants.js';
import type { CageRequest } from '../../../schemas/cage.js';
import { ownPaths } from '../../../system/cage/caged-command.js';
import { tempDir } from '../../support/temp-dir.js';

const part = fc.constantFrom('a', 'b', 'aa', '..', '.');
const path = fc
  .tuple(fc.constantFrom('/no/such/place/', './', ''), fc.array(part, { minLength: 1, maxLength: 4 }))
  .map(([start, parts]) => start + parts.join('/'));
const port = fc.integer({ min: 1, max: 4 });
const request: fc.Arbitrary<CageRequest> = fc.record(
  { read: fc.array(path), write: fc.array(path), connect: fc.array(port), listen: fc.array(port) },
  { requiredKeys: [] },
);

/** Another way to the same: the parts of an absolute path, one by one. */
const partsOf = (dir: string, asked: string): readonly string[] => {
  const parts: string[] = [];
  const whole = asked.startsWith('/') ? asked : `${dir}/${asked}`;
  for (const each of whole.split('/')) {
    if (each === '..') parts.pop();
    else if (each !== '' && each !== '.') parts.push(each);
  }
  return parts;
};
const covers = (dir: string, asked: string, granted: readonly string[]): boolean =>
  granted.some((one) => partsOf(dir, one).every((each, i) => partsOf(dir, asked)[i] === each));

const DIR = '/no/such/module';
const asking = (cage: CageRequest) => ({ dir: DIR, manifest: { name: 'shop', cage } });
const isNothing = (more: CageRequest): boolean => requestText(more) === '';

describe('what a module asks for', () => {
  it('is more than it was granted exactly if a path or a port of it is outside', () => {
    fc.assert(
      fc.property(request, request, (asked, granted) => {
        const { read = [], write = [], connect = [], listen = [] } = asked;
        const had = { read: [], write: [], connect: [], listen: [], ...granted };
        const within =
          read.every((each) => covers(DIR, each, [...had.read, ...had.write])) &&
          write.every((each) => covers(DIR, each, had.write)) &&
          connect.every((each) => had.connect.includes(each)) &&
          listen.every((each) => had.listen.includes(each));
        assert.equal(isNothing(widening(asking(asked), asking(granted))), within);
      }),
      { numRuns: 500 },
    );
  });

  it('is nothing more if it is the same, and all of it if nothing was granted', () => {
    fc.assert(
      fc.property(request, (asked) => {
        assert.ok(isNothing(widening(asking(asked), asking(asked))));
        assert.equal(isNothing(widening(asking(asked), undefined)), isNothing(asked));
      }),
    );
  });

  it('is where a link leads', async () => {
    await using home = tempDir();
    for (const name of ['own', 'other']) mkdirSync(join(home.path, name));
    symlinkSync(join(home.path, 'other'), join(home.path, 'own', 'link'));
    const more = widening(
      asking({ read: [join(home.path, 'own', 'link')] }),
      asking({ read: [join(home.path, 'own')] }),
    );
    assert.deepEqual(more.read, [join(home.path, 'other')]);
  });

  it('is refused if the module could change a link on the way, wherever the link is', async () => {
    await using home = tempDir();
    const at = (...names: readonly string[]): string => join(home.path, ...names);
    mkdirSync(at('secret'));
    writeFileSync(at('secret', 'key'), '');
    const opened = (cage: CageRequest): readonly string[] =>
      ownPaths(
        {
          dir: at(),
          code: [],
          write: [at('own')],
          connect: [],
          listen: [],
          secret: at('data'),
          request: cage,
        },
        ['', []],
      );
    for (const way of [['link'], ['deep', 'link'], ['deep', 'link', 'key'], ['deep', 'er', 'link', 'key']]) {
      const link = way.indexOf('link');
      mkdirSync(at('own', ...way.slice(0, link)), { recursive: true });
      symlinkSync(at('secret'), at('own', ...way.slice(0, link + 1)));
      assert.throws(
        () => opened({ read: [at('own', ...way)] }),
        /is a link, and the module could change it$/,
      );
      renameSync(at('own'), at('kept'));
      // A link where the module does not write is the operator's.
      assert.deepEqual(opened({ read: [at('kept', ...way)] }), [at('secret', ...way.slice(link + 1))]);
      assert.throws(() => opened({ read: [at('kept', ...way)], write: ['./kept'] }), /could change it$/);
      renameSync(at('kept'), at(`kept-${way.join('-')}`));
    }
  });
});
