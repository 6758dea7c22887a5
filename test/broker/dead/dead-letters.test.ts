import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { NatsConnection } from 'nats';
import type { DeadDetails, DeadPage, DeadSummary } from '../../../schemas/dead.js';
import { OPS } from '../../../schemas/operate.js';
import type { Result } from '../../../schemas/result.js';
import { type TestBroker, tallystick } from '../../support/broker.js';
import { inDeep } from '../../support/form.js';
import { connectOperator } from '../../support/log-checks.js';
import type { LogFollower } from '../../support/log-follower.js';
import { moduleStatus } from '../../support/modules.js';
import { natsCli } from '../../support/nats-cli.js';
import { natsCall, natsCommand, natsRequest } from '../../support/requests.js';
import type { TempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { FaultyBroker } from '../../support/faulty-broker.js';
import { PATIENT } from '../../support/patient.js';

const itInDeep = inDeep(it);

let faulty: FaultyBroker;
let dir: TempDir;
let broker: TestBroker;
let log: LogFollower;
let operator: NatsConnection;

const start = async (): Promise<void> => {
  await faulty.start();
  ({ broker, log } = faulty);
  operator = await connectOperator(broker.dataDir);
};
const stopReading = async (): Promise<void> => {
  await Promise.all([operator.close(), log[Symbol.asyncDispose]()]);
};

before(async () => {
  faulty = await FaultyBroker.prepare();
  ({ dir } = faulty);
  await start();
});
after(async () => {
  await operator?.close();
  await faulty?.[Symbol.asyncDispose]();
});

const dead = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await tallystick(['dead', ...args], { dataDir: broker.dataDir });
  return { code, stdout, stderr, lines: stdout.split('\n').filter((line) => line.startsWith('{')) };
};
const list = async (...args: readonly string[]): Promise<readonly DeadSummary[]> =>
  (await dead('list', '--json', ...args)).lines.map((line) => JSON.parse(line) as DeadSummary);
const show = async (seq: number): Promise<DeadDetails> =>
  JSON.parse((await dead('show', String(seq), '--json')).stdout) as DeadDetails;
/** Asks the broker itself: the command line takes 0.2 s each time. */
const letterOf = (seq: number): Promise<DeadSummary> =>
  waitFor(`the letter of command ${seq}`, async () => {
    const page = (await operator.request(OPS.deadList, '{"from":1}', PATIENT)).json<DeadPage>();
    return page.letters.find(({ command }) => command === seq);
  });

const die = async (agent: string, headers = {}): Promise<number> =>
  natsCommand(broker.url, `faulty.throws.${agent}`, '{"bytes": 1}', headers);

