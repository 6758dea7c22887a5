import assert from 'node:assert/strict';
import type { ConsumerInfo } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { readLog } from '../../../journal/read/reader.js';
import { type HistoryRecord, toHistory } from '../../../schemas/record.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { waitFor } from '../../support/wait-for.js';

export const DELETE_LOG = '$JS.API.STREAM.DELETE.LOG';
export const PURGE_LOG = '$JS.API.STREAM.PURGE.LOG';
/** The first message of an atomic batch: the server's acknowledgement of it is empty, as a request to delete is. */
export const STAGED = { 'Nats-Batch-Id': 'b', 'Nats-Batch-Sequence': '1' };

/** A broker with `accounts`, and what shows that an attack did it no harm. */
export class AttackedBroker implements AsyncDisposable {
  private constructor(
    readonly broker: TestBroker,
    readonly guest: NatsConnection,
    readonly operator: NatsConnection,
    private readonly created: string,
  ) {}

  /** Starts it; `moduleDirs` are directories of more modules. */
  static async start(moduleDirs: readonly string[] = []): Promise<AttackedBroker> {
    const args = moduleDirs.flatMap((dir) => ['--module', dir]);
    const broker = await startBroker({ shipped: ['accounts'], args });
    const guest = await connect({ servers: broker.url });
    const operator = await connectOperator(broker.dataDir);
    return new AttackedBroker(broker, guest, operator, await createdAt(operator));
  }

  ask<T>(subject: string, body: unknown = ''): Promise<T> {
    return ask<T>(this.operator, subject, body);
  }

  async history(): Promise<HistoryRecord[]> {
    const records: HistoryRecord[] = [];
    for await (const message of readLog(this.operator)) records.push(toHistory(message));
    return records;
  }

  /** Where a module's consumer stands, once the module has acknowledged all its deliveries. */
  checkpoint(module: string): Promise<object> {
    return waitFor('all to be acknowledged', async () => {
      const { delivered, ack_floor, num_ack_pending, num_pending } = await this.ask<ConsumerInfo>(
        `$JS.API.CONSUMER.INFO.LOG.${module}`,
      );
      return num_ack_pending + num_pending === 0 && { delivered, ack_floor };
    });
  }

  async balance(agent: string): Promise<unknown> {
    return (await this.guest.request(`call.accounts.balance.${agent}`, '{}', { timeout: 10_000 })).json();
  }

  /** The log is the one of the start, has no gap, and still takes and answers calls. */
  async logStands(timeout = 30_000): Promise<void> {
    const options = { timeout };
    const reply = await this.guest.request('call.accounts.deposit.witness', '{"amount":1}', options);
    assert.equal(reply.json<{ status: string }>().status, 'ok');
    assert.equal(await createdAt(this.operator), this.created);
    const records = await this.history();
    assert.deepEqual(
      records.map(({ seq }) => seq),
      records.map((_, i) => i + 1),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.guest.close(), this.operator.close()]);
    await this.broker[Symbol.asyncDispose]();
  }
}

const ask = async <T>(operator: NatsConnection, subject: string, body: unknown): Promise<T> => {
  const data = body === '' ? '' : JSON.stringify(body);
  return (await operator.request(subject, data, { timeout: 10_000 })).json<T>();
};

const createdAt = async (operator: NatsConnection): Promise<string> =>
  (await ask<{ created: string }>(operator, '$JS.API.STREAM.INFO.LOG', '')).created;
