import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { readLog } from '../../../journal/read/reader.js';
import accounts from '../../../modules/accounts/index.js';
import { connect, type Tally } from '../../../modules/client/index.js';
import { Refused } from '../../../modules/sdk/index.js';
import { HEADER } from '../../../schemas/headers.js';
import type { Result } from '../../../schemas/result.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const shipped = join(import.meta.dirname, '..', '..', '..', 'modules', 'accounts');
const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let operator: Tally;
let guest: Tally;

const start = async (): Promise<void> => {
  broker = await startBroker({ dataDir, shipped: ['accounts'], args: ['--durability', 'os'] });
  operator = await connect({ data: dataDir });
  guest = await connect({ server: broker.url });
};
const stop = async (): Promise<void> => {
  await operator.close();
  await guest.close();
  await broker[Symbol.asyncDispose]();
};

before(start);
after(async () => {
  await stop();
  await dir[Symbol.asyncDispose]();
});

interface Said {
  readonly body: Result;
  readonly cause: string | undefined;
  readonly result: string | undefined;
}

const ask = async (
  nc: NatsConnection,
  what: string | number,
  payload = '',
  given: Readonly<Record<string, string>> = {},
): Promise<Said> => {
  const headers = makeHeaders();
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  const reply = await nc.request(`result.${what}`, payload, { headers, timeout: 20_000 });
  return {
    body: reply.json(),
    cause: reply.headers?.get(HEADER.cause),
    result: reply.headers?.get(HEADER.result),
  };
};

const codeOf = ({ body }: Said): string => (body.status === 'ok' ? 'ok' : body.error.code);

const refused = async (work: Promise<unknown>): Promise<Refused> => {
  try {
    return assert.fail(`not refused: ${JSON.stringify(await work)}`);
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown;
  }
};

interface Stored {
  readonly sender: string;
  /** Of its result in the log. */
  readonly seq: number;
  readonly body: Result;
}

/** All commands with their results, as the log has them; and all records that are no commands. */
const inLog = async (): Promise<{ commands: Map<number, Stored>; others: number[] }> => {
  const nc = await connectOperator(dataDir);
  const senders = new Map<number, string>();
  const commands = new Map<number, Stored>();
  const others: number[] = [];
  try {
    for await (const record of readLog(nc, {})) {
      const { subject, seq } = record;
      if (subject.startsWith('cmd.')) {
        senders.set(seq, subject.slice(subject.lastIndexOf('.') + 1));
        continue;
      }
      others.push(seq);
      if (!subject.startsWith('res.')) continue;
      const cause = Number(record.header(HEADER.cause));
      const body = JSON.parse(Buffer.from(record.data).toString()) as Result;
      commands.set(cause, { sender: senders.get(cause) ?? '', seq, body });
    }
  } finally {
    await nc.close();
  }
  return { commands, others };
};

/** Commands of every kind: ok, rejected, of an action that does not exist, without an agent where one is due. */
const SUBJECTS = [
  'cmd.accounts.deposit.a',
  'cmd.accounts.deposit.b',
  'cmd.accounts.withdraw.a',
  'cmd.accounts.balance.b',
  'cmd.accounts.nothing.a',
  'cmd.accounts.deposit',
];

/** What a caller gets of a result: all but the copies that the module sends. */
const forCaller = (body: Result): unknown => {
  const { out: _, ...rest } = body as Result & { readonly out?: unknown };
  return rest;
};

