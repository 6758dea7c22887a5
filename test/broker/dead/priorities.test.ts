import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { manifest } from '../../fixtures/modules/faulty/manifest.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { followLog, type LogFollower } from '../../support/log-follower.js';
import { writeModule } from '../../support/module-dir.js';
import { moduleCommand } from '../../support/modules.js';
import { natsCall } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

describe('an urgent command', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let log: LogFollower;
  let nc: NatsConnection;

  before(async () => {
    dir = tempDir();
    const faulty = await writeModule(join(dir.path, 'faulty'), 'faulty', manifest);
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', '--module', faulty] });
    log = followLog(broker.dataDir);
    nc = await connect({ servers: broker.url });
  });
  after(async () => {
    await nc?.close();
    await log?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const send = async (address: string, payload: object, urgent = false): Promise<number> => {
    const headers = makeHeaders();
    if (urgent) headers.set('Tally-Priority', 'urgent');
    const reply = await nc.request(`cmd.${address}`, JSON.stringify(payload), { headers, timeout: 10_000 });
    return reply.json<{ seq: number }>().seq;
  };
  /** The commands in the order in which they were answered. */
  const answered = async (commands: readonly number[]): Promise<readonly number[]> => {
    for (const command of commands) assert.equal((await log.result(command, 60_000)).status, 'ok');
    return log
      .records()
      .filter(({ kind, cause }) => kind === 'res' && cause !== null && commands.includes(cause))
      .map(({ cause }) => cause as number);
  };

  it('I5 gets the next free place, behind what waits of its own agent and before all others', async () => {
    const until = join(dir.path, 'go');
    const late = { until: join(dir.path, 'go-others') };
    const first = await send('faulty.one_at_a_time.first', { until });
    await waitFor('the first to begin', () =>
      broker.stderr.some((line) => line.includes(`handling ${first} (`)),
    );
    const others: number[] = [];
    for (let i = 0; i < 5; i++) others.push(await send(`faulty.one_at_a_time.a${i}`, late));
    const own = await send('faulty.one_at_a_time.u', { until });
    const more = await send('faulty.one_at_a_time.z', late);
    const urgent = await send('faulty.one_at_a_time.u', { until }, true);
    await writeFile(until, '');
    // One of the others takes the place until the urgent one has its turn, which is when the one before it is stored.
    await log.result(own, 60_000);
    // The host takes this one behind the acknowledgement of that result.
    await nc.request('call.faulty.works.probe', '{"ms":0}', { timeout: 30_000 });
    await writeFile(late.until, '');
    const order = await answered([first, ...others, own, more, urgent]);
    assert.deepEqual(order.slice(0, 4), [first, own, others[0], urgent]);
    assert.deepEqual(
      order.filter((seq) => others.includes(seq) || seq === more),
      [...others, more],
    );
  });

  it('of a pure action is handled before those that were delivered before it and have not begun', async () => {
    await moduleCommand(broker, 'unload', 'faulty');
    const waiting = await Promise.all(
      Array.from({ length: 300 }, (_, i) => send(`faulty.works.w${i}`, { ms: 5 })),
    );
    const behind = await send('faulty.works.w299', { ms: 1 }, true);
    const urgent = await send('faulty.works.hurried', { ms: 1 }, true);
    await moduleCommand(broker, 'reload', 'faulty');
    const order = await answered([...waiting, behind, urgent]);
    assert.ok(order.indexOf(urgent) < 100, `it was answered as number ${order.indexOf(urgent)} of 302`);
    // An agent's own order stays, so the one before it is hurried too.
    const before = waiting.at(299) as number;
    assert.ok(order.indexOf(before) < order.indexOf(behind));
    assert.ok(order.indexOf(behind) < 150, `it was answered as number ${order.indexOf(behind)} of 302`);
  });

  it('keeps its priority through a call', async () => {
    const args = ['call', 'faulty.ok.called', '{}', '--priority', 'urgent', '--json'];
    const { code, stdout } = await tallystick(args, { dataDir: broker.dataDir });
    assert.deepEqual([code, JSON.parse(stdout)], [0, { status: 'ok', data: { total: 0 } }]);
    const { result, headers } = await natsCall(broker.url, 'faulty.ok.called', '{}', {
      'Tally-Priority': 'at once',
    });
    // Kept, since the module has looked at it.
    assert.equal((result as { error: { code: string } }).error.code, 'HEADER_INVALID');
    assert.match(
      headers['Nats-Service-Error'] ?? '',
      /Tally-Priority "at once" is neither urgent nor normal/,
    );
  });
});
