import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Schema from 'typebox/schema';
import { BrokerStatusSchema, ReadySchema } from '../../schemas/operate.js';
import { HistoryRecordSchema } from '../../schemas/record.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { natsSpawn } from '../support/nats-cli.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { shellEnvironment } from '../support/shell.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

/**
 * What a person types, as the README prints it, in the directory that the broker was started in. `nats` is the stock
 * one, told of the free port that the broker took; `npx tallystick` is the command line under test.
 */
describe('the tour', () => {
  let home: TempDir;
  let broker: TestBroker;
  let env: Record<string, string | undefined>;

  before(async () => {
    home = tempDir();
    broker = await startBroker({ dataDir: join(home.path, '.tallystick') });
    env = shellEnvironment(home.path, broker.url);
  });

  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const shell = (script: string): Promise<ProgramResult> =>
    runProgram('sh', ['-c', script], { env, cwd: home.path, timeoutMs: 60_000 });
  const good = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await shell(script);
    assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
    return stdout;
  };
  const asOperator = (script: string): Promise<string> => good(`eval "$(npx tallystick env)"\n${script}`);
  const json = async <T>(script: string): Promise<T> => JSON.parse(await good(script)) as T;

  it('start --json prints one line in its published shape', () => {
    assert.deepEqual([...Schema.Compile(ReadySchema).Errors(broker.ready)[1]], []);
    assert.deepEqual(Object.keys(broker.ready), [
      'ready',
      'pid',
      'nats',
      'dataDir',
      'durability',
      'server',
      'guest',
      'listen',
      'http',
      'httpListen',
      'modules',
    ]);
    assert.deepEqual(broker.ready.server, { version: broker.ready.server.version, embedded: true });
    assert.deepEqual(
      broker.ready.modules.map(({ name, version }) => `${name} ${version}`),
      ['accounts 1.0.0', 'agents 1.0.0', 'orders 1.0.0'],
    );
    assert.equal(broker.stdout.length, 1);
  });

  it('nats req call.… gives the result, as JSON', async () => {
    const printed = await good(`nats req --raw call.accounts.deposit.alice '{"amount":5}'`);
    assert.deepEqual(JSON.parse(printed), { status: 'ok', data: { balance: 5 } });
  });

  it('nats req cmd.… gives the acknowledgement with stream LOG and a sequence', async () => {
    const printed = await good(`nats req --raw cmd.accounts.deposit.alice '{"amount":5}'`);
    const { stream, seq } = JSON.parse(printed) as { stream: string; seq: number };
    assert.equal(stream, 'LOG');
    const [record] = await history(`--from ${seq} --to ${seq}`);
    assert.equal(record?.subject, 'cmd.accounts.deposit.alice.guest');
  });

  it('nats pub -J … --count 1000 records every one, and each is handled once', async () => {
    await good(`nats pub -J cmd.accounts.deposit.bob '{"amount":{{Count}}}' --count 1000`);
    const balance = await waitFor(
      'bob to have 1 + 2 + … + 1000',
      async () => {
        const answer = await json<{ data: { balance: number } }>(
          `npx tallystick call accounts.balance --agent bob --json`,
        );
        return answer.data.balance === 500_500 && answer.data.balance;
      },
      60_000,
    );
    assert.equal(balance, 500_500);
  });

  it('nats sub live.evt.… shows what is stored, as it is stored', async () => {
    await using live = natsSpawn(['sub', 'live.evt.accounts.>'], { url: broker.url, env });
    await live.line(/Subscribing on live\.evt\.accounts\.>/);
    // The subscription is on its way when it is announced: what is sent until it is seen shows that it stands.
    await waitFor('the event to be seen', async () => {
      await good(`nats req --raw call.accounts.deposit.carol '{"amount":7}'`);
      return live.stdout.some((line) => line.includes('live.evt.accounts.deposited.carol'));
    });
    await live.line(/"amount":7/);
  });

  it('eval "$(npx tallystick env)" makes a shell the operator, who reads history, then live', async () => {
    const printed = await asOperator(
      `nats sub --stream LOG 'evt.accounts.>' --all --count 3 && echo "$NATS_URL $NATS_NKEY"`,
    );
    assert.match(printed, /evt\.accounts\.deposited\.alice/);
    assert.match(printed, new RegExp(`${broker.url} .*operator\\.nk`));
    const values = await json<Record<string, string>>('npx tallystick env --json');
    await using follow = natsSpawn(['sub', '--stream', 'LOG', 'evt.accounts.>'], {
      url: broker.url,
      env: { ...env, ...values },
    });
    await follow.line(/evt\.accounts\.deposited\.alice/);
    await good(`nats req --raw call.accounts.deposit.dora '{"amount":1}'`);
    await follow.line(/evt\.accounts\.deposited\.dora/);
  });

  it('nats micro ls, info and stats list every loaded module and its actions', async () => {
    const list = await good('nats micro ls');
    for (const name of ['accounts', 'agents', 'orders']) assert.match(list, new RegExp(`│ ${name} +│`));
    const info = await good('nats micro info accounts');
    for (const action of ['deposit', 'withdraw', 'transfer', 'balance']) {
      assert.match(info, new RegExp(`Subject: call\\.accounts\\.${action}\\.\\*`));
    }
    assert.match(await good('nats micro info agents'), /Subject: call\.agents\.list\n/);
    assert.match(await good('nats micro stats accounts'), /│ deposit +│ [1-9]\d* +│/);
  });

  it('nats stream report and nats consumer report LOG show a durable consumer per module, named after it', async () => {
    assert.match(await asOperator('nats stream report'), /│ LOG +│ File/);
    const report = await asOperator('nats consumer report LOG');
    for (const name of ['accounts', 'agents', 'orders']) {
      assert.match(report, new RegExp(`│ ${name} +│ Pull +│ All +│`));
    }
    const info = JSON.parse(await asOperator('nats consumer info LOG accounts --json')) as {
      config: { durable_name: string };
    };
    assert.equal(info.config.durable_name, 'accounts');
  });

  it('tallystick call gives the result, and a transfer arrives', async () => {
    const call = `npx tallystick call accounts.transfer '{"to":"bob","amount":2}' --agent alice`;
    const result = await json<{ status: string; data: { balance: number; transfer: number } }>(call);
    assert.equal(result.status, 'ok');
    assert.equal(result.data.balance, 8);
    await waitFor('bob to have it', async () => {
      const { data } = await json<{ data: { balance: number } }>(
        'npx tallystick call accounts.balance.bob --json',
      );
      return data.balance === 500_502;
    });
  });

  it('tallystick status shows server, log, modules, agents and open conversations', async () => {
    const text = await good('npx tallystick status');
    for (const words of [/^server +nats-server 2\./m, /^log +\d+ records/m, /^accounts +1\.0\.0 +loaded/m]) {
      assert.match(text, words);
    }
    const status = await waitFor('everything to be answered', async () => {
      const now = await json<{
        conversationsOpen: number;
        agents: number;
        server: object;
        log: object;
        modules: object[];
      }>('npx tallystick status --json');
      return now.conversationsOpen === 0 && now;
    });
    assert.deepEqual([...Schema.Compile(BrokerStatusSchema).Errors(status)[1]], []);
    assert.ok(status.agents >= 2);
    const keys = (value: object): readonly string[] => Object.keys(value);
    for (const key of ['version', 'embedded', 'url']) assert.ok(keys(status.server).includes(key));
    for (const key of ['records', 'bytes', 'firstSeq', 'lastSeq']) assert.ok(keys(status.log).includes(key));
    for (const key of ['name', 'version', 'state', 'pid', 'restarts', 'lag', 'cpuPercent', 'rssBytes']) {
      assert.ok(
        status.modules.every((module) => keys(module).includes(key)),
        key,
      );
    }
  });

  interface Line {
    readonly seq: number;
    readonly kind: string;
    readonly subject: string;
    readonly agent: string;
    readonly cause: number | null;
  }
  const history = async (options: string): Promise<Line[]> =>
    (await good(`npx tallystick replay history --json ${options}`))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);

  it('tallystick replay history prints a line a record, in order', async () => {
    const text = (await good('npx tallystick replay history --agent alice')).trimEnd().split('\n');
    assert.match(
      text[0] ?? '',
      /^ *\d+ \d{4}-\d\d-\d\dT[\d:.]+Z cmd +accounts\.deposit +alice +guest +- \{"amount":5\}$/,
    );
    const records = await history('--agent alice');
    assert.equal(records.length, text.length);
    const keys =
      'seq time kind subject subjectBase64 module name agent sender id cause conversation form data'.split(
        ' ',
      );
    assert.deepEqual(Object.keys(records[0] ?? {}).toSorted(), keys.toSorted());
    const check = Schema.Compile(HistoryRecordSchema);
    for (const record of records) {
      assert.ok(check.Check(record), JSON.stringify(record));
      assert.equal(record.agent, 'alice');
    }
    const seqs = records.map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    );
    assert.deepEqual(
      records.slice(0, 3).map(({ kind, cause }) => [kind, cause]),
      [
        ['cmd', null],
        ['res', seqs[0]],
        ['evt', seqs[0]],
      ],
    );
  });

  it('tallystick module list, info and stats show the life of modules', async () => {
    assert.match(await good('npx tallystick module list'), /^orders +1\.0\.0 +loaded/m);
    assert.match(await good('npx tallystick module info accounts'), /accounts\.deposit \(an agent\)/);
    assert.match(await good('npx tallystick module stats accounts'), /^accounts +\d+/m);
  });
});
