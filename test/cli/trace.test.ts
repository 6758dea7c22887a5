import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { history, readTrace, traceJson } from '../../replay/index.js';
import type { HistoryLine } from '../../schemas/record.js';
import { manifest as faulty } from '../fixtures/modules/faulty/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { connectOperator } from '../support/log-checks.js';
import { follow } from '../support/children.js';
import { collectLines } from '../support/lines.js';
import { writeModule } from '../support/module-dir.js';
import { moduleCommand } from '../support/modules.js';
import { natsCall, natsCommand } from '../support/requests.js';
import { tallystickPath } from '../support/program-paths.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { shellEnvironment } from '../support/shell.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { tallystick } from './tallystick.js';

interface Node {
  readonly seq: number;
  readonly kind: string;
  readonly role: string;
  readonly module: string;
  readonly name: string;
  readonly agent: string | null;
  readonly result?: number | null;
  readonly outcome?: string;
  readonly tookMs?: number;
  readonly dead?: number | null;
  readonly children: readonly Node[];
}

interface TraceJson {
  readonly conversation: number;
  readonly records: number;
  readonly read: { readonly toSeq: number; readonly ended: boolean };
  readonly findings: readonly {
    readonly seq: number;
    readonly path: readonly number[];
    readonly said: string;
  }[];
  readonly tree: readonly Node[];
}

const outline = (node: Node): unknown => [
  `${node.role} ${node.kind} ${node.module}.${node.name} ${node.agent} ${node.outcome ?? ''}`.trim(),
  ...node.children.map(outline),
];

const seqsIn = (nodes: readonly Node[]): readonly number[] =>
  nodes.flatMap(({ seq, result, children }) => [
    seq,
    ...(result == null ? [] : [result]),
    ...seqsIn(children),
  ]);

