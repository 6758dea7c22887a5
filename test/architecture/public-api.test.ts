import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tempDir } from '../support/temp-dir.js';
import { API_PAGE, exportedNames, withNames } from './api-names.js';
import { API_REPORTS, extractApi, readReports, writeReference } from './public-api.js';

describe('the public API', () => {
  const dir = tempDir();
  let reports: ReadonlyMap<string, string>;

  before(() => {
    reports = extractApi(dir.path);
  });
  after(() => dir[Symbol.asyncDispose]());

  it('is the one of its reports; if you change it, run `npm run api` and commit the reports', () => {
    const known = readReports(API_REPORTS);
    assert.ok(reports.size > 5);
    assert.deepEqual([...reports.keys()], [...known.keys()]);
    for (const [entry, report] of reports) assert.equal(report, known.get(entry), `the entry ${entry}`);
  });

  it('is listed in docs/reference/api.md; `npm run api` writes the list', () => {
    const page = readFileSync(API_PAGE, 'utf8');
    assert.equal(page, withNames(page, dir.path));
    for (const [entry] of reports)
      assert.match(page, new RegExp(`^### tallystick${entry === 'index' ? '' : `/${entry}`}$`, 'm'));
  });

  it('has a docstring for each value', () => {
    const without = [...reports.keys()].flatMap((entry) =>
      exportedNames(dir.path, entry)
        .filter(({ isType, purpose }) => !isType && purpose === '')
        .map(({ name }) => `${entry}: ${name}`),
    );
    assert.deepEqual(without, []);
  });

  it('has a reference with a page for each value of each entry, and links that work', async () => {
    const out = join(dir.path, 'reference');
    await writeReference(dir.path, out);
    const pages = readdirSync(out);
    for (const [entry, report] of reports) {
      const values = [...report.matchAll(/^export (?:function|const|class) (\w+)/gm)].map(
        ([, name = '']) => name,
      );
      const place = entry === 'index' ? 'tallystick' : entry;
      // A name that is a type too has the kind behind it: `definemodule_variable`.
      const isPageOf = (page: string, name: string): boolean =>
        [`${name}.md`, `${name}_variable.md`, `${name}_function.md`].includes(page.slice(place.length + 1));
      const missing = values.filter(
        (name) => !pages.some((page) => page.startsWith(`${place}.`) && isPageOf(page, name.toLowerCase())),
      );
      assert.deepEqual(missing, [], entry);
    }
    const broken = pages.flatMap((file) =>
      [...readFileSync(join(out, file), 'utf8').matchAll(/\]\(\.\/([^)]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(out, target)))
        .map((target) => `${file}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});
