import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { manifest } from '../fixtures/modules/kiosk/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { inDeep } from '../support/form.js';
import { soundLog } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

interface Ended {
  readonly fed: number;
  readonly fromSeq: number;
  readonly untilSeq: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly hit: {
    readonly module: string;
    readonly agent: string;
    readonly state: unknown;
    readonly event: unknown;
  } | null;
  readonly lastFed: number | null;
  readonly sandbox: string | null;
}

describe('tallystick replay run', () => {
  let home: TempDir;
  let broker: TestBroker;
  /** Sequences of the commands that nothing caused, in order. */
  const sent: number[] = [];
  const at = (name: string): string => join(home.path, name);
  const run = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick(['replay', 'run', '--data', broker.dataDir, ...args], {
      cwd: home.path,
      timeoutMs: 90_000,
      env: { TMPDIR: at('tmp') },
    });
  const inJson = async (
    ...args: readonly string[]
  ): Promise<{ code: number | null; ended: Ended; compared: readonly Record<string, unknown>[] }> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(stderr, '');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { code, ended: lines.at(-1) as unknown as Ended, compared: lines.slice(0, -1) };
  };

  const send = async (nc: NatsConnection): Promise<void> => {
    const commands: readonly (readonly [address: string, amount: unknown])[] = [
      ['kiosk.pay.ada', 10],
      ['kiosk.pay.ada', 60],
      ['kiosk.pay.bob', 101],
      ['kiosk.split.order', 40],
      ['kiosk.pay.ada', 20],
      ['kiosk.pay.bob', 'ten'],
      ['kiosk.nothing.bob', 1],
      ['kiosk.pay.bob', 5],
    ];
    for (const [address, amount] of commands) {
      const h = headers();
      // Long past when it is run again.
      h.set('Tally-Deadline', new Date(Date.now() + 20_000).toISOString());
      const payload = JSON.stringify({ amount });
      const reply = await nc.request(`cmd.${address}`, payload, { headers: h, timeout: 10_000 });
      sent.push(reply.json<{ seq: number }>().seq);
      await soundLog(broker.dataDir);
    }
  };

  before(async () => {
    home = tempDir();
    mkdirSync(at('tmp'));
    const dir = await writeModule(at('kiosk'), 'kiosk', manifest);
    await writeModule(at('changed'), 'kiosk', manifest);
    writeFileSync(join(at('changed'), 'with-fee'), '');
    broker = await startBroker({ args: ['--no-shipped', '--module', dir, '--durability', 'os'] });
    const nc = await connect({ servers: broker.url });
    await send(nc);
    await nc.close();
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('the same code gives the same answers, with calls and sent commands, and nothing is left', async () => {
    const { code, ended, compared } = await inJson('--from', String(sent[1]), '--allow-effects');
    assert.deepEqual([code, compared], [0, []]);
    assert.equal(ended.fed, sent.length - 1);
    // Two calls of the split order, and the note of 60.
    assert.equal(ended.verdicts.same, sent.length - 1 + 3);
    assert.deepEqual([ended.hit, ended.sandbox], [null, null]);
    assert.deepEqual(readdirSync(at('tmp')), []);
  });

  itInDeep('another version of the code is told apart, answer by answer', async () => {
    const until = String((sent[3] ?? 0) - 1);
    const { code, stdout, stderr } = await run('--module', at('changed'), '--until', until);
    assert.deepEqual([code, stderr], [1, '']);
    const [first = '', second = ''] = sent.map(String);
    assert.match(
      stdout,
      new RegExp(`^different +${first} → \\d+ kiosk\\.pay ada\n  was .*"amount":10,.*\n  is .*"amount":9,`),
    );
    assert.match(stdout, new RegExp(`^different +${second} → `, 'm'));
    assert.match(
      stdout,
      /^3 commands of records 1 to \d+ sent again; all that followed: 2 the same, 2 different$/m,
    );
    const kept = /the sandbox is kept in (\S+):/.exec(stdout)?.[1] ?? '';
    const agent = await tallystick(['agent', 'get', 'kiosk', 'ada', '--json', '--data', kept]);
    assert.deepEqual((JSON.parse(agent.stdout) as { state: unknown }).state, { total: 68 }, agent.stderr);
  });

  it('a break stops where the condition comes to hold, and its sandbox can be looked into', async () => {
    const sandbox = at('look');
    const { code, ended } = await inJson(
      ...['--break', 'agent == "ada" && state.total > 69', '--sandbox', sandbox, '--until', String(sent[2])],
    );
    assert.equal(code, 0);
    assert.deepEqual([ended.fed, ended.lastFed, ended.sandbox], [2, sent[1], sandbox]);
    assert.deepEqual([ended.hit?.agent, ended.hit?.state], ['ada', { total: 70 }]);
    await using again = await startBroker({
      dataDir: sandbox,
      args: ['--no-shipped', '--module', at('kiosk')],
    });
    // It goes on with what the break left.
    await soundLog(again.dataDir);
    const refused = await run('--sandbox', sandbox, '--json');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /"USAGE".*is not empty/);
  });

  it('what a handler may do outside is not done unasked', async () => {
    const { code, stdout, stderr } = await run('--sandbox', at('none'), '--json');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /"code":"USAGE","message":"kiosk\.split: these handlers can reach outside/);
    assert.equal(existsSync(at('none')), false);
    const bad = await Promise.all([run('--speed', 'fast'), run('--break', 'state.'), run('--from', '99999')]);
    assert.deepEqual(
      bad.map(({ code: each }) => each),
      [2, 2, 2],
    );
  });

  itInDeep('goes step by step, or at the pace at which it was recorded', async () => {
    const until = String((sent[3] ?? 0) - 1);
    const stepped = await tallystick(
      ['replay', 'run', '--data', broker.dataDir, '--step', '--until', until],
      {
        input: '\n\nq\n',
        cwd: home.path,
        env: { TMPDIR: at('tmp') },
        timeoutMs: 90_000,
      },
    );
    assert.equal(stepped.code, 0, stepped.stderr);
    assert.match(stepped.stdout, /^2 commands of records .*: 3 the same$/m);
    assert.match(stepped.stdout, /^ +\d+ \S+ res +kiosk\.pay +ada/m);
    assert.equal(stepped.stderr.match(/Enter: send this one/g)?.length, 3);
    const paced = await inJson('--speed', '20x', '--from', String(sent[4]));
    assert.deepEqual([paced.code, paced.ended.fed, paced.ended.verdicts.same], [0, 4, 4]);
  });
});
