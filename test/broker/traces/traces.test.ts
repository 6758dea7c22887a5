import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mkdirSync, readFileSync } from 'node:fs';
import { traceSettings } from '../../../schemas/trace-settings.js';
import type { TracesNews } from '../../../schemas/traces-process.js';
import { TraceExport } from '../../../traces/trace-export.js';
import { connectOperator } from '../../support/log-checks.js';
import { join } from 'node:path';
import { seedIn } from '../../../link/token-file.js';
import { ADDRESS_FILE, type BrokerAddress } from '../../../schemas/operate.js';
import { bearer } from '../../http/http-requests.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { type OtlpReceiver, otlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.js';
import { processesMentioning } from '../../support/processes.js';
import { natsCall, natsCommand, natsRequest } from '../../support/requests.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { SECRET, tracedModules } from './traced-modules.js';

const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let collector: OtlpReceiver;

const start = (): Promise<TestBroker> =>
  startBroker({
    dataDir,
    http: true,
    shipped: [],
    args: ['--durability', 'os', ...tracedModules(dir.path)],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace('//', '//ada:word@'),
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=a%20b',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
  });

before(async () => {
  collector = await otlpReceiver();
  broker = await start();
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const all = (): readonly ReceivedSpan[] => [...collector.spans.values()];

const spanOf = (seq: number): ReceivedSpan | undefined =>
  all().find(({ attributes }) => attributes['tallystick.sequence'] === seq);

/** The span of a command, once the collector has it. */
const spanAt = (seq: number): Promise<ReceivedSpan> =>
  waitFor(`the span of ${seq}`, () => spanOf(seq), 8_000);

const exporterPid = (): number | undefined =>
  processesMentioning('traces-main').find(({ command }) => command.includes(dataDir))?.pid;

/** The spans of a trace as `parent > child`, in the order of their ends. */
const treeOf = (traceId: string): readonly string[] => {
  const spans = all().filter((span) => span.traceId === traceId);
  const nameOf = (id: string | undefined): string =>
    id === undefined ? '' : (spans.find(({ spanId }) => spanId === id)?.name ?? 'outside');
  return spans
    .toSorted((a, b) => (a.endNanos < b.endNanos ? -1 : 1))
    .map(({ parentSpanId, name }) => `${nameOf(parentSpanId)} > ${name}`);
};

const ORDER = [
  ' > desk.order',
  'desk.order > till.charge',
  'desk.order > till.refuse',
  'desk.order > wait sleep',
  'till.charge > bank.note',
  'till.charge > bank.pay',
  'till.charge > step print',
];

/** Calls `desk.order`, and returns the spans of its trace once all are exported. */
const order = async (headers: Readonly<Record<string, string>> = {}): Promise<ReceivedSpan> => {
  const { headers: said } = await natsCall(broker.url, 'desk.order.o', '{}', headers);
  const root = await spanAt(Number(said['Tally-Cause']));
  await waitFor('all spans of the trace', () => treeOf(root.traceId).length >= ORDER.length);
  return root;
};

/** `/metrics`, as the operator reads it. */
const scraped = async (): Promise<string> => {
  const { operatorSeed } = JSON.parse(readFileSync(join(dataDir, ADDRESS_FILE), 'utf8')) as BrokerAddress;
  const seed = seedIn(readFileSync(operatorSeed, 'utf8')) ?? '';
  const reply = await fetch(`${broker.ready.http ?? ''}/metrics`, { headers: bearer(seed) });
  assert.equal(reply.status, 200);
  return reply.text();
};

describe('traces', () => {
  test('a conversation over three modules is one trace: calls, steps, waits, events and errors', async () => {
    const root = await order();
    assert.deepEqual(treeOf(root.traceId).toSorted(), ORDER);
    assert.deepEqual(collector.problems, []);
    const named = (name: string): ReceivedSpan => {
      const found = all().find((span) => span.traceId === root.traceId && span.name === name);
      assert.ok(found !== undefined, name);
      return found;
    };
    assert.deepEqual(
      ['desk.order', 'till.charge', 'bank.pay'].map((name) => named(name).service),
      ['desk', 'till', 'bank'],
    );
    assert.equal(named('till.refuse').error, 'NO_MONEY');
    assert.equal(named('till.refuse').attributes['error.type'], 'NO_MONEY');
    assert.equal(root.error, undefined);
    assert.ok(named('wait sleep').endNanos - named('wait sleep').startNanos >= 40_000_000n);
    assert.equal(root.attributes['messaging.destination.name'], 'desk.order');
    assert.equal(root.attributes['tallystick.sender'], 'guest');
    for (const child of all().filter(({ traceId }) => traceId === root.traceId)) {
      assert.ok(child.startNanos >= root.startNanos, child.name);
      assert.ok(child.endNanos >= child.startNanos, child.name);
    }
  });

  test('payloads, messages of errors and credentials are in no span and in no line', async () => {
    const text = collector.bodies.join('\n');
    assert.ok(text.length > 0);
    assert.ok(!text.includes(SECRET));
    assert.ok(!broker.stderr.join('\n').includes('word'));
    const { traces } = await brokerStatus(dataDir);
    assert.equal(traces, `${collector.url}/v1/traces`);
    const { stdout } = await tallystick(['status'], { dataDir });
    assert.match(stdout, new RegExp(`^traces +to ${collector.url}/v1/traces$`, 'm'));
    const [headers] = collector.headers;
    assert.equal(headers?.['x-team'], 'a b');
    assert.equal(headers?.authorization, `Basic ${btoa('ada:word')}`);
  });

  test('a command with a traceparent is in the trace of its sender, with all that follows from it', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const root = await order({ traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'us=1' });
    assert.equal(root.traceId, traceId);
    assert.equal(root.parentSpanId, 'b7ad6b7169203331');
    assert.equal(root.state, 'us=1');
    assert.deepEqual(
      treeOf(traceId).toSorted(),
      ORDER.map((line) => line.replace(/^ > /, 'outside > ')).toSorted(),
    );
  });

  test('a trace that its sender does not keep is not exported, and is counted', async () => {
    const traceId = 'aaaa651916cd43dd8448eb211c80319c';
    const unsampled = await natsCommand(broker.url, 'bank.pay.b', '{}', {
      traceparent: `00-${traceId}-b7ad6b7169203331-00`,
    });
    await spanAt(await natsCommand(broker.url, 'bank.pay.b', '{}'));
    assert.equal(spanOf(unsampled), undefined);
  });

  test('an odd traceparent breaks nothing: its command has a trace of the log', async () => {
    const odd = ['x', '00', 'é', '00-0-0-0', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, '-'.repeat(3_000)];
    const sent = await Promise.all(
      odd.map((traceparent) => natsCommand(broker.url, 'bank.pay.b', '{}', { traceparent })),
    );
    const spans = await Promise.all(sent.map((seq) => spanAt(seq)));
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, odd.length);
    for (const { parentSpanId } of spans) assert.equal(parentSpanId, undefined);
  });

  test('while the collector is down, commands are served; then it gets all spans', async () => {
    collector.mood = 'hangs up';
    const first = await natsCommand(broker.url, 'bank.pay.b', '{}');
    await waitFor('the line about the collector', () =>
      broker.stderr.some((line) => /takes no spans: .*the log keeps them/.test(line)),
    );
    collector.mood = 503;
    const { result } = await natsCall(broker.url, 'bank.pay.b', '{}');
    assert.equal(result.status, 'ok');
    assert.equal(spanOf(first), undefined);
    collector.mood = 200;
    await spanAt(first);
    await waitFor('the line about the end', () =>
      broker.stderr.some((line) => /takes spans again/.test(line)),
    );
    const metrics = await waitFor('metrics without lag', async () => {
      const text = await scraped();
      return /^tallystick_traces_lag 0$/m.test(text) ? text : undefined;
    });
    const value = (name: string): number =>
      Number(new RegExp(`^tallystick_${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
    assert.equal(value('traces_spans_total'), collector.spans.size);
    assert.ok(value('traces_failures_total') > 0);
    assert.equal(value('traces_unsampled_spans_total'), 1);
    assert.equal(value('traces_refused_spans_total'), 0);
    assert.equal(value('traces_skipped_records_total'), 0);
  });

  test('spans that the collector refuses for ever are counted, and hold up no others', async () => {
    collector.mood = 400;
    const refused = await natsCommand(broker.url, 'bank.pay.b', '{}');
    await waitFor('the refusal', () =>
      broker.stderr.some((line) => /refused 1 of 1 spans: status 400/.test(line)),
    );
    collector.mood = 200;
    await spanAt(await natsCommand(broker.url, 'bank.pay.b', '{}'));
    assert.equal(spanOf(refused), undefined);
  });

  test('a trace is whole if the exporter and then the broker are killed in the middle', async () => {
    const held = await natsCommand(broker.url, 'desk.hold.h', '{}');
    await waitFor('the wait', async () =>
      (await brokerStatus(dataDir)).modules.some(({ asleep }) => asleep === 1),
    );
    const killed = await waitFor('the exporter', exporterPid);
    process.kill(killed, 'SIGKILL');
    await waitFor('another exporter', () => {
      const pid = exporterPid();
      return pid !== undefined && pid !== killed;
    });
    await broker.kill('SIGKILL');
    broker = await start();
    const { body } = await natsRequest(broker.url, 'signal.desk.go.h', '{}');
    assert.match(body, /"seq":/);
    const root = await spanAt(held);
    await waitFor('the whole trace', () => treeOf(root.traceId).length >= 6);
    assert.deepEqual(treeOf(root.traceId).toSorted(), [
      ' > desk.hold',
      'desk.hold > till.charge',
      'desk.hold > wait signal go',
      'till.charge > bank.note',
      'till.charge > bank.pay',
      'till.charge > step print',
    ]);
    assert.deepEqual(collector.problems, []);
    const wait = all().find(({ name, traceId }) => name.startsWith('wait') && traceId === root.traceId);
    assert.ok(wait !== undefined && wait.endNanos > wait.startNanos);
  });

  test('an export that is too far behind goes to the end of the log, and counts what it leaves out', async () => {
    const nc = await connectOperator(dataDir);
    const [lines, news]: [string[], TracesNews[]] = [[], []];
    const place = join(dir.path, 'behind');
    mkdirSync(place);
    const { settings } = traceSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '20',
    });
    assert.ok(settings !== undefined);
    const opened = async (): Promise<TraceExport> => {
      const made = new TraceExport({
        ...{ nc, settings, dataDir: place, version: '1', mostBehind: 10 },
        say: (text) => lines.push(text),
        tell: (what) => news.push(what),
      });
      const before = news.length;
      made.start();
      await waitFor('its first position', () => news.length > before);
      return made;
    };
    await (await opened()).close();
    const from = news.at(-1)?.position ?? 0;
    assert.ok(from > 0);
    for (let i = 0; i < 6; i++) await natsCall(broker.url, 'bank.pay.b', '{}');
    const behind = await opened();
    await waitFor('the line', () =>
      lines.some((line) => /are \d+ records behind; no spans are exported/.test(line)),
    );
    const seq = await natsCommand(broker.url, 'bank.pay.b', '{}');
    await waitFor('the record behind it', () => (news.at(-1)?.position ?? 0) > seq);
    await behind.close();
    await nc.close();
    const skipped = news.reduce((sum, each) => sum + each.skipped, 0);
    assert.ok(skipped >= 12, `${skipped}`);
    assert.ok(news.reduce((sum, { exported }) => sum + exported, 0) >= 1);
  });

  test('a broker that stops sends what waits', async () => {
    const seq = await natsCommand(broker.url, 'bank.pay.b', '{}');
    await natsRequest(broker.url, `result.${seq}`, '');
    await broker.stop();
    await spanAt(seq);
    assert.equal(exporterPid(), undefined);
  });

  test('without a collector in the environment, no process exports traces', async () => {
    broker = await startBroker({ dataDir, shipped: [], env: { OTEL_EXPORTER_OTLP_ENDPOINT: '' } });
    assert.equal((await brokerStatus(dataDir)).traces, null);
    assert.equal(exporterPid(), undefined);
    assert.ok(!broker.stderr.some((line) => line.includes('[traces]')));
  });
});
