import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { jsonSchemaFiles } from '../../schemas/json-schemas.js';
import { schemaProblem } from '../../schemas/schema-problem.js';
import { publishedSchemas } from './published-schemas.js';

const HOW = 'run `npm run build`, `node dist/test/schemas/write-json-schemas.js` and `npm run format`';

test('schemas/json holds the published schemas and nothing else', async () => {
  assert.deepEqual((await readdir(publishedSchemas)).sort(), [...jsonSchemaFiles().keys()].sort(), HOW);
});

for (const [name, text] of jsonSchemaFiles()) {
  test(`${name} is what the TypeBox type says`, async () => {
    // By value: the files are laid out by the formatter of the project.
    const published = JSON.parse(await readFile(new URL(name, publishedSchemas), 'utf8'));
    assert.deepEqual(published, JSON.parse(text), HOW);
  });

  test(`${name} has no keyword that a validator would skip`, () => {
    assert.equal(schemaProblem(JSON.parse(text), ''), undefined);
  });
}
