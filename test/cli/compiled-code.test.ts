import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tallystickPath } from '../support/program-paths.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';
import { CLEAN_ENV } from './tallystick.js';

const FILE = join(PROJECT_ROOT, 'dist', 'chunks', 'command-line.cjs');

/** What V8 says of the compiled form in a process without flags. */
const ASK = `
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const file = ${JSON.stringify(FILE)};
const cachedData = readFileSync(file + '.compiled');
console.log(new Script(readFileSync(file, 'latin1'), { filename: file, cachedData }).cachedDataRejected);`;

describe('the compiled command line', () => {
  it('is of this build and of this Node', async () => {
    const { stdout, stderr } = await runProgram(process.execPath, ['-e', ASK], { env: CLEAN_ENV });
    assert.equal(stdout, 'false\n', stderr);
  });

  it('prints what the command line prints that is not compiled', async () => {
    await using dir = tempDir();
    const run = (flags: readonly string[], words: readonly string[]) =>
      runProgram(process.execPath, [...flags, tallystickPath(), ...words], { cwd: dir.path, env: CLEAN_ENV });
    for (const words of [['--version'], ['call', '--help'], ['status', '--json'], ['no-such-command']]) {
      // A flag of Node makes it load the chunks.
      const plain = await run(['--no-deprecation'], words);
      assert.ok(plain.stdout !== '' || plain.stderr !== '');
      assert.deepEqual(await run([], words), plain, words.join(' '));
    }
  });
});
