import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import type { Certificate, Verification } from '../../schemas/verification.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { moduleCommand } from '../support/modules.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

/** What programs match on, in its order. */
const SHAPE =
  'ok,records,firstSeq,lastSeq,commands,events,results,producers,missing,duplicated,reordered,unanswered,answeredTwice,orphanEvents,unattributed,stateMismatches,digest,seconds,findings';

describe('tallystick replay verify', () => {
  let home: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;
  const file = (name: string): string => join(home.path, name);

  const verify = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick(['replay', 'verify', ...args, '--data', broker.dataDir], {
      cwd: home.path,
      timeoutMs: 60_000,
    });
  const json = async (...args: readonly string[]): Promise<{ code: number | null; found: Verification }> => {
    const { code, stdout, stderr } = await verify('--json', ...args);
    assert.notEqual(stdout, '', stderr);
    return { code, found: JSON.parse(stdout) as Verification };
  };
  const errorOf = ({ stderr }: ProgramResult): string =>
    (JSON.parse(stderr) as { error: { code: string } }).error.code;
  const ask = async (subject: string, data: object): Promise<{ readonly seq?: number }> =>
    (await nc.request(subject, JSON.stringify(data), { timeout: 10_000 })).json();

  before(async () => {
    home = tempDir();
    broker = await startBroker({ dataDir: file('data'), args: ['--durability', 'os'] });
    nc = await connect({ servers: broker.url });
    for (let i = 0; i < 5; i++) await ask(`call.accounts.deposit.agent-${i}`, { amount: 10 });
    await ask('call.accounts.transfer.agent-1', { to: 'agent-2', amount: 1 });
  });
  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('says that a clean log is clean, to people and to programs, and exits 0', async () => {
    const told = await verify();
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout, /^RECORDS +COMMANDS +RESULTS +EVENTS +EPOCHS +PRODUCERS\n/);
    assert.match(told.stdout, /^ +0 +missing +sequences, numbers/m);
    assert.match(told.stdout, /^- the snapshots of accounts match the log: 5 agents$/m);
    for (const name of ['agents', 'orders'])
      assert.match(told.stdout, new RegExp(`^- the snapshots of ${name} match`, 'm'));
    assert.match(told.stdout, /^clean: .*; records 1 to \d+ in [\d.]+ s, [\d,]+ records\/s$/m);
    const { code, found } = await json('--no-states');
    assert.equal(code, 0);
    assert.equal(Object.keys(found).join(',').slice(0, SHAPE.length), SHAPE);
    assert.deepEqual([found.ok, found.firstSeq, found.findings], [true, 1, []]);
    assert.ok(found.records === found.lastSeq && found.commands > 5 && found.producers >= 2);
    assert.match(told.stdout, new RegExp(`^digest ${found.digest}$`, 'm'));
  });

  it('reads a range by sequence or time, and says what it did not look at', async () => {
    const { found } = await json('--from', '12', '--to', '15');
    assert.deepEqual([found.firstSeq, found.lastSeq, found.records], [12, 15, 4]);
    assert.match(found.notes.join('\n'), /snapshots were not compared: a part of the log/);
    const none = await json('--from', '2100-01-01T00:00:00Z', '--no-states');
    assert.deepEqual([none.code, none.found.records], [0, 0]);
  });

  it('lays a ledger beside the log, and exits 1 with what it does not bear out', async () => {
    const ledger = file('ledger.ndjson');
    const { seq = 0 } = await ask('cmd.accounts.deposit.agent-3', { amount: 2 });
    const lines = [
      `{"seq":${seq},"subject":"cmd.accounts.deposit.agent-3"}`,
      '{"seq":2,"subject":"cmd.accounts.deposit.agent-3"}',
      '{"id":"guest~s.4.1","seq":99999}',
    ];
    writeFileSync(ledger, lines.join('\n'));
    const bad = await verify('--ledger', ledger, '--no-states');
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^ +2 +missing +sequences/m);
    assert.match(
      bad.stdout,
      /^ +2 +missing +- +cmd\.accounts\.deposit\.agent-3 is acknowledged at 2, where .*\(line 2 /m,
    );
    assert.match(
      bad.stdout,
      /^99999 +missing +guest~s +guest~s\.4\.1 is acknowledged .*\(line 3 of the ledger\)$/m,
    );
    assert.match(bad.stdout, /^2 findings; records 1 to /m);
    writeFileSync(ledger, 'hello\n');
    const none = await verify('--ledger', ledger, '--json');
    assert.deepEqual([none.code, errorOf(none)], [2, 'LEDGER_INVALID']);
  });

  it('writes a certificate, checks it, and refuses one that was changed or that somebody else has signed', async () => {
    const path = file('monday.json');
    const written = await verify('--certificate', path, '--no-states');
    assert.equal(written.code, 0, written.stderr);
    const certificate = JSON.parse(readFileSync(path, 'utf8')) as Certificate;
    assert.ok(written.stdout.includes(`signed by ${certificate.publicKey}`));
    assert.equal(statSync(join(broker.dataDir, 'certificates.key')).mode & 0o077, 0);
    await ask('call.accounts.deposit.agent-1', { amount: 1 });
    const checked = await verify('--against', path, '--no-states');
    assert.equal(checked.code, 0, checked.stdout);
    assert.match(checked.stdout, /^checked against the certificate of 20/m);

    // With another key, the first is trusted by its public half only.
    const key = ['--key', file('other.key'), '--no-states'];
    const unknown = await verify('--against', path, ...key, '--json');
    assert.deepEqual([unknown.code, errorOf(unknown)], [1, 'CERTIFICATE_UNTRUSTED']);
    assert.equal(existsSync(file('other.key')), false);
    const trusted = ['--trust', certificate.publicKey];
    assert.equal((await verify('--against', path, ...key, ...trusted)).code, 0);
    const statement = certificate.statement.replace('"findings":0', '"findings":1');
    writeFileSync(path, JSON.stringify({ ...certificate, statement }));
    const changed = await verify('--against', path, '--json');
    assert.deepEqual([changed.code, errorOf(changed)], [1, 'CERTIFICATE_INVALID']);
  });

  it('counts a command that waits for its module, and exits 1 once it has waited for too long', async () => {
    await moduleCommand(broker, 'unload', 'orders');
    const { seq } = await ask('cmd.orders.restock.item', { quantity: 1 });
    const young = await json('--no-states');
    assert.deepEqual(
      [young.code, young.found.ok, young.found.unanswered, young.found.waiting],
      [0, true, 1, 1],
    );
    const old = await json('--no-states', '--grace', '1ms');
    assert.equal(old.code, 1);
    const [finding] = old.found.findings;
    assert.deepEqual([finding?.kind, finding?.seq, finding?.producer], ['unanswered', seq, 'orders']);
    assert.match(
      finding?.detail ?? '',
      /^orders\.restock of item, sent by guest, has waited for its result for /,
    );
  });
});