describe('tallystick replay trace', () => {
  let home: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;
  /** Sequence of an order whose last step is refused. */
  let order = 0;

  const replay = (args: readonly string[], env: Record<string, string> = {}): Promise<ProgramResult> =>
    tallystick(['replay', ...args, '--data', broker.dataDir], { cwd: home.path, env });
  const good = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await replay(args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  /** As `--json` prints it, without a process for each. */
  const trace = async (seq: number): Promise<TraceJson> =>
    JSON.parse(traceJson(await readTrace(nc, { seq }))) as TraceJson;
  /** A call by a guest; the sequence of its command. */
  const call = async (address: string, data: unknown): Promise<number> =>
    Number((await natsCall(broker.url, address, JSON.stringify(data))).headers['Tally-Cause']);
  const ended = (seq: number): Promise<TraceJson> =>
    waitFor(`conversation ${seq} to end`, async () => {
      const found = await trace(seq);
      return found.read.ended && found;
    });

  before(async () => {
    home = tempDir();
    await writeModule(join(home.path, 'faulty'), 'faulty', faulty);
    broker = await startBroker({
      dataDir: join(home.path, 'data'),
      args: ['--durability', 'os', '--module', join(home.path, 'faulty')],
    });
    nc = await connectOperator(broker.dataDir);
    await call('orders.restock.lamp', { quantity: 5 });
    await call('accounts.deposit.alice', { amount: 100 });
    // alice is no agent: paid for and reserved, the order cannot be assigned and is undone.
    order = await call('orders.place.order-1', {
      item: 'lamp',
      quantity: 2,
      unitPrice: 10,
      customer: 'alice',
    });
  });
  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('shows where an order failed, what was done before, and what undid it', async () => {
    const found = await ended(order);
    assert.equal(found.tree.length, 1);
    assert.deepEqual(outline(found.tree[0] as Node), [
      'first cmd orders.place order-1 ok',
      ['call cmd orders.reserve lamp ok', ['copy evt orders.stock_reserved lamp']],
      ['call cmd accounts.withdraw alice ok', ['copy evt accounts.withdrawn alice']],
      ['call cmd agents.assign alice rejected'],
      ['call cmd accounts.deposit alice ok', ['copy evt accounts.deposited alice']],
      ['copy evt orders.order_refused order-1'],
      ['copy cmd orders.unreserve lamp ok', ['copy evt orders.stock_unreserved lamp']],
    ]);
    const [finding, ...others] = found.findings;
    assert.deepEqual(others, []);
    assert.match(finding?.said ?? '', /^rejected NOT_SPAWNED: there is no agent alice/);
    assert.deepEqual(finding?.path, [order]);
    const text = await good('trace', `${order}`);
    assert.equal(text.includes('\u001b['), false);
    assert.match(text, /├─ call 3 agents\.assign alice rejected NOT_SPAWNED: there is no agent alice/);
    assert.match(
      text,
      new RegExp(`\\nnot ok\\n {2}${finding?.seq} agents.assign alice \\(${order} › ${finding?.seq}\\): `),
    );
    assert.match(text, /\nwhere the time went\n/);
  });

  it('has every record of the conversation once, from whichever of them it is asked for', async () => {
    const { records, tree, read } = await ended(order);
    const all: number[] = [];
    for await (const { seq } of history(nc, { conversation: order })) all.push(seq);
    assert.deepEqual(
      seqsIn(tree).toSorted((a, b) => a - b),
      all,
    );
    assert.deepEqual([records, read.toSeq], [all.length, all.at(-1)]);
    const other = await trace(all[7] ?? 0);
    assert.deepEqual([other.conversation, other.records], [order, records]);
  });

  it('a transfer is three commands, each sent by the outcome of the one before', async () => {
    const { tree } = await ended(await call('accounts.transfer.alice', { to: 'bob', amount: 3 }));
    assert.deepEqual(tree.map(outline), [
      [
        'first cmd accounts.transfer alice ok',
        ['copy evt accounts.transfer_started alice'],
        [
          'copy cmd accounts.credit bob ok',
          ['copy evt accounts.credited bob'],
          ['copy cmd accounts.settle alice ok', ['copy evt accounts.transfer_settled alice']],
        ],
      ],
    ]);
  });

  it('a dead letter and what redrove it are one tree', async () => {
    const seq = await call('faulty.throws.x', { bytes: 1 });
    await waitFor(
      'the letter',
      async () => (await tallystick(['dead', 'show', `${seq}`, '--data', broker.dataDir])).code === 0,
    );
    const redriven = await tallystick(['dead', 'redrive', `${seq}`, '--data', broker.dataDir]);
    assert.equal(redriven.code, 0, redriven.stderr);
    const { tree, findings } = await ended(seq);
    assert.deepEqual(tree.map(outline), [
      ['first cmd faulty.throws x failed', ['redrive cmd faulty.throws x failed']],
    ]);
    assert.deepEqual([tree[0]?.dead, findings.length], [1, 2]);
    assert.match(findings[0]?.said ?? '', /^failed HANDLER_THREW: .* \(dead letter after 1 try\)$/);
  });

  it('a command that nobody answers is marked, and how far was read is said', async () => {
    assert.equal((await moduleCommand(broker, 'unload', 'faulty')).code, 0);
    const seq = await natsCommand(broker.url, 'faulty.ok.y', '{}');
    const text = await good('trace', `${seq}`);
    assert.match(text, new RegExp(`\n${seq}→\\? .* open .* faulty\\.ok y from guest open`));
    assert.match(text, /\nnot ended; read \d+ to \d+, the end of the log\n$/);
  });

  it('a page, a diagram and a file show payloads and run nothing of them', async () => {
    const text = '</title><script>alert(1)</script>';
    const seq = await call('accounts.deposit.alice', { amount: text });
    const file = join(home.path, 'trace.html');
    assert.equal(await good('trace', `${seq}`, '--html', '--out', file), '');
    const html = readFileSync(file, 'utf8');
    assert.equal(html.includes('<script'), false);
    assert.ok(html.includes('&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;'));
    assert.match(html, /^<!doctype html>\n/);
    assert.match(
      await good('trace', `${order}`, '--mermaid'),
      /^sequenceDiagram\n {2}participant p0 as guest\n/,
    );
  });

  it('shows as many levels as are asked for and counts the rest', async () => {
    const { tree } = JSON.parse(await good('trace', `${order}`, '--depth', '1', '--json')) as TraceJson;
    assert.deepEqual(tree[0]?.children, [{ more: 15 }]);
  });

  it('what is not there, and what cannot be, are typed errors', async () => {
    const codes = async (...args: readonly string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await replay(args);
      return [code, stdout, /^tallystick: ([A-Z_]+): /.exec(stderr)?.[1]];
    };
    assert.deepEqual(await codes('trace', '999999'), [1, '', 'CONVERSATION_UNKNOWN']);
    const nowhere = join(home.path, 'none', 'x.html');
    assert.deepEqual(await codes('trace', `${order}`, '--html', '--out', nowhere), [1, '', 'OUTPUT_FAILED']);
    assert.equal(existsSync(nowhere), false);
    assert.deepEqual(await codes('history', '--from', '9', '--to', '3'), [2, '', 'USAGE']);
  });

  it('history says on stderr how to go on, as text or as JSON', async () => {
    const first = await replay(['history', '--limit', '2']);
    assert.deepEqual([first.stdout.split('\n').length, first.stderr], [3, 'more: --from 3\n']);
    const last = await replay(['history', '--last', '1', '--name', 'place', '--json']);
    const { seq } = JSON.parse(last.stdout) as HistoryLine;
    assert.equal(last.stderr, `{"previous":${seq - 1}}\n`);
    const none = await replay(['history', '--agent', 'nobody']);
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'no record matches\n']);
  });

  it('a pipe that asks for colours gets them', async () => {
    const { stdout } = await replay(['trace', `${order}`], { FORCE_COLOR: '1' });
    assert.ok(stdout.includes('\u001b[33mrejected NOT_SPAWNED'), stdout);
  });

  it('a pipe that is closed ends it without a word, with 0', async () => {
    const env = shellEnvironment(home.path, broker.url);
    const data = `--data ${broker.dataDir}`;
    for (const command of [`history --follow ${data}`, `trace ${order} ${data}`]) {
      const script = `{ npx tallystick replay ${command}; echo "exit $?" >&2; } | head -1`;
      // A program learns that its pipe is closed when it writes: there is always a next record.
      const more = setInterval(() => void call('accounts.deposit.pipe', { amount: 1 }), 200);
      const { stdout, stderr } = await runProgram('sh', ['-c', script], { env, cwd: home.path }).finally(() =>
        clearInterval(more),
      );
      assert.equal(stdout.split('\n').length, 2, stdout);
      assert.equal(stderr, 'exit 0\n', command);
    }
  });

  it('I1 following goes on over kill -9 and restart of the broker', async () => {
    const port = new URL(broker.url).port;
    const events = ['history', '--follow', '--kind', 'evt', '--agent', 'gina', '--limit', '2', '--json'];
    const child = spawn(process.execPath, [tallystickPath(), 'replay', ...events, '--data', broker.dataDir]);
    const exited = follow(child);
    const lines = collectLines(child.stdout);
    await call('accounts.deposit.gina', { amount: 1 });
    await waitFor('the first', () => lines.length === 1);
    await nc.close();
    await broker.kill();
    broker = await startBroker({
      dataDir: broker.dataDir,
      args: ['--durability', 'os', '--nats-port', port],
    });
    await call('accounts.deposit.gina', { amount: 2 });
    assert.equal((await exited).code, 0);
    const amounts = lines.map((line) => (JSON.parse(line) as { data: { amount: number } }).data.amount);
    assert.deepEqual(amounts, [1, 2]);
  });
});
