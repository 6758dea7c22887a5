import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shippedModules } from '../../modules/shipped.js';
import { schemaOf } from '../../schemas/manifest.js';
import { foldRecords, readExcerpts, shippedModule } from '../fixtures/schema/excerpts.js';

const excerpts = readExcerpts();

describe('what shipped modules have written', () => {
  for (const { module: name, version, name: excerpt, records, states } of excerpts) {
    test(`I6 ${name} folds what it wrote in version ${version} (${excerpt}) to the same bytes`, async () => {
      const module = await shippedModule(name);
      assert.ok(version <= schemaOf(module.manifest), 'an excerpt is of a version that is or was');
      assert.ok(records.length > 0 && states !== '');
      assert.deepEqual([...new Set(records.map(({ headers }) => headers['Tally-Schema']))], [`${version}`]);
      assert.equal(foldRecords(module, records).states, states);
    });
  }

  for (const { name } of shippedModules) {
    test(`every event of ${name}, and every version that it had, is frozen`, async () => {
      const module = await shippedModule(name);
      const today = schemaOf(module.manifest);
      const own = excerpts.filter((excerpt) => excerpt.module === name);
      const versions = new Set(own.map(({ version }) => version));
      for (let version = 1; version <= today; version++) {
        assert.ok(versions.has(version), `nothing is frozen of version ${version}`);
      }
      const frozen = new Set<string>();
      for (const { version, records } of own) {
        if (version === today) for (const event of foldRecords(module, records).events) frozen.add(event);
      }
      const missing = Object.keys(module.manifest.events).filter((event) => !frozen.has(event));
      const advice = `add to its scenario and run node dist/test/fixtures/schema/record.js ${name} NAME`;
      assert.deepEqual(missing, [], `version ${today} has no record of these: ${advice}`);
    });
  }
});
