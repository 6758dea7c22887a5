import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, headers as makeHeaders } from 'nats';
import Schema from 'typebox/schema';
import { readLog } from '../../journal/read/reader.js';
import { HEADER } from '../../schemas/headers.js';
import { OPS } from '../../schemas/operate.js';
import type { StoredMessage } from '../../schemas/record.js';
import { type Schedule, type ScheduleDetails, ScheduleSchema } from '../../schemas/schedule.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { inDeep } from '../support/form.js';
import { checkLog, connectOperator } from '../support/log-checks.js';
import { natsCli } from '../support/nats-cli.js';
import { processesMentioning } from '../support/processes.js';
import { natsRequest } from '../support/requests.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

/** A scheduled command: its record, and that of its result. */
interface Sent {
  readonly command: StoredMessage;
  readonly result: StoredMessage | undefined;
}

/** What a schedule has sent, with the results, as an operator reads it. */
const sentBy = async (dataDir: string, id: string): Promise<readonly Sent[]> => {
  const nc = await connectOperator(dataDir);
  try {
    const commands: StoredMessage[] = [];
    const results = new Map<string, StoredMessage>();
    for await (const message of readLog(nc, { filters: ['cmd.>', 'res.>'] })) {
      if (message.subject.startsWith('res.')) results.set(message.header(HEADER.cause) ?? '', message);
      else if (message.header(HEADER.schedule) === id) commands.push(message);
    }
    return commands.map((command) => ({ command, result: results.get(`${command.seq}`) }));
  } finally {
    await nc.close();
  }
};

/** Follows the log until a schedule has that many answered commands, or for 20 s. */
const followUntilAnswered = async (dataDir: string, id: string, count: number): Promise<void> => {
  // The server may be about to come back.
  const nc = await waitFor('a connection', () => connectOperator(dataDir));
  try {
    const open = new Set<string>();
    let closed = 0;
    const signal = AbortSignal.timeout(20_000);
    const filters = ['cmd.>', 'res.>'];
    for await (const message of readLog(nc, { filters, follow: true, signal })) {
      if (message.subject.startsWith('cmd.')) {
        if (message.header(HEADER.schedule) === id) open.add(`${message.seq}`);
      } else if (open.delete(message.header(HEADER.cause) ?? '')) closed += 1;
      if (closed >= count) return;
    }
  } finally {
    await nc.close();
  }
};

/** All that a schedule has sent once that many are answered, and none is not. */
const answered = async (dataDir: string, id: string, count: number): Promise<readonly Sent[]> => {
  await followUntilAnswered(dataDir, id, count);
  return waitFor(`${count} answered commands of schedule ${id}`, async () => {
    const sent = await sentBy(dataDir, id);
    return sent.length >= count && sent.every(({ result }) => result !== undefined) ? sent : undefined;
  });
};

