import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import { LOG } from '../../schemas/log.js';
import type { WholeMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';
import { bareServer, storeOf } from '../broker/log/two-logs.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { createLog } from '../support/log.js';
import { connectOperator } from '../support/log-checks.js';
import { writeShippedModule } from '../support/module-dir.js';
import { Seeded } from '../support/seeded.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { DAMAGES, damageFile } from './damage.js';
import { SEED } from './kill-options.js';
import { settled } from './system-state.js';
import { brokerStatus } from '../support/broker-status.js';

const PLACES = byForm({ short: 2, deep: 8, full: 60 });
const AGENTS = 10;
/** Each agent's: three records each. The log has several block files then. */
const DEPOSITS = 10;
/** The limit of a log for which nats-server makes blocks of 32 kB: the smallest blocks, and too little for any command. */
const SMALL_BLOCKS_BYTES = 127_000;
/** A limit with which the log takes commands. The running server keeps the size of its blocks when the limit grows. */
const LOG_SIZE = '16MiB';
/** With fewer files most damage hits the same one. */
const MIN_BLOCKS = 3;

const agents = Array.from({ length: AGENTS }, (_, i) => `a${i}`);
const decoder = new TextDecoder();

const ask = async (url: string, action: string, agent: string, data: object): Promise<Result> => {
  const nc = await connect({ servers: url });
  try {
    const reply = await nc.request(`call.accounts.${action}.${agent}`, JSON.stringify(data), {
      timeout: 30_000,
    });
    return reply.json<Result>();
  } finally {
    await nc.close();
  }
};

const balances = (url: string): Promise<readonly number[]> =>
  Promise.all(
    agents.map(async (agent) => {
      const result = await ask(url, 'balance', agent, {});
      assert.equal(result.status, 'ok', JSON.stringify(result));
      return (result as { data: { balance: number } }).data.balance;
    }),
  );

/** What the results of a log give each agent. */
const balancesIn = (records: readonly WholeMessage[]): readonly number[] => {
  const sums = new Map<string, number>();
  for (const { subject, data } of records) {
    const parts = splitSubject(subject);
    if (parts?.kind !== 'res' || parts.agent === undefined) continue;
    const result = JSON.parse(decoder.decode(data)) as Result;
    for (const { data: event } of (result.status === 'ok' ? result.out : undefined) ?? [])
      sums.set(parts.agent, (sums.get(parts.agent) ?? 0) + (event as { amount: number }).amount);
  }
  return agents.map((agent) => sums.get(agent) ?? 0);
};

/** A record as it was stored, whatever the broker makes of it. */
const wordsOf = ({ seq, nanos, subject, headerBytes, data }: WholeMessage): string =>
  [seq, nanos, subject, decoder.decode(headerBytes), decoder.decode(data)].join('\n');

/**
 * Whether a byte of a block is one of the upper five of a record's sequence. A bit in them makes nats-server 2.15.1 fill a gap
 * of up to 2^61 records in its memory (`indexCacheBuf`): it answers nothing, and takes what memory the machine has.
 */
const isUpperSequence = (block: Buffer, at: number): boolean => {
  for (let record = 0; record + 22 <= block.length && record <= at; ) {
    if (at >= record + 7 && at < record + 12) return true;
    // The highest bit of the length says that there are headers.
    record += Math.max(22, block.readUInt32LE(record) & 0x7fffffff);
  }
  return false;
};

describe('I1 I6 I9 a log whose files are damaged', () => {
  let home: TempDir;
  let sound: string;
  let module: string;
  /** The records of the sound log, by sequence. */
  let records: readonly WholeMessage[];
  const random = new Seeded(SEED);

  const start = (dataDir: string): Promise<TestBroker> =>
    startBroker({
      dataDir,
      args: ['--durability', 'os', '--no-shipped', '--module', module, '--max-bytes', LOG_SIZE],
    });

  const recordsOf = async (dataDir: string): Promise<readonly WholeMessage[]> => {
    const nc = await connectOperator(dataDir);
    try {
      const all: WholeMessage[] = [];
      for await (const message of readLog(nc)) all.push(message);
      return all;
    } finally {
      await nc.close();
    }
  };

  before(async () => {
    home = tempDir();
    sound = join(home.path, 'sound');
    mkdirSync(sound, { mode: 0o700 });
    module = await writeShippedModule(join(home.path, 'accounts'), 'accounts', {});
    {
      await using server = await bareServer(storeOf(sound));
      const nc = await connect({ servers: server.url });
      await createLog(nc, SMALL_BLOCKS_BYTES);
      await nc.close();
      await server.kill('SIGTERM');
    }
    await using broker = await start(sound);
    for (let i = 1; i <= DEPOSITS; i++)
      await Promise.all(agents.map((agent) => ask(broker.url, 'deposit', agent, { amount: i })));
    await settled(sound);
    records = await recordsOf(sound);
    await broker.stop();
    const blocks = readdirSync(blocksOf(sound)).filter((name) => name.endsWith('.blk'));
    assert.ok(blocks.length >= MIN_BLOCKS, `the log has ${blocks.length} block files`);
  });
  after(() => home?.[Symbol.asyncDispose]());

  const blocksOf = (dataDir: string): string =>
    join(storeOf(dataDir), 'jetstream', 'CORE', 'streams', LOG, 'msgs');

  /** Sequences that `replay verify` and the broker's own losses name. */
  const named = async (dataDir: string): Promise<(seq: number) => boolean> => {
    const { losses } = await brokerStatus(dataDir);
    const nc = await connectOperator(dataDir);
    const verified = await verifyLog({ nc, graceMs: 0 })();
    await nc.close();
    const { findings } = success(verified).verification;
    const ranges = [
      ...losses.flatMap(({ gaps = [] }) => gaps),
      ...losses.flatMap(({ code, lastSeq }) =>
        code === 'LOG_SHORTENED' ? [[lastSeq + 1, Number.POSITIVE_INFINITY] as const] : [],
      ),
      ...findings.flatMap(({ kind, detail }) => {
        const [, from, , to = from] =
          /^sequences? (\d+)( to (\d+))? (is|are) not in the log/.exec(detail) ?? [];
        return kind === 'missing' && from !== undefined ? [[Number(from), Number(to)] as const] : [];
      }),
    ];
    return (seq) => ranges.some(([from, to]) => seq >= from && seq <= to);
  };

  const isSound = async (
    what: string,
    dataDir: string,
    seen: { hit: number; told: number },
  ): Promise<void> => {
    await using broker = await start(dataDir);
    // Commands whose results are gone are handled again.
    const { losses } = await settled(dataDir);
    const now = new Map((await recordsOf(dataDir)).map((record) => [record.seq, record]));
    // Behind the end of a log that was cut off its sequences are given to other records, which the loss says.
    const end = Math.min(
      records.length,
      ...losses.flatMap(({ code, lastSeq }) => (code === 'LOG_SHORTENED' ? [lastSeq] : [])),
    );
    for (const record of records.slice(0, end)) {
      const found = now.get(record.seq);
      if (found !== undefined) assert.equal(wordsOf(found), wordsOf(record), `${what}: record ${record.seq}`);
    }
    const missing = records.filter(({ seq }) => seq > end || !now.has(seq));
    if (missing.length > 0) {
      seen.hit += 1;
      const isNamed = await named(dataDir);
      const silent = missing.filter(({ seq }) => !isNamed(seq)).map(({ seq }) => seq);
      assert.deepEqual(silent, [], `${what}: missing and not named`);
    } else assert.deepEqual(losses, [], what);
    if (losses.length > 0) seen.told += 1;
    // What was folded anew is what the log gives; what was not is what it was.
    const expected = losses.length > 0 ? balancesIn([...now.values()]) : balancesIn(records);
    assert.deepEqual(await balances(broker.url), expected, what);
    assert.equal((await ask(broker.url, 'deposit', 'a0', { amount: 1 })).status, 'ok', what);
    await broker.stop();
  };

  test(`a record that is not there as it was is named, and no state is wrong, at ${PLACES} places`, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const seen = { hit: 0, told: 0 };
    for (let i = 0; i < PLACES; i++) {
      await using dir = tempDir();
      const dataDir = join(dir.path, 'data');
      cpSync(sound, dataDir, { recursive: true });
      const blocks = blocksOf(dataDir);
      const file = random.pick([...readdirSync(blocks).filter((name) => name.endsWith('.blk')), 'index.db']);
      const damage = DAMAGES[i % DAMAGES.length] ?? 'flip';
      const spared = file.endsWith('.blk') ? isUpperSequence : () => false;
      const done = [`${file}: ${damageFile(join(blocks, file), damage, random, spared)}`];
      // A server that was killed has not written it, and reads all blocks when it starts.
      if (file !== 'index.db' && random.next() < 0.5) {
        rmSync(join(blocks, 'index.db'));
        done.push('after a kill');
      }
      if (random.next() < 0.5) {
        rmSync(join(dataDir, 'snapshots'), { recursive: true });
        done.push('states folded anew');
      }
      await isSound(done.join(', '), dataDir, seen);
    }
    t.diagnostic(`${seen.hit} of ${PLACES} took records along; ${seen.told} were told at the start`);
  });
});
