import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { byForm, inDeep } from '../support/form.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { follow } from '../support/children.js';
import { soundLog } from '../support/log-checks.js';
import { tallystickPath } from '../support/program-paths.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { CLEAN_ENV, tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

/** Records of an export that no broker wrote: many, so that an import of them takes a while. */
const MANY = byForm({ short: 15_000, deep: 30_000 });
const many = (): string => {
  const head = { tallystick: 'export', format: 1, logId: 'x', query: {}, toSeq: MANY };
  const lines = [JSON.stringify(head)];
  const rest = `"time":"2026-01-01T00:00:00Z","subject":"evt.weather.measured.x","headers":{},"data":{"text":"${'x'.repeat(200)}"}}`;
  for (let seq = 1; seq <= MANY; seq++) lines.push(`{"seq":${seq},${rest}`);
  return `${lines.join('\n')}\n`;
};

const call = async (
  nc: NatsConnection,
  address: string,
  payload: object,
): Promise<{ status: string; data: unknown }> =>
  (await nc.request(`call.${address}`, JSON.stringify(payload), { timeout: 30_000 })).json();

const codeOf = ({ stderr }: ProgramResult): string =>
  (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } }).error.code;

describe('tallystick replay export and import', () => {
  let home: TempDir;
  let broker: TestBroker;
  const at = (name: string): string => join(home.path, name);
  const cli = (args: readonly string[], input?: string): Promise<ProgramResult> =>
    tallystick(args, { cwd: home.path, timeoutMs: 60_000, ...(input === undefined ? {} : { input }) });
  const exported = async (dataDir: string, ...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(['replay', 'export', '--data', dataDir, ...args]);
    assert.deepEqual([code, stderr], [0, '']);
    return stdout;
  };
  /** Without the line that says which log it is. */
  const records = (text: string): string => text.slice(text.indexOf('\n') + 1);
  const imported = (file: string, dataDir: string, ...args: readonly string[]): Promise<ProgramResult> =>
    cli(['replay', 'import', file, '--data', dataDir, '--json', ...args]);

  /** Whatever a log can have: calls of handlers, batches, commands without and with odd headers, all kinds of results. */
  const fill = async (nc: NatsConnection): Promise<void> => {
    await call(nc, 'accounts.deposit.ada', { amount: 100 });
    await call(nc, 'agents.spawn.ada', {});
    await call(nc, 'orders.restock.apple', { quantity: 10 });
    const order = { item: 'apple', quantity: 3, unitPrice: 5, customer: 'ada' };
    const placed = await call(nc, 'orders.place.order-1', order);
    assert.equal((placed.data as { status: string }).status, 'confirmed');
    await Promise.all(
      Array.from({ length: 80 }, (_, i) => call(nc, `accounts.deposit.load-${i % 7}`, { amount: 1 })),
    );
    const h = headers();
    h.set('traceparent', 'zwei ü: drei');
    h.set('Tally-Deadline', '2020-01-01T00:00:00Z');
    nc.publish('cmd.accounts.deposit.late', '{"amount": 1.0}', { headers: h });
    nc.publish('cmd.accounts.deposit.odd', new Uint8Array([0, 255, 1]));
    nc.publish('cmd.agents.act.x', '');
    await nc.flush();
    await call(nc, 'accounts.deposit.odd', { amount: 1 });
  };

  before(async () => {
    home = tempDir();
    broker = await startBroker({ dataDir: at('first') });
    const nc = await connect({ servers: broker.url });
    await fill(nc);
    await nc.close();
    await soundLog(at('first'));
    for (const format of ['ndjson', 'cloudevents'])
      writeFileSync(at(`log.${format}`), await exported(at('first'), '--format', format));
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('a file has what a pipe gets, filters narrow it, and nothing is left where it cannot be written', async () => {
    const { code, stdout } = await cli([
      ...['replay', 'export', '--data', at('first'), '--out', at('file'), '--json'],
    ]);
    const text = readFileSync(at('log.ndjson'), 'utf8');
    const { seconds, ...said } = JSON.parse(stdout) as Record<string, unknown>;
    const count = text.split('\n').length - 2;
    assert.deepEqual(
      [code, said],
      [0, { file: at('file'), format: 'ndjson', records: count, bytes: Buffer.byteLength(text) }],
    );
    assert.equal(readFileSync(at('file'), 'utf8'), text);
    const ada = records(await exported(at('first'), '--agent', 'ada', '--kind', 'evt', '--limit', '2'))
      .trim()
      .split('\n');
    // An answer comes with the result, events behind it: of two modules' either may be the first.
    assert.deepEqual(ada.map((line) => (JSON.parse(line) as { subject: string }).subject).sort(), [
      'evt.accounts.deposited.ada',
      'evt.agents.spawned.ada',
    ]);
    mkdirSync(at('dir'));
    const before = readdirSync(home.path);
    const bad = await cli(['replay', 'export', '--data', at('first'), '--out', at('dir'), '--json']);
    assert.deepEqual([bad.code, codeOf(bad)], [1, 'OUTPUT_FAILED']);
    assert.deepEqual(readdirSync(home.path), before);
  });

  it('`| head` ends it without a word', async () => {
    const command = `'${process.execPath}' '${tallystickPath()}' replay export --data first --format csv | head -1`;
    const { stdout, stderr } = await runProgram('sh', ['-c', command], { cwd: home.path, env: CLEAN_ENV });
    assert.deepEqual(
      [stdout, stderr],
      ['seq,time,kind,subject,module,name,agent,sender,id,cause,conversation,data\r\n', ''],
    );
  });

  it('I1 I2 I3 I4 I5 I6 a broker goes on with an imported log, which is the same to the byte', async () => {
    const text = readFileSync(at('log.ndjson'), 'utf8');
    const last = text.split('\n').length - 2;
    const { code, stdout, stderr } = await imported(at('log.ndjson'), at('second'));
    assert.deepEqual([code, stderr], [0, '']);
    const { records: count, firstSeq, lastSeq } = JSON.parse(stdout) as Record<string, number>;
    assert.deepEqual([count, firstSeq, lastSeq], [last, 1, last]);

    await using second = await startBroker({ dataDir: at('second') });
    for (const format of ['ndjson', 'cloudevents']) {
      const again = await exported(at('second'), '--format', format, '--to', `${last}`);
      // A CloudEvent says of which log it is, and this is another one.
      const plain = (all: string): string => all.replaceAll(/"source":"[^"]*"/g, '');
      const [is, was] = [again, readFileSync(at(`log.${format}`), 'utf8')].map((all) =>
        plain(format === 'ndjson' ? records(all) : all),
      );
      assert.equal(is, was);
    }
    await using nc = await connect({ servers: second.url }).then((opened) => ({
      opened,
      [Symbol.asyncDispose]: () => opened.close(),
    }));
    const { data } = await call(nc.opened, 'accounts.deposit.ada', { amount: 1 });
    assert.deepEqual(data, { balance: 86 });
    const order = { item: 'apple', quantity: 8, unitPrice: 1, customer: 'ada' };
    const refused = await call(nc.opened, 'orders.place.order-2', order);
    assert.equal((refused.data as { status: string }).status, 'refused', 'stock of before counts');

    const epochs = await exported(at('second'), '--kind', 'epoch');
    const of = (producer: string, which: (seq: number) => boolean): number =>
      epochs
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => JSON.parse(line) as { seq: number; data: { producer: string; phase: string } })
        .filter(
          ({ seq, data: { producer: name, phase } }) => name === producer && phase === 'open' && which(seq),
        )
        .at(-1)?.seq ?? 0;
    // What names an epoch of before as its fence is refused: the producer's last epoch record is a new one.
    assert.ok(of('gateway', (seq) => seq <= last) > 0);
    assert.ok(of('gateway', (seq) => seq > last) > last);

    await soundLog(at('second'));
    const check = await cli(['replay', 'rebuild', '--check', '--json', '--data', at('second')]);
    assert.equal((JSON.parse(check.stdout) as { same: boolean }).same, true, check.stderr);
    await second.stop();

    const full = await imported(at('log.ndjson'), at('second'));
    assert.deepEqual([full.code, codeOf(full)], [1, 'LOG_NOT_EMPTY']);
  });

  itInDeep(
    'cloudevents over a pipe give the same, also where a broker has started and recorded nothing',
    async () => {
      {
        await using fresh = await startBroker({ dataDir: at('third'), args: ['--no-shipped'] });
        await fresh.stop();
      }
      const { code, stderr } = await cli(
        ['replay', 'import', '-', '--data', at('third')],
        readFileSync(at('log.cloudevents'), 'utf8'),
      );
      assert.deepEqual([code, stderr], [0, '']);
      await using third = await startBroker({ dataDir: at('third'), args: ['--no-shipped'] });
      const last = readFileSync(at('log.ndjson'), 'utf8').split('\n').length - 2;
      const again = await exported(at('third'), '--to', `${last}`);
      assert.equal(records(again), records(readFileSync(at('log.ndjson'), 'utf8')));
      assert.deepEqual(third.stderr, []);
    },
  );

  it('a file that is not whole changes nothing, and a running broker is left alone', async () => {
    const lines = readFileSync(at('log.ndjson'), 'utf8').split('\n');
    writeFileSync(at('bad'), lines.map((line, i) => (i === 40 ? line.slice(1) : line)).join('\n'));
    const bad = await imported(at('bad'), at('fourth'));
    assert.deepEqual([bad.code, codeOf(bad)], [1, 'IMPORT_INVALID']);
    assert.match(bad.stderr, /line 41: it is not JSON/);
    writeFileSync(at('holes'), lines.filter((_, i) => i !== 40).join('\n'));
    const holes = await imported(at('holes'), at('fourth'));
    assert.match(holes.stderr, /line 41: record 40 is missing/);
    const missing = await imported(at('nothing'), at('fourth'));
    assert.deepEqual([missing.code, codeOf(missing)], [2, 'USAGE']);
    assert.equal((await imported(at('holes'), at('fourth'), '--partial')).code, 0);
    const running = await imported(at('log.ndjson'), at('first'));
    assert.deepEqual([running.code, codeOf(running)], [3, 'DATA_DIR_IN_USE']);
  });

  itInDeep('a killed import is a log that no broker starts with, and the next one begins again', async () => {
    const text = many();
    writeFileSync(at('many'), text);
    const dataDir = at('fifth');
    const child = spawn(
      process.execPath,
      [tallystickPath(), 'replay', 'import', at('many'), '--data', dataDir],
      {
        env: { ...process.env, ...CLEAN_ENV },
        stdio: 'ignore',
      },
    );
    const exited = follow(child);
    await waitFor('the import to begin to store', () => existsSync(join(dataDir, 'import.json')));
    child.kill('SIGKILL');
    await exited;
    const started = await cli(['start', '--data', dataDir, '--nats-port', '0', '--json']);
    assert.deepEqual([started.code, codeOf(started)], [1, 'IMPORT_UNFINISHED']);
    const { code, stdout, stderr } = await imported(at('many'), dataDir);
    // The server may have been killed while it made the log: it says then which file of it is missing.
    const own = stderr.split('\n').filter((line) => !line.includes('[nats-server] [WRN]'));
    assert.deepEqual([code, own.join('')], [0, '']);
    assert.equal((JSON.parse(stdout) as { records: number }).records, MANY);
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name.startsWith('import')),
      [],
    );
    await using fifth = await startBroker({ dataDir, args: ['--no-shipped'] });
    const again = await exported(dataDir, '--to', `${MANY}`);
    const digest = (all: string): string => createHash('sha256').update(records(all)).digest('hex');
    assert.equal(digest(again.replaceAll('00.000000000Z', '00Z')), digest(text));
    assert.deepEqual(fifth.stderr, []);
  });
});
