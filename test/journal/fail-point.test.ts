import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FAIL_POINTS, FAIL_VARIABLE, FIRED_FILE } from '../../system/processes/fail-point.js';
import { sourceFiles } from '../architecture/source-files.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

const MODULE = join(import.meta.dirname, '..', '..', 'system', 'processes', 'fail-point.js');

/** A process that is called `it`, passes one point three times and says how far it got. */
const passing = (dir: string | undefined): Promise<ProgramResult> =>
  runProgram(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { armFailPoints, failPoint } from ${JSON.stringify(MODULE)};
       console.log('on', armFailPoints('it'));
       for (let i = 1; i <= 3; i++) { failPoint('host.decided'); console.log(i); }
       process.exit();`,
    ],
    { env: { [FAIL_VARIABLE]: dir } },
  );

describe('fail-points', () => {
  it('are off where nobody has set the variable', async () => {
    assert.deepEqual(await passing(undefined), { code: 0, stdout: 'on false\n1\n2\n3\n', stderr: '' });
  });

  it('end the process at the passing of its plan, each life of it by the next line', async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, 'it'), 'host.decided@2:kill host.appended@1:kill\nhost.decided@1:kill\n');
    assert.deepEqual(await passing(dir.path), { code: null, stdout: 'on true\n1\n', stderr: '' });
    assert.deepEqual(await passing(dir.path), { code: null, stdout: 'on true\n', stderr: '' });
    assert.deepEqual(await passing(dir.path), { code: 0, stdout: 'on true\n1\n2\n3\n', stderr: '' });
    assert.equal(
      readFileSync(join(dir.path, FIRED_FILE), 'utf8'),
      'it host.decided@2:kill\nit host.decided@1:kill\n',
    );
  });

  it('refuse a plan with a point that is none', async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, 'it'), 'host.dreaming@2:kill');
    const { code, stderr } = await passing(dir.path);
    assert.equal(code, 1);
    assert.match(stderr, /TALLYSTICK_FAIL: host\.dreaming@2:kill is not/);
  });

  it('are each marked at one place in the code', () => {
    const marked = sourceFiles(PROJECT_ROOT)
      .filter(({ path }) => !path.startsWith('test/'))
      .flatMap(({ text }) => [...text.matchAll(/failPoint\('([^']+)'\)/g)].map(([, point]) => point));
    assert.deepEqual(marked.toSorted(), [...FAIL_POINTS].toSorted());
  });
});