describe('result.<sequence>', () => {
  it('gives each command its result, to who sent it and to operators, also after a restart without an index', async () => {
    const sends = fc.sample(
      fc.record({
        isGuest: fc.boolean(),
        subject: fc.constantFrom(...SUBJECTS),
        amount: fc.integer({ min: 1, max: 9 }),
      }),
      120,
    );
    const stored = new Set<number>();
    await Promise.all(
      sends.map(async ({ isGuest, subject, amount }) => {
        const { connection } = isGuest ? guest : operator;
        const reply = await connection.request(subject, JSON.stringify({ amount }), { timeout: 20_000 });
        const { seq } = reply.json<{ seq?: number }>();
        if (seq !== undefined) stored.add(seq);
      }),
    );
    assert.ok(stored.size > sends.length / 2);
    for (const isRestarted of [false, true]) {
      if (isRestarted) {
        await stop();
        rmSync(join(dataDir, 'index'), { recursive: true });
        await start();
      }
      const { commands, others } = await waitFor('all results', async () => {
        const all = await inLog();
        return [...stored].every((seq) => all.commands.has(seq)) && all;
      });
      const ofCommand = async ([command, { sender, seq, body }]: [number, Stored]): Promise<void> => {
        const said = await ask(operator.connection, command);
        assert.deepEqual(forCaller(said.body), forCaller(body));
        assert.deepEqual([said.cause, said.result], [`${command}`, `${seq}`]);
        const ofGuest = await ask(guest.connection, command);
        if (sender === 'guest') assert.deepEqual(ofGuest, said);
        else assert.equal(codeOf(ofGuest), 'NOT_ALLOWED');
      };
      await Promise.all([...commands].map(ofCommand));
      const noCommands = fc.sample(fc.constantFrom(...others, Number.MAX_SAFE_INTEGER), 50);
      for (const seq of noCommands)
        assert.equal(codeOf(await ask(operator.connection, seq)), 'COMMAND_UNKNOWN');
    }
  });

  it('waits for a result, for all who ask, and finds each among those of one busy agent', async () => {
    assert.equal((await tallystick(['module', 'unload', 'accounts', '--data', dataDir])).code, 0);
    const { deposit } = guest.agent(accounts, 'busy');
    const sent = await Promise.all(Array.from({ length: 300 }, () => deposit.send({ amount: 1 })));
    const sequences = sent.map(({ seq }) => seq).sort((a, b) => a - b);
    const middle = sequences[150] as number;
    const late = await tallystick(['result', `${middle}`, '--timeout', '1s', '--server', broker.url]);
    assert.deepEqual([late.code, /RESULT_PENDING.*\n?.*tallystick result/.test(late.stderr)], [1, true]);
    const waiting = [deposit.result(middle), deposit.result(middle), deposit.result(sequences[0] as number)];
    assert.equal((await tallystick(['module', 'load', shipped, '--data', dataDir])).code, 0);
    assert.deepEqual(await Promise.all(waiting), [{ balance: 151 }, { balance: 151 }, { balance: 1 }]);
    const wanted = sequences.map((_, i) => ({ balance: i + 1 }));
    assert.deepEqual(await Promise.all(sequences.map((seq) => deposit.result(seq))), wanted);
    // What the broker has read since its start it finds at once. The rest it looks for in the log.
    await stop();
    await start();
    const again = guest.agent(accounts, 'busy').deposit;
    assert.deepEqual(await Promise.all(sequences.map((seq) => again.result(seq))), wanted);
    const printed = await tallystick(['result', `${middle}`, '--server', broker.url]);
    assert.equal(printed.code, 0);
    assert.match(printed.stdout, /"balance": 151\b/);
  });

  it('never gives a program the result of another action or agent', async () => {
    const { deposit, withdraw } = guest.agent(accounts, 'cleo');
    const { seq } = await deposit.send({ amount: 4 });
    assert.deepEqual(await deposit.result(seq), { balance: 4 });
    for (const other of [withdraw.result(seq), guest.agent(accounts, 'dora').deposit.result(seq)]) {
      const { code, message } = await refused(other);
      assert.equal(code, 'COMMAND_UNKNOWN');
      assert.match(message, /is accounts\.deposit\.cleo, and not accounts\./);
    }
    const no = await withdraw.send({ amount: 9 });
    assert.equal((await refused(withdraw.result(no.seq))).code, 'INSUFFICIENT_FUNDS');
    assert.equal((await tallystick(['result', `${no.seq}`, '--server', broker.url])).code, 1);
  });

  it('is refused by name for all that is no such request', async () => {
    const { connection } = guest;
    const noSequence = fc
      .string({ minLength: 1, maxLength: 80, unit: fc.constantFrom(...'abcXYZ019-_+e$') })
      .filter((text) => !/^[1-9]\d{0,15}$/.test(text));
    await fc.assert(
      fc.asyncProperty(noSequence, async (text) =>
        assert.equal(codeOf(await ask(connection, text)), 'SUBJECT_INVALID'),
      ),
      { numRuns: 60 },
    );
    const noBody = fc.oneof(
      fc.constantFrom('{', '[]', '7', '{"command":7}', '"x"', 'null'),
      fc.string({ minLength: 1, maxLength: 9 }).map((key) => JSON.stringify({ [`${key}!`]: 1 })),
    );
    await fc.assert(
      fc.asyncProperty(noBody, async (body) =>
        assert.match(codeOf(await ask(connection, 1, body)), /^PAYLOAD_(INVALID|NOT_JSON)$/),
      ),
      { numRuns: 60 },
    );
    assert.equal(codeOf(await ask(connection, 1, '', { [HEADER.key]: 'k' })), 'HEADER_INVALID');
  });
});