describe('scheduled commands', () => {
  let broker: TestBroker;

  before(async () => {
    broker = await startBroker({ shipped: ['accounts'] });
  });

  after(async () => {
    await broker?.[Symbol.asyncDispose]();
  });

  const run = (args: readonly string[], dataDir = broker.dataDir) => tallystick([...args, '--data', dataDir]);
  const json = async <T>(args: readonly string[], dataDir?: string): Promise<T> => {
    const { code, stdout, stderr } = await run([...args, '--json'], dataDir);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  };
  const ask = async <T>(subject: string, body: object, dataDir = broker.dataDir): Promise<T> => {
    const nc = await connectOperator(dataDir);
    try {
      return (await nc.request(subject, JSON.stringify(body), { timeout: 5_000 })).json<T>();
    } finally {
      await nc.close();
    }
  };
  const schedule = (when: readonly string[], agent: string, dataDir?: string): Promise<Schedule> =>
    json(['call', 'accounts.deposit', '{"amount":5}', '--agent', agent, ...when], dataDir);
  const cancel = (id: string): Promise<unknown> => json(['schedule', 'cancel', id]);
  const ids = async (dataDir?: string): Promise<readonly string[]> =>
    (await ask<{ schedules: Schedule[] }>(OPS.scheduleList, {}, dataDir)).schedules.map(({ id }) => id);

  it('I3 a command that was sent for later is recorded once, says by which schedule, and is answered', async () => {
    const made = await schedule(['--in', '1s'], 'later');
    assert.deepEqual([...Schema.Compile(ScheduleSchema).Errors(made)[1]], []);
    assert.equal(made.at, made.next);
    const [sent, ...more] = await answered(broker.dataDir, made.id, 1);
    assert.deepEqual(more, []);
    assert.equal(sent?.command.subject, 'cmd.accounts.deposit.later.operator');
    assert.ok(Date.parse(sent?.command.time ?? '') >= Date.parse(made.next));
    assert.match(new TextDecoder().decode(sent?.result?.data), /"status":"ok","data":\{"balance":5\}/);
    assert.ok(!(await ids()).includes(made.id));
  });

  it('a guest schedules with the stock command line, and the headers of the request are the command’s', async () => {
    const deadline = new Date(Date.now() + 60_000).toISOString();
    const reply = await natsRequest(broker.url, 'schedule.accounts.deposit.guesty', '{"amount":2}', {
      'Tally-At': new Date(Date.now() + 2_000).toISOString(),
      [HEADER.deadline]: deadline,
      [HEADER.conversation]: '1',
    });
    const { data } = JSON.parse(reply.body) as { data: Schedule };
    assert.equal(data.sender, 'guest');
    // Asked over a connection: the command line takes a while to begin, and the schedule is gone when it has fired.
    const details = await ask<ScheduleDetails>(OPS.scheduleShow, { id: data.id });
    assert.deepEqual(details.headers, { [HEADER.deadline]: deadline, [HEADER.conversation]: '1' });
    assert.equal(details.payload, '{"amount":2}');
    const [sent] = await answered(broker.dataDir, data.id, 1);
    assert.equal(sent?.command.subject, 'cmd.accounts.deposit.guesty.guest');
    assert.equal(sent?.command.header(HEADER.deadline), deadline);
    assert.equal(sent?.command.header(HEADER.conversation), '1');
    assert.equal(sent?.result?.header(HEADER.conversation), '1');
  });

  for (const when of [
    ['--every', '1s'],
    ['--cron', '* * * * * *'],
  ]) {
    it(`a repeated command comes until its schedule is cancelled, and not after: ${when[0]}`, async () => {
      const made = await schedule(when, 'again');
      await answered(broker.dataDir, made.id, 2);
      assert.ok((await ids()).includes(made.id));
      assert.deepEqual(await cancel(made.id), { id: made.id, cancelled: true });
      assert.ok(!(await ids()).includes(made.id));
      // Two firings of another schedule: this one's would have come between them.
      const other = await schedule(['--every', '1s'], 'other');
      await answered(broker.dataDir, other.id, 1);
      const sent = (await sentBy(broker.dataDir, made.id)).length;
      await answered(broker.dataDir, other.id, 3);
      await cancel(other.id);
      assert.equal((await sentBy(broker.dataDir, made.id)).length, sent);
      const again = await run(['schedule', 'cancel', made.id, '--json']);
      assert.equal(again.code, 1);
      assert.equal((JSON.parse(again.stderr) as { error: { code: string } }).error.code, 'SCHEDULE_UNKNOWN');
    });
  }

  it('what cannot be scheduled is refused with its code, and nothing is', async () => {
    const before = await ids();
    const nc = await connect({ servers: broker.url });
    const soon = { 'Tally-In': '1m' };
    for (const [code, subject, payload, headers] of [
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', {}],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { 'Tally-At': '2020-01-01T00:00:00Z' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { 'Tally-At': 'tomorrow' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { 'Tally-At': '2030-02-30T00:00:00Z' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { 'Tally-In': '5 apples' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { 'Tally-Every': '10ms' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { 'Tally-Cron': 'whenever' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { ...soon, 'Tally-Timezone': 'UTC' }],
      ['SCHEDULE_INVALID', 'accounts.deposit.a', '{"amount":5}', { ...soon, 'Tally-Every': '1m' }],
      ['MODULE_UNKNOWN', 'nobody.deposit.a', '{"amount":5}', soon],
      ['ACTION_UNKNOWN', 'accounts.nothing.a', '{"amount":5}', soon],
      ['AGENT_REQUIRED', 'accounts.deposit', '{"amount":5}', soon],
      ['CALLER_FORBIDDEN', 'accounts.credit.a', '{"amount":5}', soon],
      ['NAME_INVALID', 'accounts.deposit.a$b', '{"amount":5}', soon],
      ['SUBJECT_INVALID', 'accounts', '{"amount":5}', soon],
      ['SUBJECT_INVALID', 'accounts.deposit.a.b', '{"amount":5}', soon],
      ['PAYLOAD_NOT_JSON', 'accounts.deposit.a', '{"amount":', soon],
      ['PAYLOAD_TOO_LARGE', 'accounts.deposit.a', `{"amount":${' '.repeat(300_000)}5}`, soon],
      ['HEADER_INVALID', 'accounts.deposit.a', '{"amount":5}', { ...soon, [HEADER.deadline]: 'soon' }],
      [
        'HEADER_INVALID',
        'accounts.deposit.a',
        '{"amount":5}',
        { ...soon, [HEADER.deadline]: '2030-02-30T00:00:00Z' },
      ],
      [
        'SCHEDULE_INVALID',
        'accounts.deposit.a',
        '{"amount":5}',
        { ...soon, [HEADER.deadline]: '2020-01-01T00:00:00Z' },
      ],
      ['HEADER_INVALID', 'accounts.deposit.a', '{"amount":5}', { ...soon, [HEADER.priority]: 'high' }],
      ['PAYLOAD_INVALID', 'accounts.deposit.a', '{"amount":"5"}', soon],
      ['HEADER_INVALID', 'accounts.deposit.a', '{"amount":5}', { ...soon, [HEADER.conversation]: 'x' }],
    ] as const) {
      const all = makeHeaders();
      for (const [name, value] of Object.entries(headers)) all.set(name, value as string);
      const reply = await nc.request(`schedule.${subject}`, payload, { headers: all, timeout: 10_000 });
      const said = reply.json<{ status: string; error: { code: string } }>();
      assert.deepEqual(
        [said.status, said.error.code],
        ['rejected', code],
        JSON.stringify([subject, headers]),
      );
      assert.match(reply.headers?.get('Nats-Service-Error') ?? '', new RegExp(`^${code}: `));
    }
    await nc.close();
    for (const [code, exit, ...args] of [
      ['SCHEDULE_INVALID', 2, 'accounts.deposit', '{}', '--agent', 'a', '--at', '2020-01-01T00:00:00Z'],
      ['SCHEDULE_INVALID', 2, 'accounts.deposit', '{}', '--agent', 'a', '--in', '1m', '--every', '1m'],
      ['ACTION_UNKNOWN', 1, 'accounts.nothing', '{}', '--agent', 'a', '--in', '1m'],
      ['USAGE', 2, 'accounts.deposit', '{"amount":', '--agent', 'a', '--in', '1m'],
    ] as const) {
      const result = await run(['call', ...args, '--json']);
      const said = `${args.join(' ')}: ${result.stderr}`;
      assert.equal((JSON.parse(result.stderr) as { error: { code: string } }).error.code, code, said);
      assert.equal(result.code, exit, said);
    }
    assert.deepEqual(await ids(), before);
    for (const [subject, id] of [
      [OPS.scheduleShow, 'none'],
      [OPS.scheduleCancel, '>'],
      [OPS.scheduleCancel, ''],
    ] as const) {
      const { error } = await ask<{ error: { code: string } }>(subject, { id });
      assert.equal(error.code, 'SCHEDULE_UNKNOWN', `${subject} ${id}`);
    }
  });

  it('I7 nobody reaches the stream of the schedules but through the broker', async () => {
    const far = await schedule(['--in', '1h'], 'far');
    const { schedules } = await json<{ schedules: Schedule[] }>(['schedule', 'list']);
    assert.ok(schedules.some(({ id }) => id === far.id));
    const shown = await json<{ created: string }>(['schedule', 'show', far.id]);
    assert.deepEqual(shown, {
      ...far,
      created: shown.created,
      headers: {},
      form: 'json',
      data: { amount: 5 },
      dataBytes: 12,
    });
    for (const written of ['{"amount":5.0}', '{"amount":5,"amount":6}', '{"amount":5e0}']) {
      const { id } = await json<Schedule>([
        'call',
        'accounts.deposit',
        written,
        '--agent',
        'far',
        '--in',
        '1h',
      ]);
      const { stdout } = await run(['schedule', 'show', id, '--json']);
      assert.ok(stdout.includes(`"data":${written}`), stdout);
      await cancel(id);
    }
    for (const subject of ['sched.forged', 'fired.forged', 'firing.fired.forged']) {
      const header = 'Nats-Schedule:@every 1s';
      const { stdout } = await natsCli(['req', subject, '{}', '--timeout', '1s', '-H', header], {
        url: broker.url,
      });
      assert.equal(stdout, '');
      await waitFor(`the server to refuse ${subject}`, () =>
        broker.stderr.some((line) => line.includes('Publish Violation') && line.includes(`"${subject}"`)),
      );
    }
    const nc = await connectOperator(broker.dataDir);
    try {
      for (const subject of ['sched.forged', 'fired.forged', '$JS.API.STREAM.PURGE.SCHED']) {
        await assert.rejects(nc.request(subject, '{}', { timeout: 1_000 }));
      }
    } finally {
      await nc.close();
    }
    assert.ok(!(await ids()).includes('forged'));
  });

  itInDeep(
    'I1 schedules outlive kill -9 of the server and of the broker, and fire once when both are back',
    async () => {
      await using dir = tempDir();
      let made: Schedule;
      let repeated: Schedule;
      {
        await using first = await startBroker({ dataDir: dir.path, shipped: ['accounts'] });
        repeated = await schedule(['--every', '1s'], 'often', dir.path);
        made = await schedule(['--in', '4s'], 'once', dir.path);
        const server = processesMentioning(dir.path).find(({ command }) => command.includes('nats-server'));
        assert.ok(server);
        process.kill(server.pid, 'SIGKILL');
        await answered(dir.path, repeated.id, 2);
        await first.kill('SIGKILL');
      }
      await waitFor('the time to have come', () => Date.now() > Date.parse(made.next));
      await using second = await startBroker({ dataDir: dir.path, shipped: ['accounts'] });
      const [sent, ...more] = await answered(second.dataDir, made.id, 1);
      assert.equal(sent?.command.subject, 'cmd.accounts.deposit.once.operator');
      assert.deepEqual(more, []);
      assert.deepEqual(await ids(dir.path), [repeated.id]);
      const before = (await sentBy(dir.path, repeated.id)).length;
      const all = await answered(dir.path, repeated.id, before + 2);
      const due = all.map(({ command }) => command.header(HEADER.next));
      assert.equal(new Set(due).size, due.length, due.join(' '));
      // It goes on meanwhile.
      await waitFor('nothing to be wrong with the log', async () => {
        const { findings, unanswered } = await checkLog(dir.path);
        return findings.length === 0 && unanswered.length <= 1;
      });
    },
  );
});
