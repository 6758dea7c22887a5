import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runProgram } from './run-program.js';

const runTestThat = async (body: string): Promise<string> => {
  const code = `
    import { it } from 'node:test';
    import { showOnFailure } from ${JSON.stringify(new URL('./failure-log.js', import.meta.url).href)};
    showOnFailure('a server', () => 'what it logged');
    it('a test', () => { ${body} });`;
  const { stdout, stderr } = await runProgram(
    process.execPath,
    ['--input-type=module', '--eval', code],
    // Without this the inner test would report to the outer one and not to its own output.
    { env: { NODE_TEST_CONTEXT: undefined } },
  );
  return stdout + stderr;
};

describe('showOnFailure', () => {
  it('shows the log when a test of the file failed', async () => {
    assert.match(await runTestThat(`throw new Error('no')`), /--- a server.*\nwhat it logged\n---/);
  });

  it('is silent when all passed', async () => {
    assert.doesNotMatch(await runTestThat(''), /what it logged/);
  });
});
