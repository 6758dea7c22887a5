import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import type { Fault } from '../../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import type { Result } from '../../../schemas/result.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { byForm } from '../../support/form.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog, connectOperator } from '../../support/log-checks.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

const FIXTURE = join(PROJECT_ROOT, 'dist', 'test', 'fixtures', 'modules', 'plain', 'index.js');
const GOOD = `export { default } from ${JSON.stringify(FIXTURE)};`;
const LIMITS = { hangMs: 2_000, crashes: 4 };

/** The module with something else in it. */
const changed = (how: string): string =>
  `import good from ${JSON.stringify(FIXTURE)};\nexport default { ...good, ${how} };`;
const throwing = (text: string): string => `throw new Error(${JSON.stringify(text)});`;

interface Broken {
  readonly what: string;
  readonly code?: string;
  readonly manifest?: string;
  /** What the operator is told. */
  readonly says: RegExp;
}

const manifestOf = (change: object = {}): string =>
  JSON.stringify({ ...plain('base'), limits: LIMITS, start: { entry: './index.js' }, ...change });

/** One word, so that it can be looked for in what is shown. */
const word = fc.stringMatching(/^[a-z]{4,12}$/);

const broken: fc.Arbitrary<Broken> = fc.oneof(
  // Cut anywhere before its end, as a build that is interrupted leaves it.
  fc
    .integer({ min: 0, max: GOOD.length - 3 })
    .map((at) => ({ what: `cut at ${at}`, code: GOOD.slice(0, at), says: /Error/ })),
  word.map((text) => ({ what: `throws ${text}`, code: throwing(text), says: new RegExp(text) })),
  fc.integer({ min: 0, max: 20 }).map((code) => ({
    what: `ends with ${code}`,
    code: `process.exit(${code});`,
    says: new RegExp(`exit code ${code} `),
  })),
  fc.constant({ what: 'exports nothing', code: 'export const nothing = 1;', says: /default export|exports/ }),
  fc.constant({
    what: 'waits for ever',
    code: 'await new Promise(() => undefined);',
    says: /waits at its top level/,
  }),
  fc.constant({
    what: 'loads for ever',
    code: 'for (;;);',
    manifest: manifestOf({ limits: { ...LIMITS, startMs: 1_500 } }),
    says: /still being loaded after 1500 ms/,
  }),
  fc.constant({
    what: 'kills itself',
    code: "process.kill(process.pid, 'SIGKILL');",
    says: /signal:SIGKILL/,
  }),
  word.map((text) => ({
    what: `cannot fold: ${text}`,
    code: changed(`evolve: { noted: () => { ${throwing(text)} } }`),
    says: new RegExp(`cannot be folded: ${text}`),
  })),
  fc.constant({
    what: 'folds for ever',
    code: changed('evolve: { noted: () => { for (;;); } }'),
    says: /had not folded the records from \d+ on within 2000 ms/,
  }),
  // The fixture takes its version from the manifest; one that was built before says what it was.
  word.map((tag) => ({
    what: `is of version 1.0.0-${tag}`,
    code: changed(`manifest: { ...good.manifest, version: '1.0.0-${tag}' }`),
    says: new RegExp(`the code of base 1\\.0\\.0-${tag}`),
  })),
  fc.integer({ min: 0, max: manifestOf().length - 1 }).map((at) => ({
    what: `manifest cut at ${at}`,
    manifest: manifestOf().slice(0, at),
    says: /manifest\.json/,
  })),
  fc.constant({
    what: 'needs what is not there',
    manifest: manifestOf({ dependencies: { nobody: ['echo'] } }),
    says: /needs nobody/,
  }),
  fc.constantFrom('echo', 'note').map((action) => {
    const { [action as 'echo']: _, ...actions } = plain('base').actions;
    return {
      what: `drops ${action}`,
      manifest: manifestOf({ actions }),
      says: new RegExp(`top needs base\\.${action}`),
    };
  }),
);