describe('a command that cannot be handled', () => {
  it('is a dead letter: what was sent, what went wrong, how often it was tried', async () => {
    const seq = await die('alice', { 'Tally-Conversation': '1' });
    const letter = await letterOf(seq);
    await log.result(seq);
    const [result] = log.resultsOf(seq);
    assert.ok(result);
    const error = {
      code: 'HANDLER_THREW',
      message: 'faulty.throws threw: no such thing!',
      retryable: false,
      attempts: 1,
      dead: true,
    };
    assert.deepEqual(result.data, { status: 'failed', error });
    const expected = {
      command: seq,
      result: result.seq,
      time: letter.time,
      module: 'faulty',
      action: 'throws',
      agent: 'alice',
      sender: 'guest',
      conversation: 1,
      redrives: null,
      attempts: 1,
      error,
    };
    assert.deepEqual(letter, { ...expected, redriven: [] });
    const { stack = '', ...shown } = await show(seq);
    assert.deepEqual(shown, { ...expected, form: 'json', payload: { bytes: 1 }, redriven: [] });
    assert.match(stack, /^TypeError: no such thing!\n {4}at decide .*faulty.index\.ts:\d+/);
    const { stdout } = await dead('show', String(seq));
    assert.match(stdout, /^error +HANDLER_THREW: faulty\.throws threw/m);
    assert.match(
      (await dead('list')).stdout,
      new RegExp(`^ *${seq} .* faulty\\.throws\\.alice +guest +1 +HANDLER_THREW`, 'm'),
    );
  });

  it('is shown with its payload as it was sent', async () => {
    const one = fc.constantFrom('1.0', '1e0', '10e-1', '0.1E+1', '1.00000000000000000000000001');
    const payload = fc.tuple(one, one).map(([a, b]) => `{"bytes":${a},"bytes":${b}}`);
    for (const text of fc.sample(payload, 3)) {
      const seq = await natsCommand(broker.url, 'faulty.throws.exact', text);
      await letterOf(seq);
      const { stdout } = await dead('show', String(seq), '--json');
      assert.ok(stdout.endsWith(`,"form":"json","payload":${text}}\n`), stdout);
      const shown = (await dead('show', String(seq))).stdout;
      assert.ok(shown.replaceAll(/\s/g, '').endsWith(`payload${text}`), shown);
    }
  });

  it('says so in the reply to a call too', async () => {
    const { result } = await natsCall(broker.url, 'faulty.bad_output.bob', '{}');
    assert.equal((result as { error: { dead?: boolean } }).error.dead, true);
  });

  it('is none when its sender is to blame, or the answer is no', async () => {
    const seqs = [
      await natsCommand(broker.url, 'faulty.ok.carol', '{"add":"one"}'),
      await natsCommand(broker.url, 'faulty.rejects_for_now.carol', '{}'),
      await natsCommand(broker.url, 'faulty.nothing.carol', '{}'),
      await natsCommand(broker.url, 'faulty.ok.carol', '{}', { 'Tally-Deadline': '2001-01-01T00:00:00Z' }),
    ];
    for (const seq of seqs) assert.notEqual((await log.result(seq)).status, 'ok');
    const last = await die('carol');
    await letterOf(last);
    assert.deepEqual(
      (await list()).filter(({ agent, command }) => agent === 'carol' && command !== last),
      [],
    );
  });

  it('I3 that ended its process is one too, once, and so is one whose outcome is too large', async () => {
    const exits = await natsCommand(broker.url, 'faulty.exits.dave', '{"code":9}');
    const huge = await natsCommand(broker.url, 'faulty.huge_outcome.dave', '{}');
    assert.equal((await letterOf(exits)).error.code, 'HANDLER_CRASHED');
    assert.equal((await letterOf(huge)).error.code, 'OUTCOME_TOO_LARGE');
  });

  it('can be read by the operator with the stock command line, and by nobody else', async () => {
    const seed = join(broker.dataDir, 'keys', 'operator.nk');
    const { stdout } = await natsCli(['--nkey', seed, 'stream', 'get', 'DEAD', '1', '--json'], {
      url: broker.url,
    });
    assert.match(stdout, /"subject": "dead\.faulty\.throws\.alice\.\d+"/);
    const guest = await natsCli(['stream', 'get', 'DEAD', '1'], { url: broker.url });
    assert.notEqual(guest.code, 0);
    const forged = await natsCli(['pub', 'dead.faulty.throws.alice.1', '{}'], { url: broker.url });
    assert.match(`${forged.stdout}${forged.stderr}`, /permissions violation/i);
  });

  it('list shows those of one module, or the newest', async () => {
    const all = await list();
    assert.deepEqual(await list('--module', 'faulty'), all);
    assert.deepEqual(await list('--module', 'steady'), []);
    assert.deepEqual(await list('--limit', '2'), all.slice(-2));
  });
});

