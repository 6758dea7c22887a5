import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

const INSTALL_MS = 180_000;

const MODULE = `
import { defineModule, ok, reject, Type } from 'tallystick';

export default defineModule({
  name: 'tickets',
  version: '1.0.0',
  description: 'Sells the seats of shows.',
  state: { sold: 0 },
  events: {
    sold: {
      data: Type.Object({ seats: Type.Integer() }),
      evolve: (state, { seats }) => ({ sold: state.sold + seats }),
    },
  },
  actions: {
    sell: {
      input: Type.Object({ seats: Type.Integer({ minimum: 1 }) }),
      output: Type.Object({ left: Type.Integer() }),
      rejections: ['SOLD_OUT'],
      decide: ({ sold }, { seats }) =>
        sold + seats > 100
          ? reject('SOLD_OUT', 'no seat is left')
          : ok({ left: 100 - sold - seats }, { sold: { seats } }),
    },
  },
});
`;

/** The same tests for each runner. \`timers\` is its object with fake timers: the log in the process needs no real one. */
const tests = (imports: string, timers: string, extension: string): string => `
${imports}
import { Refused } from 'tallystick';
import { specification, startInProcess } from 'tallystick/testing';
import tickets from './tickets.${extension}';

const hamlet = specification(tickets).agent('hamlet');

test('given, when, then', () => {
  hamlet.given([{ name: 'sold', data: { seats: 98 } }]).when('sell', { seats: 3 }).thenRejected('SOLD_OUT');
  expect(() => hamlet.when('sell', { seats: 3 }).thenRejected('SOLD_OUT')).toThrow(/decided instead/);
});

for (const isFake of [false, true]) {
  test(\`modules in one process, fake timers: \${isFake}\`, async () => {
    if (isFake) ${timers}.useFakeTimers();
    const tally = await startInProcess([tickets]);
    const agent = tally.agent(tickets, 'hamlet');
    expect(await agent.sell({ seats: 98 })).toEqual({ left: 2 });
    await expect(agent.sell({ seats: 3 })).rejects.toBeInstanceOf(Refused);
    await agent.sell.schedule({ seats: 2 }, { in: '1h' });
    await tally.clock.advance('1h');
    expect((await tally.state(tickets, 'hamlet'))?.state).toEqual({ sold: 100 });
    expect(tally.log.map(({ kind }) => kind)).toEqual(['cmd', 'res', 'evt', 'cmd', 'res', 'cmd', 'res', 'evt']);
    await tally.close();
    ${timers}.useRealTimers();
  });
}
`;

const run = async (
  cwd: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = INSTALL_MS,
): Promise<string> => {
  const [program = '', ...args] = command;
  const { code, stdout, stderr } = await runProgram(program, args, { cwd, env, timeoutMs });
  assert.equal(code, 0, `${command.join(' ')}: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
};

describe('an empty project with the packed package', () => {
  const pack = tempDir();
  let packed = '';
  before(async () => {
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', pack.path];
    packed = join(pack.path, (await run(PROJECT_ROOT, ['npm', ...args])).trim());
  });
  after(() => pack[Symbol.asyncDispose]());

  /** Makes a project with a test runner, and returns what the runner prints. */
  const inProject = async (
    runner: string,
    files: Readonly<Record<string, string>>,
    command: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<string> => {
    await using dir = tempDir();
    const all = { 'package.json': '{"type":"module","private":true}', ...files };
    for (const [name, text] of Object.entries(all)) writeFileSync(join(dir.path, name), text);
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--include=dev'];
    await run(dir.path, ['npm', 'install', ...options, packed, runner]);
    // Awaited here: the directory goes when this function returns.
    return await run(dir.path, command, env, 60_000);
  };

  it('tests modules with Vitest, in TypeScript', async () => {
    const files = {
      'tickets.ts': MODULE,
      'tickets.test.ts': tests("import { expect, test, vi } from 'vitest';", 'vi', 'js'),
    };
    const printed = await inProject(
      'vitest@4.1.12',
      files,
      ['node_modules/.bin/vitest', 'run', '--no-color'],
      {
        NO_COLOR: '1',
      },
    );
    assert.match(printed, /Tests +3 passed \(3\)/);
  });

  it('tests modules with Jest, as modules of JavaScript', async () => {
    const files = {
      'tickets.js': MODULE,
      'tickets.test.js': tests("import { expect, jest, test } from '@jest/globals';", 'jest', 'js'),
    };
    const printed = await inProject('jest@30.5.2', files, ['node_modules/.bin/jest'], {
      NODE_OPTIONS: '--experimental-vm-modules',
    });
    assert.match(printed, /Tests: +3 passed, 3 total/);
    // What the kit leaves open would keep Jest from ending.
    assert.doesNotMatch(printed, /did not exit|open handle/);
  });
});
