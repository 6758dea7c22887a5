import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { type VerifyOptions, verifyLog } from '../../replay/index.js';
import type { Finding, FindingKind, Verification } from '../../schemas/verification.js';
import { settled } from '../faults/system-state.js';
import { batchState } from '../runner/batch-state.js';
import { brokerStatus } from '../support/broker-status.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { connectOperator } from '../support/log-checks.js';
import { dial } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { causeOf, type Copied, copyOf, idOf, subjectOf } from './log-copy.js';

const AGENTS = 10;
const ROUNDS = 2;
const CALLS = 60;

/** Transfers, orders, deposits; a module and the server are killed while they are handled. */
const work = async (broker: TestBroker): Promise<void> => {
  const nc = await connect({ servers: broker.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
  const ask = async (subject: string, data: object): Promise<void> => {
    // Whoever talks to what is killed may get no answer; the log says what became of it.
    await nc.request(subject, JSON.stringify(data), { timeout: 2_500 }).catch(() => undefined);
  };
  const agent = (i: number): string => `agent-${i % AGENTS}`;
  await Promise.all(
    Array.from({ length: AGENTS }, (_, i) => ask(`call.accounts.deposit.${agent(i)}`, { amount: 1_000 })),
  );
  await ask('call.orders.restock.item', { quantity: 1_000 });
  for (let round = 0; round < ROUNDS; round++) {
    const calls = Promise.all(
      Array.from({ length: CALLS }, (_, i) => {
        const order = { item: 'item', quantity: 1, unitPrice: 3, customer: agent(i) };
        if (i % 6 === 0) return ask(`call.orders.place.order-${round}-${i}`, order);
        if (i % 6 === 1) return ask(`cmd.accounts.deposit.${agent(i)}`, { amount: 2 });
        return ask(`call.accounts.transfer.${agent(i)}`, { to: agent(i + 1), amount: 1 });
      }),
    );
    const { modules: now } = await brokerStatus(broker.dataDir);
    const pid = now.find(({ name }) => name === (round === 0 ? 'orders' : 'accounts'))?.pid;
    if (pid !== undefined && pid !== null) process.kill(pid, 'SIGKILL');
    await calls;
  }
  // Names that are none are stored and answered where the module is known. The broker refuses a module that is unknown.
  await ask('cmd.accounts.depo$it.alice', {});
  await ask('cmd.accounts.deposit.b$b', { amount: 1 });
  await ask('cmd.nobody.does.this', {});
  await nc.close();
  await settled(broker.dataDir);
};

/** The log of a system that was killed at work, and a server to which it can be copied, whole or damaged. */
export class VerifiedSystem implements AsyncDisposable {
  private constructor(
    readonly broker: TestBroker,
    /** May read the broker's own log. */
    readonly live: NatsConnection,
    /** The log of the broker: record i has sequence i + 1. */
    readonly log: readonly Copied[],
    readonly server: TestServer,
    /** To the server with the copy. */
    readonly nc: NatsConnection,
    readonly files: TempDir,
  ) {}

  private static shared: Promise<VerifiedSystem> | undefined;

  /** The one system of this process: its files copy their own damage over that of the file before. */
  static start(): Promise<VerifiedSystem> {
    VerifiedSystem.shared ??= VerifiedSystem.make();
    return VerifiedSystem.shared;
  }

  private static async make(): Promise<VerifiedSystem> {
    const broker = await startBroker({ args: ['--durability', 'os'] });
    const server = await startServer({ name: 'verify' });
    const nc = await dial(server);
    await work(broker);
    const live = await connectOperator(broker.dataDir);
    return new VerifiedSystem(broker, live, await copyOf(live), server, nc, tempDir());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (batchState.filesLeft > 0) return;
    await this.live.close();
    await this.nc.close();
    await this.broker[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await this.files[Symbol.asyncDispose]();
  }

  /** Verifies the copy, or what is said. */
  async verify(options: Partial<VerifyOptions> = {}): Promise<Verification> {
    return success(await verifyLog({ nc: this.nc, graceMs: 0, ...options })()).verification;
  }

  /** A record that fits, from the middle of the log on where there is one. */
  find(what: string, fits: (record: Copied) => boolean, from = this.log.length >> 1): Copied {
    const found = this.log.slice(from).find(fits) ?? this.log.find(fits);
    assert.ok(found, `the log has ${what}`);
    return found;
  }

  /**
   * A result of `accounts` with a copy, and a later record of the same epoch. Without that record, the numbers alone do
   * not show that the result is missing.
   */
  result(): Copied {
    return this.find('a result with a copy', (record) => {
      const subject = subjectOf(record);
      return (
        subject?.kind === 'res' &&
        subject.module === 'accounts' &&
        record.data.includes('"out":[{"subject":"evt') &&
        this.log.some((each) => each.seq > record.seq && idOf(each)?.epoch === idOf(record)?.epoch)
      );
    });
  }

  copyOfResult(result: Copied): Copied {
    const cause = causeOf(result);
    const isCopy = (record: Copied): boolean =>
      subjectOf(record)?.kind === 'evt' && causeOf(record) === cause;
    return this.find('its copy', isCopy, 0);
  }

  /** The log with this record instead of the one of its sequence. */
  logWith(changed: Copied): readonly Copied[] {
    return this.log.map((record) => (record.seq === changed.seq ? changed : record));
  }

  /** The identity that the producer of a record would give its next record. */
  nextId(record: Copied): string {
    const producer = idOf(record)?.producer;
    const isOfProducer = (each: Copied): boolean => idOf(each)?.producer === producer;
    const last = idOf(this.log.findLast(isOfProducer) as Copied) ?? assert.fail();
    return `${last.producer}.${last.epoch}.${last.n + 1}`;
  }
}

/** That the damage is found, and named by kind, sequence and producer; all that is found must be of these kinds. */
export const expectFound = (
  found: Verification,
  wanted: {
    readonly kind: FindingKind;
    readonly seq: number;
    readonly producer?: string;
    readonly says: RegExp;
  },
  others: readonly FindingKind[] = [],
): Finding => {
  assert.equal(found.ok, false);
  const named = found.findings.find(
    ({ kind, seq, producer, detail }) =>
      kind === wanted.kind &&
      seq === wanted.seq &&
      (wanted.producer === undefined || producer === wanted.producer) &&
      wanted.says.test(detail),
  );
  assert.ok(named, `${JSON.stringify(wanted)} ${wanted.says} in ${JSON.stringify(found.findings, null, 1)}`);
  const strange = found.findings.filter(({ kind }) => kind !== wanted.kind && !others.includes(kind));
  assert.deepEqual(strange, []);
  assert.equal(found.findingsTotal, found.findings.length);
  return named;
};