describe('a dead letter that is redriven', () => {
  const tries = (): string => join(faulty.notes, 'tries');

  it('is the same command again: same sender, payload and conversation, and no deadline', async () => {
    const payload = `{"tries": ${JSON.stringify(tries())},  "times": 1, "how": "throws"}`;
    const deadline = Date.now() + 3_000;
    const { body } = await natsRequest(broker.url, 'cmd.faulty.fails_once.erin', payload, {
      'Tally-Conversation': '1',
      'Tally-Deadline': new Date(deadline).toISOString(),
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    const { seq } = JSON.parse(body) as { seq: number };
    await letterOf(seq);
    await waitFor('the deadline to pass', () => Date.now() > deadline);
    const { code, lines } = await dead('redrive', String(seq), '--wait', '--json');
    assert.equal(code, 0);
    const answer = JSON.parse(lines[0] ?? '') as { letter: number; command: number; result: Result };
    assert.deepEqual(answer, { letter: seq, command: answer.command, result: { status: 'ok', data: {} } });

    const nc = await connectOperator(broker.dataDir);
    const record = await nc.request(
      '$JS.API.DIRECT.GET.LOG',
      JSON.stringify({ seq: answer.command }),
      PATIENT,
    );
    await nc.close();
    const header = (name: string): string => record.headers?.get(name) ?? '';
    assert.equal(header('Nats-Subject'), 'cmd.faulty.fails_once.erin.guest');
    assert.equal(record.string(), payload);
    assert.equal(header('Tally-Conversation'), '1');
    assert.equal(header('Tally-Redrives'), String(seq));
    assert.match(header('traceparent'), /^00-0af7/);
    assert.equal(header('Tally-Deadline'), '');
    assert.deepEqual((await show(seq)).redriven, [{ command: answer.command, status: 'ok' }]);
  });

  it('is told when it is redriven twice, unless that is what is wanted; and dies again as a letter of its own', async () => {
    const seq = await die('frank');
    await letterOf(seq);
    const first = await dead('redrive', String(seq), '--wait', '--json');
    // It fails again, and so does the command that waited for it.
    assert.equal(first.code, 1);
    const { command } = JSON.parse(first.lines[0] ?? '') as { command: number };
    const second = await dead('redrive', String(seq));
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`DEAD_REDRIVEN: ${seq} was redriven as command ${command};`));
    const again = await dead('redrive', String(seq), '--again', '--json');
    assert.equal(again.code, 0);
    const other = (JSON.parse(again.lines[0] ?? '') as { command: number }).command;
    await letterOf(other);
    assert.equal((await letterOf(command)).redrives, seq);
    assert.equal((await show(command)).conversation, seq);
    assert.deepEqual((await letterOf(seq)).redriven, [command, other]);
  });

  it('with others at once: those that are none are told, the rest is done', async () => {
    const [one, two] = [await die('grace'), await die('grace')];
    await letterOf(two);
    const { code, lines, stderr } = await dead('redrive', String(one), '1', String(two), '--json');
    assert.equal(code, 1);
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { letter: number }).letter),
      [one, two],
    );
    assert.match(stderr, /DEAD_UNKNOWN/);
  });

  it('by a request that comes twice at the same moment, once', async () => {
    const seq = await die('heidi');
    await letterOf(seq);
    const answers = await Promise.all([dead('redrive', String(seq)), dead('redrive', String(seq))]);
    assert.deepEqual(answers.map(({ code }) => code).sort(), [0, 1]);
    assert.equal((await letterOf(seq)).redriven.length, 1);
  });

  it('is not marked as such by what somebody else writes', async () => {
    const seq = await die('ivan');
    await letterOf(seq);
    const forged = { 'Tally-Redrives': String(seq), 'Tally-Id': 'gateway.1.1' };
    for (const subject of ['cmd.faulty.ok.mallory', 'call.faulty.ok.mallory']) {
      const { body } = await natsRequest(broker.url, subject, '{}', forged);
      assert.match(body, /HEADER_INVALID.*Tally-(Redrives|Id)/);
    }
    assert.deepEqual((await letterOf(seq)).redriven, []);
    assert.equal((await dead('redrive', String(seq))).code, 0);
  });

  it('all of one module, without those that were', async () => {
    const open = (await list()).filter(({ redriven }) => redriven.length === 0);
    assert.ok(open.length > 2);
    const { code, lines } = await dead('redrive', '--all', '--module', 'faulty', '--json');
    assert.equal(code, 0);
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { letter: number }).letter),
      open.map(({ command }) => command),
    );
  });

  itInDeep('stays known as redriven through a restart, also without the index', async () => {
    const before = (await list())
      .filter(({ redriven }) => redriven.length > 0)
      .map(({ command, redriven }) => [command, redriven]);
    await stopReading();
    await broker.kill('SIGKILL');
    await start();
    const after = async () =>
      (await list())
        .filter(({ redriven }) => redriven.length > 0)
        .map(({ command, redriven }) => [command, redriven]);
    assert.deepEqual(await after(), before);
    await stopReading();
    await broker.stop();
    rmSync(join(dir.path, 'data', 'index'), { recursive: true });
    await start();
    assert.deepEqual(await after(), before);
    await moduleStatus(broker, 'faulty', ({ state }) => state === 'loaded');
    assert.ok(readFileSync(tries(), 'utf8').split('\n').length > 1);
  });
});
