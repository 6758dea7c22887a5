import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { userFiles } from '../architecture/source-files.js';
import { blocksOf, isShown } from '../docs/blocks.js';
import { follow } from '../support/children.js';
import { showOnFailure } from '../support/failure-log.js';
import { inDeep } from '../support/form.js';
import { collectLines } from '../support/lines.js';
import { processesMentioning } from '../support/processes.js';
import { EXAMPLE_RUNNER } from '../support/program-paths.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { waitFor } from '../support/wait-for.js';

const EXAMPLES = join(PROJECT_ROOT, 'examples');
const names = readdirSync(EXAMPLES).filter((name) => statSync(join(EXAMPLES, name)).isDirectory());
/** It serves until it is ended. */
const GOES_ON = 'web-shop';
/** `npm test` runs one of each kind: this one ends, and `web-shop` serves. */
const SHOWN = 'tickets';
const itInDeep = inDeep(it);
const TIMEOUT_MS = 180_000;

const readme = (name: string): string => readFileSync(join(EXAMPLES, name, 'README.md'), 'utf8');
const env = { NODE_TEST_CONTEXT: undefined };

describe('the examples', () => {
  it('are in the list of examples/README.md, each with its README', () => {
    const listed = [...readFileSync(join(EXAMPLES, 'README.md'), 'utf8').matchAll(/^\| \[([\w-]+)\]/gm)];
    assert.deepEqual(listed.map(([, name]) => name).toSorted(), names.toSorted());
    for (const name of names) assert.match(readme(name), new RegExp(`^npm run example -- ${name}$`, 'm'));
  });

  it('the runner prints its help with every example, and refuses an unknown name with the same text', async () => {
    const run = (...args: readonly string[]) => runProgram(process.execPath, [EXAMPLE_RUNNER, ...args]);
    const help = await run('--help');
    assert.deepEqual([help.code, help.stderr], [0, '']);
    assert.match(help.stdout, /^Usage: npm run example -- NAME$/m);
    for (const name of names) assert.match(help.stdout, new RegExp(`^ {2}${name} +\\w`, 'm'));
    assert.deepEqual(await run('-h'), help);
    for (const args of [[], ['no-such-example'], ['..'], ['tickets/test']]) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join());
      assert.ok(stderr.endsWith(`\n\n${help.stdout}`), stderr);
    }
  });

  it('import public entries only, and have no cast', () => {
    const files = userFiles(PROJECT_ROOT);
    assert.ok(files.length > 10);
    const odd = files.flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) =>
          /\bas (?!const\b)[A-Za-z]|from '(?:fp-ts|nats|@nats-io|lmdb)|\/dist\/|: any\b/.test(line),
        )
        .filter((line) => !/^\s*(?:\/\/|\/?\*)|console\.log/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    assert.deepEqual(odd, []);
  });

  itInDeep('have types that are good', async () => {
    const tsc = join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = { cwd: EXAMPLES, timeoutMs: TIMEOUT_MS };
    const { code, stdout } = await runProgram(process.execPath, [tsc, '-p', 'tsconfig.json'], options);
    assert.equal(code, 0, stdout);
  });

  it('tickets has a test that passes', async () => {
    const args = ['--import', 'tsx', '--test', 'examples/tickets/test/tickets.test.ts'];
    const { code, stdout } = await runProgram(process.execPath, args, { cwd: PROJECT_ROOT, env });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^# pass 2$|^ℹ pass 2$/m);
  });

  for (const name of names.filter((each) => each !== GOES_ON))
    (name === SHOWN ? it : itInDeep)(`${name} shows what its README says`, async () => {
      const options = { cwd: PROJECT_ROOT, env, timeoutMs: TIMEOUT_MS };
      const { code, stdout, stderr } = await runProgram(process.execPath, [EXAMPLE_RUNNER, name], options);
      assert.equal(code, 0, stdout + stderr);
      const said = blocksOf(readme(name)).find(({ language }) => language === 'text')?.text ?? '';
      const lines = said.split('\n').filter((line) => line !== '');
      assert.ok(lines.length > 1);
      assert.deepEqual(
        lines.filter((line) => !isShown(line, stdout)),
        [],
        stdout,
      );
    });

  it('web-shop takes requests, and leaves no process at its end', async () => {
    const shop = spawn(process.execPath, [EXAMPLE_RUNNER, GOES_ON], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = follow(shop);
    const lines = collectLines(shop.stdout);
    const stderr = collectLines(shop.stderr);
    showOnFailure('web-shop', () => [...lines, ...stderr].join('\n'));
    const address = await waitFor(
      'the shop to open',
      () => /at (http:.*)$/.exec(lines[0] ?? '')?.[1],
      TIMEOUT_MS,
    );
    const [data = ''] = processesMentioning('example-web-shop-')
      .flatMap(({ command }) => /\S*example-web-shop-\w+/.exec(command) ?? [])
      .slice(0, 1);
    const request = async (path: string, body?: object): Promise<unknown> => {
      const json = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };
      const reply = await fetch(`${address}/carts/anna${path}`, body === undefined ? {} : json);
      const { message: _, ...rest } = (await reply.json()) as Record<string, unknown>;
      return [reply.status, rest];
    };
    assert.deepEqual(await request('/items', { article: 'lamp', count: 2 }), [200, { count: 2 }]);
    assert.deepEqual(await request('/items', { article: 'lamp', count: 0 }), [
      400,
      { code: 'PAYLOAD_INVALID' },
    ]);
    assert.deepEqual(await request(''), [200, { items: { lamp: 2 } }]);
    assert.deepEqual(await request('/check-out', {}), [200, { items: { lamp: 2 } }]);
    assert.deepEqual(await request('/check-out', {}), [409, { code: 'CLOSED' }]);
    shop.kill('SIGTERM');
    assert.equal((await exited).code, 0);
    await waitFor('all programs to end', () => processesMentioning(data).length === 0);
  });
});
