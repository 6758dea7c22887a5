import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { ModuleAgents } from '../../../store/snapshots/index.js';
import { history, statesOf } from '../../fixtures/tally-history.js';
import { startFolding } from '../../support/folding.js';
import { tempDir } from '../../support/temp-dir.js';
import { thrownCode } from '../../support/thrown-code.js';
import { waitFor } from '../../support/wait-for.js';

describe('snapshots that cannot be written or used', () => {
  test('a full disk stops nothing: it is said, and what is missing is written once there is room', async () => {
    await using home = tempDir();
    const full = startFolding({ dataDir: home.path, seed: 9, count: 30_000, agents: 2_000, maxFileKb: 512 });
    await full.exited;
    const said = full.lines.filter((line) => line.startsWith('said'));
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(said[0] ?? '', /snapshots cannot be written, .* they fall behind/);
    const last = history(9, 30_000, 2_000).at(-1)?.seq;
    assert.ok((full.at('done') ?? 0) < (last ?? 0), 'the position does not run ahead of what is written');
    const roomy = startFolding({ dataDir: home.path, seed: 9, count: 30_000, agents: 2_000 });
    assert.deepEqual(await roomy.exited, { code: 0, signal: null });
    assert.equal(roomy.at('from'), full.at('done'));
    assert.equal(roomy.at('done'), last);
    const agents = new ModuleAgents('tally', home.path);
    for (const [agent, states] of statesOf(history(9, 30_000, 2_000))) {
      assert.equal(JSON.stringify(agents.get(agent)?.state), [...states.values()].at(-1));
    }
    await agents.close();
  });

  test('after a loss of power they are folded again, and nobody is shown what was not on disk', async () => {
    await using home = tempDir();
    const options = { dataDir: home.path, seed: 3, count: 3_000, agents: 20 };
    const killed = startFolding({ ...options, rate: 3_000, env: { TALLYSTICK_BOOT: 'one' } });
    const saved = await waitFor('some', () => killed.at('saved') || undefined, 30_000);
    killed.child.kill('SIGKILL');
    await killed.exited;
    const agents = new ModuleAgents('tally', home.path);
    assert.equal(
      thrownCode(() => agents.get('agent-0')),
      'SNAPSHOTS_UNAVAILABLE',
      'this is another boot than `one`',
    );
    const same = startFolding({ ...options, rate: 3_000, env: { TALLYSTICK_BOOT: 'one' } });
    await waitFor('the start', () => same.at('from') !== undefined, 30_000);
    assert.ok((same.at('from') ?? 0) >= saved, 'in the same boot nothing is lost by a kill');
    same.child.kill('SIGKILL');
    await same.exited;
    const next = startFolding({ ...options, env: { TALLYSTICK_BOOT: 'two' } });
    await next.exited;
    assert.equal(next.at('from'), 0);
    assert.ok(
      next.lines.some((line) => /^said .*machine stopped before.*folded from the log again/.test(line)),
    );
    const whole = startFolding({ ...options, env: { TALLYSTICK_BOOT: 'three' } });
    await whole.exited;
    assert.equal(whole.at('from'), next.at('done'), 'an orderly end leaves them whole for any boot');
    assert.equal(
      thrownCode(() => agents.get('agent-0')),
      'none',
    );
    await agents.close();
  });

  test('a process that died in LMDB does not open the same files again; others are no database', async () => {
    await using home = tempDir();
    const options = { dataDir: home.path, seed: 3, count: 500, agents: 5 };
    await startFolding(options).exited;
    const crashed = startFolding({ ...options, env: { LAST_EXIT: 'signal SIGSEGV' } });
    await crashed.exited;
    assert.equal(crashed.at('from'), 0);
    writeFileSync(join(home.path, 'snapshots', 'tally', 'g1', 'data.mdb'), 'x'.repeat(20_000));
    const agents = new ModuleAgents('tally', home.path);
    assert.equal(
      thrownCode(() => agents.get('agent-0')),
      'SNAPSHOTS_UNAVAILABLE',
    );
    const foreign = startFolding(options);
    await foreign.exited;
    assert.equal(foreign.at('from'), 0);
    assert.ok(E.isRight(await agents.atLeast(foreign.at('done') ?? Number.NaN)()));
    await agents.close();
  });
});
