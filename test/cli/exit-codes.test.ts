import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startBroker, type TestBroker } from '../support/broker.js';
import type { ProgramResult } from '../support/run-program.js';
import { counter, devProject } from './dev-project.js';
import { runCommandProcess } from '../support/run-command-line.js';
import { CLEAN_ENV, tallystick } from './tallystick.js';

/** Words after the name of the program, the exit code, and a part of what the command prints. */
type Case = readonly [words: readonly string[], code: number, printed: RegExp];

describe('exit codes mean what help and reference say', () => {
  let here: ReturnType<typeof devProject>;
  let broker: TestBroker;
  const run = (words: readonly string[]): Promise<ProgramResult> => tallystick(words, { cwd: here.path });

  before(async () => {
    here = devProject({
      'counter.ts': counter('1'),
      'broken.ts': 'export default',
      'other.ts': counter('2').replace("reject('NEGATIVE'", "reject('BELOW_ZERO'"),
    });
    broker = await startBroker({
      dataDir: join(here.path, '.tallystick'),
      shipped: [],
      args: ['--module', join(here.path, 'counter.ts')],
    });
    for (const by of ['1', '-1']) await run(['call', 'counter.add', `{"by":${by}}`, '--agent', 'a']);
    writeFileSync(join(here.path, 'ledger.ndjson'), 'no ledger\n');
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await here?.[Symbol.asyncDispose]();
  });

  const cases: readonly Case[] = [
    [['call', 'counter.show', '--agent', 'a'], 0, /"sum": 1/],
    [['call', 'counter.add', '{"by":-1}', '--agent', 'a'], 1, /NEGATIVE: it only counts up/],
    [['call', 'counter.add', '{"by":1', '--agent', 'a'], 2, /USAGE/],
    [['agent', 'get', 'counter', 'a'], 0, /"sum": 1/],
    [['agent', 'get', 'counter', 'nobody'], 1, /AGENT_UNKNOWN/],
    [['module', 'info', 'counter'], 0, /^counter +1\.0\.0 +loaded/m],
    [['module', 'info', 'nothing'], 1, /MODULE_UNKNOWN/],
    [['module', 'load', './broken.ts'], 1, /MODULE_BUILD_FAILED/],
    [['module', 'load', './no-such-file.ts'], 2, /no-such-file/],
    [['dead', 'show', '1'], 1, /DEAD_UNKNOWN/],
    [['schedule', 'cancel', 'nothing'], 1, /SCHEDULE_UNKNOWN/],
    [['replay', 'history', '--agent', 'nobody'], 0, /no record matches/],
    [['replay', 'trace', '999999'], 1, /CONVERSATION_UNKNOWN/],
    [['replay', 'state', 'counter', 'a', '--bisect', 'state.sum >= 1'], 0, /holds first/],
    [['replay', 'state', 'counter', 'a', '--bisect', 'state.sum >= 2'], 1, /never holds/],
    [['replay', 'state', 'counter', 'a', '--bisect', 'state.sum >='], 2, /EXPRESSION_INVALID/],
    [['replay', 'diff', 'counter', '--module', './counter.ts'], 0, /commands of counter/],
    [['replay', 'diff', 'counter', '--module', './other.ts'], 1, /is different/],
    [['replay', 'verify'], 0, /^clean/m],
    [['replay', 'verify', '--ledger', 'ledger.ndjson'], 2, /LEDGER_INVALID/],
    [['replay', 'rebuild', '--check'], 0, /all states match/],
    [['doctor'], 0, /everything is ready|0 problems/],
    [['doctor', '--data', './counter.ts'], 1, /1 problem/],
    [['status'], 0, /counter/],
    [['status', '--data', './no-broker'], 3, /BROKER_UNREACHABLE/],
    [['start', '--nats-port', '0'], 3, /DATA_DIR_IN_USE/],
    [['replay'], 2, /Usage:/],
    [['statsu'], 2, /unknown command/],
    [['completion', 'bash'], 0, /complete -F/],
    [['completion', 'csh'], 2, /csh/],
  ];
  for (const [words, code, printed] of cases)
    it(`${words.join(' ')}: ${code}`, async () => {
      const { code: found, stdout, stderr } = await run(words);
      assert.match(`${stdout}${stderr}`, printed);
      assert.equal(found, code);
    });

  it('a process of the command line ends with them', async () => {
    for (const wanted of [0, 1, 2, 3]) {
      const [words = []] = cases.find(([[first], code]) => first !== 'replay' && code === wanted) ?? [];
      const { code } = await runCommandProcess(words, { cwd: here.path, env: CLEAN_ENV });
      assert.equal(code, wanted, words.join(' '));
    }
  });

  it('a call without its agent, or with one too many, is refused with what to type', async () => {
    const none = await run(['call', 'counter.show']);
    assert.match(
      none.stderr,
      /^tallystick: AGENT_REQUIRED: .*call\.counter\.show\.AGENT; on the command line, add --agent ID\n/,
    );
    const later = await run(['call', 'counter.show', '--in', '1h', '--json']);
    assert.match(later.stderr, /AGENT_REQUIRED.*on the command line, add --agent ID"/);
    // A program gets the result as the broker sent it.
    const { stdout } = await run(['call', 'counter.show', '--json']);
    assert.doesNotMatch(stdout, /command line/);
  });
});