describe('a reload', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;
  let operator: NatsConnection;

  const write = ({ code = GOOD, manifest = manifestOf() }: Partial<Broken>): void => {
    writeFileSync(join(dir.path, 'base', 'index.js'), code);
    writeFileSync(join(dir.path, 'base', 'manifest.json'), manifest);
  };
  const reload = async (): Promise<ModuleStatus | { error: Fault }> =>
    (await operator.request(OPS.moduleReload, '{"name":"base"}', { timeout: 60_000 })).json();
  const call = async (address: string, payload = '{}'): Promise<Result> =>
    (await nc.request(`call.${address}`, payload, { timeout: 30_000 })).json();
  const epochs = async (): Promise<number> => {
    let count = 0;
    await checkLog(broker.dataDir, ({ subject }) => {
      if (subject === 'epoch.base') count += 1;
    });
    return count;
  };

  before(async () => {
    dir = tempDir();
    for (const name of ['base', 'top']) mkdirSync(join(dir.path, name));
    write({});
    writeFileSync(join(dir.path, 'top', 'index.js'), GOOD);
    const top = { ...plain('top', { base: ['echo', 'note'] }), start: { entry: './index.js' } };
    writeFileSync(join(dir.path, 'top', 'manifest.json'), JSON.stringify(top));
    const modules = ['base', 'top'].flatMap((name) => ['--module', join(dir.path, name)]);
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', ...modules] });
    nc = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
    assert.equal((await call('base.note.ann')).status, 'ok');
  });
  after(async () => {
    await operator?.close();
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const info = async (): Promise<ModuleStatus> =>
    (await operator.request(OPS.moduleInfo, '{"name":"base"}', { timeout: 30_000 })).json();

  it('of code that is broken, however it is, changes nothing and says why', async () => {
    const before = { ...(await info()), epochs: await epochs() };
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(broken, async (each) => {
        write(each);
        seen.add(each.what);
        const answer = await reload();
        assert.ok('error' in answer, `${each.what}: ${JSON.stringify(answer)}`);
        assert.match(answer.error.message, each.says, each.what);
        const { pid, state, restarts } = await info();
        assert.deepEqual([pid, state, restarts], [before.pid, 'loaded', before.restarts], each.what);
        assert.deepEqual(await call('base.echo.ann', '"still"'), { status: 'ok', data: 'still' }, each.what);
      }),
      { numRuns: Number(process.env.RELOADS ?? byForm({ short: 3, deep: 6 })), endOnFailure: true },
    );
    assert.equal(await epochs(), before.epochs, [...seen].join(', '));
    write({});
    assert.equal(((await reload()) as ModuleStatus).state, 'loaded');
    assert.notEqual((await info()).pid, before.pid);
  });

  it('tries the code at the lowest priority', async () => {
    write({
      code: `import { getPriority } from 'node:os';\nthrow new Error('priority ' + getPriority() + '.');`,
    });
    const answer = await reload();
    assert.ok('error' in answer);
    assert.match(answer.error.message, /priority 19\./);
    assert.match(answer.error.message, /\nfix the code and run `tallystick module reload base` again$/);
    write({});
    assert.equal(((await reload()) as ModuleStatus).state, 'loaded');
    const { pid } = await info();
    assert.equal(getPriority(pid ?? undefined), getPriority(), 'the module itself runs as all others do');
  });

  it('refuses no call: what comes meanwhile waits, and all is answered', async () => {
    let isOver = false;
    const answers = new Map<string, number>();
    const caller = async (agent: number): Promise<void> => {
      while (!isOver) {
        const result = await call(`base.note.agent-${agent}`);
        const said = result.status === 'ok' ? 'ok' : result.error.code;
        answers.set(said, (answers.get(said) ?? 0) + 1);
      }
    };
    const callers = Array.from({ length: 20 }, (_, agent) => caller(agent));
    const asking = (async () => {
      while (!isOver)
        assert.deepEqual(await call('top.asks.ann', '{"module":"base"}'), {
          status: 'ok',
          data: { from: 'top' },
        });
    })();
    try {
      for (let i = 0; i < 2; i++) {
        const answer = await reload();
        assert.ok(!('error' in answer), JSON.stringify(answer));
      }
    } finally {
      isOver = true;
      await Promise.all([...callers, asking]);
    }
    assert.deepEqual([...answers.keys()], ['ok']);
    assert.ok((answers.get('ok') ?? 0) > 40);
  });
});
